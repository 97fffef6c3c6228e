"""The live transport as a well-behaved client sees it, with the real `websockets` client."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from api.live_transport import (
    LOOPS,
    WAIT_S,
    EchoDoor,
    RawClient,
    Running,
    Stage,
    masked,
    stage,
    upgrade_request,
)
from api.waiting import eventually
from roost.domain.errors import DependencyDown
from roost.edge.live.door import Admitted, Refusal, Request
from roost.edge.live.frames import text_frame
from roost.edge.live.limits import Limits

MESSAGE_BYTES_MAX = Limits().message_bytes_max


@pytest.fixture(scope="module", params=LOOPS)
def on(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param) as ready:
        yield ready


async def greeted(server: Running, query: str = "") -> ClientConnection:
    client = await connect(server.url + query, open_timeout=WAIT_S, max_size=None)
    assert await client.recv() == '{"type":"hello"}'
    return client


def test_a_message_is_handed_to_the_session_and_its_answer_comes_back(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            await client.send('{"message":"grüße 🐦"}')
            assert await client.recv() == '{"message":"grüße 🐦"}'

    on.run(play())


def test_two_thousand_messages_are_answered_in_order(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:

            async def talk() -> None:
                for n in range(2_000):
                    await client.send(str(n))

            talking = asyncio.create_task(talk())
            assert [await client.recv() for _ in range(2_000)] == [str(n) for n in range(2_000)]
            await talking

    on.run(play())


def test_fragments_are_joined(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            await client.send(["frag", "", "men", "ted"])
            assert await client.recv() == "fragmented"

    on.run(play())


def test_a_message_of_the_greatest_size_passes(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            message = "x" * MESSAGE_BYTES_MAX
            await client.send(message)
            assert await client.recv() == message
            await client.send([message[:40_000], message[40_000:]])
            assert await client.recv() == message

    on.run(play())


@pytest.mark.parametrize("excess", [1, 200_000, 5_000_000])
def test_a_message_that_is_too_big_closes_with_1009_and_the_client_learns_it(on: Stage, excess: int) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            with pytest.raises(ConnectionClosedError) as closed:  # noqa: PT012  either may be the one
                await client.send("x" * (MESSAGE_BYTES_MAX + excess))
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009

    on.run(play())


def test_a_ping_is_answered_with_its_own_words(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            async with asyncio.timeout(WAIT_S):
                await (await client.ping(b"are you there?"))

    on.run(play())


def test_a_clients_close_is_answered_with_its_code_and_the_session_ends(on: Stage) -> None:
    async def play() -> None:
        client = await greeted(on.server)
        session = on.server.door.sessions[-1]
        await client.close(4321, "enough")
        assert client.protocol.close_rcvd is not None
        assert client.protocol.close_rcvd.code == 4321
        async with asyncio.timeout(WAIT_S):
            await session.is_closed.wait()
        session.socket.send(b"too late")
        session.socket.push(text_frame(b"too late"))
        session.socket.skip()
        session.socket.close(1000, "too late")
        assert not session.socket.writable
        assert not await session.socket.drained()

    on.run(play())


def test_no_compression_is_agreed_though_the_client_offers_it(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            assert client.request is not None
            assert "permessage-deflate" in client.request.headers["Sec-WebSocket-Extensions"]
            assert client.protocol.extensions == []

    on.run(play())


def test_http_is_served_on_the_same_port_beside_open_sockets(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server):
            client = await RawClient.connect(on.server.port)
            for _ in range(2):
                client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                status, headers = await client.response()
                body = await client.reader.readexactly(int(headers["content-length"]))
                assert (status, body) == (200, b"over HTTP")
            client.send(upgrade_request())
            assert (await client.response())[0] == 101
            await client.close()

    on.run(play())


def test_a_pushed_frame_reaches_all_in_order_and_an_answer_does_not_overtake_it(on: Stage) -> None:
    async def play() -> None:
        first = len(on.server.door.sessions)
        clients = [await greeted(on.server) for _ in range(20)]
        sessions = on.server.door.sessions[first:]
        for n in range(30):
            frame = text_frame(f"push {n}".encode())
            for session in sessions:
                session.socket.push(frame)
        sessions[0].socket.send(b"answer")
        for client in clients:
            assert [await client.recv() for _ in range(30)] == [f"push {n}" for n in range(30)]
        assert await clients[0].recv() == "answer"
        for client in clients:
            await client.close()

    on.run(play())


def test_a_burst_beyond_what_may_be_owed_reaches_a_client_that_reads(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            session = on.server.door.sessions[-1]
            for n in range(2_000):
                session.socket.push(text_frame(str(n).encode()))
            assert [await client.recv() for _ in range(2_000)] == [str(n) for n in range(2_000)]
            assert session.gaps == 0

    on.run(play())


def test_the_session_may_close_with_a_reason(on: Stage) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client:
            await client.send("kick")
            with pytest.raises(ConnectionClosedError) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, "kicked")

    on.run(play())


@pytest.mark.parametrize("message", ["raise", "raise later", "raise in gap"])
def test_a_session_that_fails_closes_its_own_socket_only(on: Stage, message: str) -> None:
    async def play() -> None:
        async with await greeted(on.server) as client, await greeted(on.server) as other:
            await client.send(message)
            with pytest.raises(ConnectionClosedError) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
            await other.send("still here")
            assert await other.recv() == "still here"

    on.run(play())


def test_frames_in_one_packet_with_the_upgrade_request_are_not_lost(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.connect(on.server.port)
        client.send(upgrade_request() + masked(b"early") + masked(b"bird")[:3])
        assert (await client.response())[0] == 101
        assert await client.frame() == (1, b'{"type":"hello"}')
        assert await client.frame() == (1, b"early")
        await client.close()

    on.run(play())


def test_frames_sent_while_the_door_thinks_are_not_lost(on: Stage) -> None:
    async def play() -> None:
        on.server.door.release.clear()
        client = await RawClient.connect(on.server.port)
        asked = len(on.server.door.requests)
        client.send(upgrade_request("/ws?wait=1") + masked(b"one"))
        await eventually(lambda: len(on.server.door.requests) > asked)
        client.send(masked(b"two") + masked(b"x" * 60_000))
        await client.writer.drain()
        on.server.door.release.set()
        assert (await client.response())[0] == 101
        for expected in (b'{"type":"hello"}', b"one", b"two", b"x" * 60_000):
            assert await client.frame() == (1, expected)
        await client.close()

    on.run(play())


def test_the_door_sees_the_request(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.connect(on.server.port)
        client.send(
            upgrade_request(
                "/ws?ticket=a%20b&ticket=c&empty=",
                "Authorization: Bearer t",
                "Origin: https://elsewhere.example",
                "X-Twice: one",
                "X-Twice: two",
            )
        )
        assert (await client.response())[0] == 101
        request = on.server.door.requests[-1]
        assert request.path == "/ws"
        assert request.query == {"ticket": "a b", "empty": ""}
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["origin"] == "https://elsewhere.example"
        assert request.headers["x-twice"] == "one, two"
        assert request.address == "127.0.0.1"
        await client.close()

    on.run(play())


def test_behind_a_trusted_proxy_the_clients_own_address_counts(on: Stage) -> None:
    async def play() -> None:
        clients = []
        for n in range(3):
            client = await RawClient.connect(on.server.port)
            client.send(upgrade_request("/ws", "X-Forwarded-For: 9.9.9.9, 203.0.113.7"))
            assert (await client.response())[0] == 101
            clients.append(client)
            request = on.server.door.requests[-1]
            assert (request.address, request.sockets_of_address) == ("203.0.113.7", n + 1)
        for client in clients:
            await client.close()
        await eventually(lambda: on.server.hub.sockets_of("203.0.113.7") == 0)

    on.run(play())


def test_a_refusal_is_an_http_answer_with_a_problem(on: Stage) -> None:
    async def play() -> None:
        client = await RawClient.connect(on.server.port)
        client.send(upgrade_request("/elsewhere") + masked(b"hello?"))
        status, headers, problem = await client.refusal()
        assert status == problem["status"] == 404
        assert headers["content-type"] == "application/problem+json"
        assert problem["detail"] == "no socket here"

    on.run(play())


BAD_HANDSHAKES = {
    "no version": (upgrade_request().replace(b"Sec-WebSocket-Version: 13\r\n", b""), 426),
    "an old version": (upgrade_request(version="8"), 426),
    "no key": (upgrade_request().replace(b"Sec-WebSocket-Key", b"X-Key"), 400),
    "a short key": (upgrade_request().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhl"), 400),
    "a key that is no base64": (
        upgrade_request().replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"\xe9" * 24),
        400,
    ),
    "a body": (upgrade_request("/ws", "Content-Length: 3") + b"abc", 400),
    "another method": (upgrade_request().replace(b"GET", b"DELETE"), 405),
    "too many headers": (upgrade_request("/ws", *["X-Much: " + "x" * 4_000] * 5), 431),
    "too many query fields": (upgrade_request("/ws?" + "&".join(f"a{n}=1" for n in range(99))), 400),
}


@pytest.mark.parametrize("name", BAD_HANDSHAKES)
def test_a_bad_handshake_is_answered_with_a_problem(on: Stage, name: str) -> None:
    data, expected = BAD_HANDSHAKES[name]

    async def play() -> None:
        asked = len(on.server.door.requests)
        client = await RawClient.connect(on.server.port)
        client.send(data)
        status, _, problem = await client.refusal()
        assert (status, problem["status"]) == (expected, expected)
        assert len(on.server.door.requests) == asked, "the door is not asked"

    on.run(play())


@pytest.mark.parametrize("query", ["fail=1", "no_session=1"])
def test_a_door_that_fails_is_answered_and_harms_nobody_else(on: Stage, query: str) -> None:
    async def play() -> None:
        client = await RawClient.connect(on.server.port)
        client.send(upgrade_request(f"/ws?{query}"))
        assert (await client.refusal())[0] == 500
        async with await greeted(on.server):
            pass

    on.run(play())


class _DownDoor(EchoDoor):
    async def admit(self, request: Request) -> Admitted | Refusal:
        raise DependencyDown("the store does not answer")


def test_a_door_whose_store_is_down_is_answered_503(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on.server.door, "admit", _DownDoor().admit)

    async def play() -> None:
        client = await RawClient.connect(on.server.port)
        client.send(upgrade_request())
        status, headers, problem = await client.refusal()
        assert (status, headers["retry-after"]) == (503, "1")
        assert problem["type"] == "/problems/dependency-down"

    on.run(play())


def test_a_handshake_has_a_deadline(on: Stage) -> None:
    with stage(limits=Limits(handshake_s=0.05)) as impatient:

        async def play() -> None:
            client = await RawClient.connect(impatient.server.port)
            client.send(upgrade_request("/ws?wait=1"))
            status, _, problem = await client.refusal()
            assert status == 503
            assert "too long" in str(problem["detail"])
            assert json.dumps(problem)

        impatient.run(play())


def test_a_full_node_says_so() -> None:
    with stage(limits=Limits(sockets_max=1)) as full:

        async def play() -> None:
            first = await RawClient.open(full.server.port)
            second = await RawClient.connect(full.server.port)
            second.send(upgrade_request())
            status, headers, problem = await second.refusal()
            assert (status, problem["type"]) == (503, "/problems/overloaded")
            assert int(headers["retry-after"]) > 0
            await first.close()
            await eventually(lambda: not full.server.hub.is_full)
            third = await RawClient.open(full.server.port)
            await third.close()

        full.run(play())


def test_a_client_that_goes_away_in_its_handshake_leaves_nothing_behind(on: Stage) -> None:
    async def play() -> None:
        on.server.door.release.clear()
        sessions = len(on.server.door.sessions)
        asked = len(on.server.door.requests)
        client = await RawClient.connect(on.server.port)
        client.send(upgrade_request("/ws?wait=1", "X-Forwarded-For: 203.0.113.9"))
        await eventually(lambda: len(on.server.door.requests) > asked)
        await client.close()
        on.server.door.release.set()
        await eventually(lambda: on.server.hub.sockets_of("203.0.113.9") == 0)
        await eventually(lambda: on.server.hub.sockets == 0)
        assert all(session.is_closed.is_set() for session in on.server.door.sessions[sessions:])

    on.run(play())
