"""The live transport under clients that read slowly, ask too much or say nothing; and on its way out."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not re-exported

from api.live_transport import (
    LOOPS,
    Echo,
    RawClient,
    Running,
    Stage,
    masked,
    running,
    stage,
    upgrade_request,
)
from api.waiting import eventually
from roost.edge.live.frames import text_frame
from roost.edge.live.limits import Limits

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
GAP = b'{"type":"gap"}'
TIGHT = Limits(
    tick_ms=5,
    owed_frames_max=64,
    owed_bytes_max=65_536,
    answers_owed_max=40,
    write_buffer_bytes_max=32_768,
    send_buffer_bytes=16_384,
    in_flight_max=4,
    backlog_max=20,
    drain_s=0.3,
    close_wait_s=0.3,
)
UNSENT_BYTES_MAX = 2 * TIGHT.owed_bytes_max + TIGHT.write_buffer_bytes_max


@pytest.fixture(scope="module", params=LOOPS)
def on(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param, TIGHT) as ready:
        yield ready


async def _slow(server: Running) -> tuple[RawClient, Echo]:
    """A client whose kernel takes in little, and which has not begun to read."""
    client = await RawClient.open(server.port, receive_buffer_bytes=4_096, limit=1_024)
    return client, server.door.sessions[-1]


def _numbered(n: int) -> bytes:
    return b"%08d" % n + b"." * 1_000


def test_a_slow_reader_gets_one_gap_and_others_get_everything(on: Stage) -> None:
    async def play() -> None:
        slow, slow_session = await _slow(on.server)
        quick = await RawClient.open(on.server.port)
        quick_session = on.server.door.sessions[-1]
        sent = 3_000  # 3 MB: far more than the kernel and the bounds take

        async def read_all() -> list[bytes]:
            return [(await quick.frame())[1] for _ in range(sent)]

        reading = asyncio.create_task(read_all())
        greatest = 0
        for n in range(sent):
            frame = text_frame(_numbered(n))
            slow_session.socket.push(frame)
            quick_session.socket.push(frame)
            greatest = max(greatest, slow_session.socket.unsent_bytes)
            if n % 20 == 0:
                await quick_session.socket.drained()
                await asyncio.sleep(0)
        assert await reading == [_numbered(n) for n in range(sent)]
        assert quick_session.gaps == 0
        assert greatest <= UNSENT_BYTES_MAX
        assert not slow_session.socket.writable
        assert slow_session.gaps == 0, "a gap is made when it can be sent: its cursor is of then"

        seen: list[bytes] = []
        while not seen or seen[-1] != GAP:
            seen.append((await slow.frame())[1])
        before = seen[:-1]
        assert before == [_numbered(n) for n in range(len(before))], "in order until it lost"
        assert len(before) < sent
        for n in range(5):
            slow_session.socket.push(text_frame(_numbered(sent + n)))
        assert [(await slow.frame())[1] for _ in range(5)] == [_numbered(sent + n) for n in range(5)]
        assert slow_session.gaps == 1
        await slow.close()
        await quick.close()

    on.run(play())


def test_a_short_stall_within_the_bounds_loses_nothing(on: Stage) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)
        sent = 0
        while session.socket.writable:  # fill what the kernel takes
            session.socket.push(text_frame(_numbered(sent)))
            sent += 1
            await asyncio.sleep(0)
        for _ in range(20):
            session.socket.push(text_frame(_numbered(sent)))
            sent += 1
        assert [(await slow.frame())[1] for _ in range(sent)] == [_numbered(n) for n in range(sent)]
        assert session.gaps == 0
        await slow.close()

    on.run(play())


def test_answers_survive_a_stall_in_which_pushes_are_lost(on: Stage) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)
        while session.socket.writable:
            session.socket.push(text_frame(_numbered(0)))
            await asyncio.sleep(0)
        for n in range(30):
            session.socket.send(b"ack %d" % n)
            for _ in range(30):
                session.socket.push(text_frame(_numbered(1)))
        assert session.socket.unsent_bytes <= UNSENT_BYTES_MAX
        answers: list[bytes] = []
        gaps = 0
        while len(answers) < 30 or not gaps:
            _, text = await slow.frame()
            answers += [text] if text.startswith(b"ack") else []
            gaps += text == GAP
        assert answers == [b"ack %d" % n for n in range(30)]
        assert gaps == session.gaps == 1
        await slow.close()

    on.run(play())


def test_a_session_may_say_itself_that_something_was_skipped(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.open(on.server.port)
        session = on.server.door.sessions[-1]
        session.socket.push(text_frame(b"before"))
        session.socket.skip()
        session.socket.push(text_frame(b"after"))
        assert [(await client.frame())[1] for _ in range(3)] == [b"before", GAP, b"after"]
        await client.close()

    on.run(play())


def test_a_client_that_asks_and_does_not_read_is_read_no_further_and_gets_every_answer(
    on: Stage,
) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)
        asked = 2_000
        for n in range(asked):
            slow.send(masked(_numbered(n)))
        await eventually(lambda: not session.socket.writable)
        assert len(session.heard) < asked
        assert session.socket.unsent_bytes <= UNSENT_BYTES_MAX
        assert [(await slow.frame())[1] for _ in range(asked)] == [_numbered(n) for n in range(asked)]
        await slow.close()

    on.run(play())


def test_a_session_that_answers_without_end_closes_with_4429_and_nothing_before_that_is_lost(
    on: Stage,
) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)
        for n in range(1_000):
            session.socket.send(_numbered(n))
            assert session.socket.unsent_bytes <= UNSENT_BYTES_MAX
        seen = []
        opcode, payload = await slow.frame()
        while opcode == TEXT:
            seen.append(payload)
            opcode, payload = await slow.frame()
        assert (opcode, payload[:2]) == (CLOSE, (4429).to_bytes(2, "big"))
        assert seen == [_numbered(n) for n in range(len(seen))]
        await slow.close()

    on.run(play())


def test_a_long_series_of_answers_waits_for_its_reader(on: Stage) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)

        async def series() -> None:
            for n in range(1_000):
                assert await session.socket.drained()
                session.socket.send(_numbered(n))

        sending = asyncio.create_task(series())
        await eventually(lambda: not session.socket.writable)
        assert [(await slow.frame())[1] for _ in range(1_000)] == [_numbered(n) for n in range(1_000)]
        await sending
        await slow.close()

    on.run(play())


def test_who_waits_for_a_reader_learns_that_he_has_gone(on: Stage) -> None:
    async def play() -> None:
        slow, session = await _slow(on.server)
        while session.socket.writable:
            session.socket.send(_numbered(0))
        waiting = asyncio.create_task(session.socket.drained())
        await asyncio.sleep(0)
        slow.writer.transport.abort()
        async with asyncio.timeout(5):
            assert await waiting is False
        await slow.close()

    on.run(play())


def test_no_more_messages_than_the_bound_are_in_flight_and_all_are_answered_in_order(
    on: Stage,
) -> None:
    async def play() -> None:
        on.server.door.release.clear()
        client = await RawClient.open(on.server.port)
        session = on.server.door.sessions[-1]
        words = [b"hold %d" % n for n in range(20)]
        client.send(b"".join(map(masked, words)) + masked(b"?", PING))
        assert await client.frame() == (PONG, b"?"), "control frames do not wait"
        assert len(session.heard) == TIGHT.in_flight_max
        on.server.door.release.set()
        assert [(await client.frame())[1] for _ in words] == words
        client.send(masked(b"and on"))
        assert await client.frame() == (TEXT, b"and on")
        await client.close()

    on.run(play())


@pytest.mark.parametrize(("size", "bound_bytes"), [(200, 8_192), (65_000, 131_072)])
def test_the_parsers_buffer_stays_small_however_quickly_a_client_sends(on: Stage, size: int, bound_bytes: int) -> None:
    async def play() -> None:
        client = await RawClient.open(on.server.port)
        message = b"x" * size
        count = 4_000_000 // size
        client.send(masked(message) * count)
        for _ in range(count):
            assert await client.frame() == (TEXT, message)
        (protocol,) = on.server.server.server_state.connections
        assert len(WSProtocol.get_buffer(protocol, -1)) <= bound_bytes
        await client.close()

    on.run(play())


def test_a_flood_in_one_gulp_closes_with_4429(on: Stage) -> None:
    async def play() -> None:
        on.server.door.release.clear()
        client = await RawClient.open(on.server.port)
        client.send(b"".join(masked(b"hold %d" % n) for n in range(300)))
        assert await client.closed_with() == 4429
        on.server.door.release.set()
        await client.close()

    on.run(play())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_silent_client_is_pinged_stays_while_it_answers_and_is_closed_with_4408(loop: str) -> None:
    limits = Limits(ping_after_s=0.04, idle_s=0.4, close_wait_s=0.2)
    with stage(loop, limits) as on:

        async def play() -> None:
            client = await RawClient.open(on.server.port)
            session = on.server.door.sessions[-1]
            for _ in range(12):  # more than `idle_s` in all
                assert await client.frame() == (PING, b"")
                client.send(masked(b"", PONG))
            assert not session.is_closed.is_set()
            assert await client.closed_with() == 4408
            await client.ended()

        on.run(play())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_client_that_never_reads_nor_closes_is_cut_off_as_idle(loop: str) -> None:
    limits = Limits(
        ping_after_s=0.05,
        idle_s=0.1,
        close_wait_s=0.1,
        write_buffer_bytes_max=1_024,
        send_buffer_bytes=4_096,
    )
    with stage(loop, limits) as on:

        async def play() -> None:
            for half_closed in (False, True):
                slow, session = await _slow(on.server)
                while session.socket.writable:
                    session.socket.push(text_frame(_numbered(0)))
                    await asyncio.sleep(0)
                if half_closed:
                    slow.writer.write_eof()
                async with asyncio.timeout(5):
                    await session.is_closed.wait()
                await slow.close()

        on.run(play())


def test_on_shutdown_answers_in_flight_and_what_is_owed_come_before_1001() -> None:
    async def play() -> None:
        async with running(Limits(tick_ms=60_000)) as server:
            client = await RawClient.open(server.port)
            busy, idle = server.door.sessions[-1], await RawClient.open(server.port)
            client.send(masked(b"hold this"))
            await eventually(lambda: busy.heard)
            server.door.sessions[0].socket.push(text_frame(b"owed"))
            server.door.sessions[1].socket.push(text_frame(b"owed too"))
            stopping = asyncio.create_task(server.hub.shutdown())
            assert await idle.frame() == (TEXT, b"owed too")
            assert await idle.closed_with() == 1001
            idle.send(masked(b"\x03\xe9", CLOSE))
            await idle.ended()
            assert not busy.is_closed.is_set()
            server.door.release.set()
            assert [await client.frame() for _ in range(2)] == [(TEXT, b"owed"), (TEXT, b"hold this")]
            assert await client.closed_with() == 1001
            client.send(masked(b"\x03\xe9", CLOSE))
            await client.ended()
            async with asyncio.timeout(5):
                await stopping

    asyncio.run(play())


@pytest.mark.parametrize("loop", LOOPS)
def test_uvicorns_own_shutdown_sends_everybody_away_and_waits_for_no_laggard(loop: str) -> None:
    clients: list[RawClient] = []
    with stage(loop, TIGHT) as on:

        async def play() -> None:
            clients.extend([await RawClient.open(on.server.port) for _ in range(3)])
            slow, session = await _slow(on.server)
            clients.append(slow)
            while session.socket.writable:
                session.socket.push(text_frame(_numbered(0)))
                await asyncio.sleep(0)
            on.server.door.release.clear()
            clients[0].send(masked(b"hold for ever"))
            await eventually(lambda: on.server.door.sessions[0].heard)
            waiting = await RawClient.connect(on.server.port)
            clients.append(waiting)
            asked = len(on.server.door.requests)
            waiting.send(upgrade_request("/ws?wait=1"))
            await eventually(lambda: len(on.server.door.requests) > asked)

            async with asyncio.timeout(4):
                await on.server.server.shutdown()
            assert on.server.hub.sockets == 0
            for client in clients[:3]:
                assert await client.closed_with() == 1001
            assert (await waiting.refusal())[0] == 503
            for client in clients:
                await client.close()

        on.run(play())


def test_a_draining_node_takes_nobody_in() -> None:
    with stage(limits=TIGHT) as on:

        async def play() -> None:
            client = await RawClient.connect(on.server.port)
            client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            _, headers = await client.response()
            await client.reader.readexactly(int(headers["content-length"]))
            waiting = await RawClient.connect(on.server.port)
            waiting.send(upgrade_request("/ws?wait=1"))
            await eventually(lambda: on.server.door.requests)
            on.server.hub.drain()
            on.server.door.release.set()
            client.send(upgrade_request())
            for refused in (client, waiting):
                status, headers, problem = await refused.refusal()
                assert (status, problem["type"]) == (503, "/problems/draining")
                assert re.fullmatch(r"\d+", headers["retry-after"])
            assert len(on.server.door.requests) == 1, "nobody is asked about the one who came late"

        on.run(play())
