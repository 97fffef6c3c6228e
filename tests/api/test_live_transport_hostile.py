"""The live transport under clients that break RFC 6455: each gets the right code, nobody else notices."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.live_transport import LOOPS, RawClient, Stage, masked, stage, upgrade_request
from api.waiting import eventually
from roost.edge.live.limits import Limits

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
LIMIT = Limits().message_bytes_max
BIRD = "🐦".encode()


@pytest.fixture(scope="module", params=LOOPS)
def on(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param, Limits(close_wait_s=0.2)) as ready:
        yield ready


def _unmasked(payload: bytes, opcode: int = TEXT) -> bytes:
    return bytes((0x80 | opcode, len(payload))) + payload


def _closing(code: int, reason: bytes = b"") -> bytes:
    return masked(code.to_bytes(2, "big") + reason, CLOSE)


def _pieces(payload: bytes, *ends: int) -> bytes:
    """One text message in fragments that end there."""
    cuts = [0, *ends, len(payload)]
    parts = [payload[a:b] for a, b in itertools.pairwise(cuts)]
    return b"".join(masked(part, CONTINUATION if n else TEXT, fin=n == len(parts) - 1) for n, part in enumerate(parts))


VIOLATIONS: dict[str, tuple[bytes, int]] = {
    **{f"reserved opcode {op}": (masked(b"", op), 1002) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    **{f"reserved bits {bits}": (masked(b"hi", TEXT, rsv=bits), 1002) for bits in range(1, 8)},
    "reserved bit in a ping": (masked(b"hi", PING, rsv=4), 1002),
    "reserved bit in a continuation": (
        masked(b"a", TEXT, fin=False) + masked(b"b", CONTINUATION, rsv=4),
        1002,
    ),
    "fragmented ping": (masked(b"", PING, fin=False), 1002),
    "fragmented close": (masked(b"\x03\xe8", CLOSE, fin=False), 1002),
    "ping of 126 bytes": (masked(b"x" * 126, PING), 1002),
    "unmasked text": (_unmasked(b"hi"), 1002),
    "unmasked ping": (_unmasked(b"", PING), 1002),
    "continuation of nothing": (masked(b"hi", CONTINUATION), 1002),
    "continuation after the end": (_pieces(b"whole", 2) + masked(b"more", CONTINUATION), 1002),
    "text inside a message": (masked(b"a", TEXT, fin=False) + masked(b"b"), 1002),
    "unfinished text inside a message": (masked(b"a", TEXT, fin=False) * 2, 1002),
    "binary": (masked(b"hi", BINARY), 1003),
    "unfinished binary": (masked(b"hi", BINARY, fin=False), 1003),
    "binary inside a message": (masked(b"a", TEXT, fin=False) + masked(b"b", BINARY), 1003),
    "16-bit length that fits in 7": (b"\x81\xfe\x00\x05" + bytes(4) + b"hello", 1002),
    "64-bit length that fits in 16": (b"\x81\xff" + (5).to_bytes(8, "big") + bytes(4) + b"hello", 1002),
    "64-bit length with its first bit": (b"\x81\xff" + b"\x80" + bytes(7) + bytes(4), 1002),
    "length of 4 exabytes": (b"\x81\xff" + (1 << 62).to_bytes(8, "big") + bytes(4), 1009),
    "one byte too many": (masked(b"x" * (LIMIT + 1)), 1009),
    "one byte too many in fragments": (_pieces(b"x" * (LIMIT + 1), 10, 30_000, LIMIT), 1009),
    "too many in unfinished fragments": (
        masked(b"x" * LIMIT, TEXT, fin=False) + masked(b"x", CONTINUATION, fin=False),
        1009,
    ),
    "not UTF-8": (masked(b"\xff\xfe"), 1007),
    "overlong": (masked(b"\xc0\xaf"), 1007),
    "surrogate": (masked(b"\xed\xa0\x80"), 1007),
    "beyond Unicode": (masked(b"\xf4\x90\x80\x80"), 1007),
    "cut character": (masked(BIRD[:3]), 1007),
    "not UTF-8, in fragments": (_pieces(b"ab\xf0\x9f\x41\x80", 3, 4), 1007),
    "cut character, in fragments": (_pieces(b"ab" + BIRD[:3], 3), 1007),
    "close of one byte": (masked(b"\x03", CLOSE), 1002),
    "close with a reason that is not UTF-8": (_closing(1000, b"\xff"), 1007),
    "close of 126 bytes": (masked(b"\x03\xe8" + b"x" * 124, CLOSE), 1002),
    **{
        f"close code {code}": (_closing(code), 1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_answered_with_its_code(on: Stage, name: str) -> None:
    data, code = VIOLATIONS[name]

    async def play() -> None:
        client = await RawClient.open(on.server.port)
        session = on.server.door.sessions[-1]
        client.send(data)
        assert await client.closed_with() == code
        assert session.heard in ([], ["whole"])
        await client.close()
        async with asyncio.timeout(5):
            await session.is_closed.wait()

    on.run(play())


@pytest.mark.parametrize("name", ["unmasked text", "not UTF-8", "one byte too many"])
def test_a_violator_who_stays_is_cut_off(on: Stage, name: str) -> None:
    data, code = VIOLATIONS[name]

    async def play() -> None:
        client = await RawClient.open(on.server.port)
        client.send(data)
        assert await client.closed_with() == code
        await client.ended()

    on.run(play())


def test_a_violator_who_goes_on_sending_is_cut_off(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.open(on.server.port)
        session = on.server.door.sessions[-1]
        client.send(b"\xff" * 1_000)
        while not session.is_closed.is_set():
            if not client.writer.is_closing():
                client.send(b"\xff" * 1_000)
            await asyncio.sleep(0.001)
        await client.close()

    on.run(play())


ALLOWED: dict[str, tuple[bytes, list[tuple[int, bytes]]]] = {
    "empty text": (masked(b""), [(TEXT, b"")]),
    "a character over two fragments": (_pieces(b"a" + BIRD + b"b", 3), [(TEXT, b"a" + BIRD + b"b")]),
    "a byte a fragment": (_pieces(BIRD * 5, *range(1, 20)), [(TEXT, BIRD * 5)]),
    "empty fragments": (_pieces(b"ab", 0, 0, 1, 1, 2, 2), [(TEXT, b"ab")]),
    "a ping inside a message": (
        masked(b"a", TEXT, fin=False) + masked(b"?", PING) + masked(b"b", CONTINUATION),
        [(PONG, b"?"), (TEXT, b"ab")],
    ),
    "a ping of 125 bytes": (masked(b"x" * 125, PING), [(PONG, b"x" * 125)]),
    "an empty ping": (masked(b"", PING), [(PONG, b"")]),
    "pongs that nobody asked for": (masked(b"x", PONG) * 3 + masked(b"hi"), [(TEXT, b"hi")]),
    "a close without a code": (masked(b"", CLOSE), [(CLOSE, b"")]),
    **{
        f"close code {code}": (_closing(code, b"bye"), [(CLOSE, code.to_bytes(2, "big"))])
        for code in (1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999)
    },
    "words before the close": (
        masked(b"before") + _closing(1000),
        [(TEXT, b"before"), (CLOSE, b"\x03\xe8")],
    ),
}


@pytest.mark.parametrize("chopped", [False, True], ids=["in one packet", "byte by byte"])
@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_protocol_allows_is_understood(on: Stage, name: str, chopped: bool) -> None:
    data, expected = ALLOWED[name]

    async def play() -> None:
        client = await RawClient.open(on.server.port)
        if chopped:
            for byte in data:
                client.send(bytes((byte,)))
                await asyncio.sleep(0)
        else:
            client.send(data)
        assert [await client.frame() for _ in expected] == expected
        if expected[-1][0] == CLOSE:
            await client.ended()
        else:
            await client.close()

    on.run(play())


def test_what_comes_after_the_clients_close_is_not_heard(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.open(on.server.port)
        session = on.server.door.sessions[-1]
        client.send(_closing(1000) + masked(b"after") + masked(b"", 3))
        assert await client.frame() == (CLOSE, b"\x03\xe8")
        await client.ended()
        assert session.heard == []

    on.run(play())


def test_a_client_that_goes_without_a_word_ends_its_session(on: Stage) -> None:
    async def play() -> None:
        for rudeness in ("reset", "end of file"):
            client = await RawClient.open(on.server.port)
            session = on.server.door.sessions[-1]
            client.send(masked(b"half a mess", fin=False))
            if rudeness == "reset":
                client.writer.transport.abort()
            else:
                client.writer.write_eof()
            async with asyncio.timeout(5):
                await session.is_closed.wait()
            await client.ended()

    on.run(play())


def test_a_flood_of_pings_that_are_not_read_costs_nothing_much(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.open(on.server.port, receive_buffer_bytes=4_096)
        session = on.server.door.sessions[-1]
        flood = masked(b"x" * 125, PING) * 40_000  # 5 MB
        client.send(flood)
        await eventually(lambda: not session.socket.writable)
        limits = on.server.hub.limits
        bound = 2 * limits.write_buffer_bytes_max + limits.owed_bytes_max
        assert session.socket.unsent_bytes <= bound
        client.send(masked(b"the end"))
        last = (0, b"")
        while last != (TEXT, b"the end"):
            last = await client.frame()
            assert session.socket.unsent_bytes <= bound
        await client.close()

    on.run(play())


def _frames() -> st.SearchStrategy[bytes]:
    """Streams that are nearly right, which go deeper than noise does."""
    payload = st.one_of(st.binary(max_size=200), st.text(max_size=40).map(str.encode))
    good = st.builds(
        lambda data, op, fin: masked(data, op, fin=fin),
        payload,
        st.sampled_from([TEXT, TEXT, CONTINUATION, CONTINUATION, PING, PONG, CLOSE, BINARY]),
        st.booleans(),
    )
    odd = st.builds(
        lambda data, op, fin, rsv: masked(data, op, fin=fin, rsv=rsv),
        payload,
        st.integers(0, 15),
        st.booleans(),
        st.integers(0, 7),
    )
    whole = st.lists(st.one_of(good, good, odd, st.binary(max_size=20)), max_size=12)
    return whole.map(b"".join)


@settings(max_examples=120, deadline=None)
@given(stream=st.one_of(_frames(), _frames(), st.binary(max_size=2_000)), cut=st.integers(0, 2_000))
def test_no_stream_of_bytes_stops_the_server(on: Stage, stream: bytes, cut: int) -> None:
    async def play() -> None:
        async with asyncio.timeout(20):
            bystander = await RawClient.open(on.server.port)
            attacker = await RawClient.connect(on.server.port)
            attacker.send(upgrade_request() + stream[:cut])
            assert (await attacker.response())[0] == 101
            victim = on.server.door.sessions[-1]
            attacker.send(stream[cut:])
            word = os.urandom(4).hex().encode()
            bystander.send(masked(word))
            assert await bystander.frame() == (TEXT, word)
            with contextlib.suppress(ConnectionError):
                attacker.writer.write_eof()
            await attacker.ended()
            await victim.is_closed.wait()
            await bystander.close()
            await eventually(lambda: on.server.hub.sockets == 0)

    on.run(play())
