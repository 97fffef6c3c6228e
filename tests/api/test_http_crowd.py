"""More requests than a process can answer in time: refused by the protocol, before anything is done for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest

from api.protocol_server import serving
from api.waiting import eventually
from roost.edge.native.hot import HotTimelines
from roost.edge.native.hot_http import hot_http
from roost.edge.overload import WAITING_MAX, WAITS, LateLoop


class NothingHot:
    """No request is hot."""

    def answer(self, *_: object) -> None:
        return None


class Calm:
    """Takes its turn as NativeApp does, and answers when it is told to."""

    def __init__(self, late: LateLoop) -> None:
        self.late = late
        self.began: list[str] = []
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.pop(WAITS, None):
            self.late.waiting -= 1
        self.began.append(scope["path"])
        await self.go_on.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def crowded(app: Calm) -> AsyncIterator[int]:
    async with serving(app, hot_http(cast("HotTimelines", NothingHot()), app.late)) as port:
        try:
            yield port
        finally:
            app.go_on.set()


def request(method: str, path: str, body: bytes = b"") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: roost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def answer_of(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return int(first.split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


@pytest.mark.parametrize(
    ("method", "path", "body"), [("GET", "/search?q=a", b""), ("POST", "/tweet", b'{"message":"x"}')]
)
async def test_one_too_many_is_a_problem_with_a_time_to_come_back_and_the_connection_lives(
    method: str, path: str, body: bytes
) -> None:
    app = Calm(LateLoop())
    app.go_on.set()
    async with crowded(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        app.late.waiting = WAITING_MAX
        writer.write(request(method, path, body))
        status, headers, said = await answer_of(reader)
        problem = msgspec.json.decode(said)
        assert (status, problem["status"], headers["content-type"]) == (503, 503, "application/problem+json")
        assert int(headers["retry-after"]) >= 1
        assert headers["cache-control"] == "private, no-store"
        assert app.began == []
        assert app.late.refused == 1
        app.late.waiting = 0
        writer.write(request(method, path, body))
        assert (await answer_of(reader))[0] == 204
        writer.close()
    assert app.late.waiting == 0


async def test_health_and_figures_are_never_refused() -> None:
    app = Calm(LateLoop(waiting=WAITING_MAX))
    app.go_on.set()
    async with crowded(app) as port:
        for path in ("/health/live", "/health/ready", "/metrics"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request("GET", path))
            assert (await answer_of(reader))[0] == 204
            writer.close()
    assert app.late.waiting == WAITING_MAX


async def test_who_sends_many_at_once_and_goes_away_is_not_waited_for() -> None:
    app = Calm(LateLoop())
    async with crowded(app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/tweet/1") * 20)
        await eventually(lambda: app.began == ["/tweet/1"])
        writer.transport.abort()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET", "/tweet/2"))
        await eventually(lambda: "/tweet/2" in app.began)
        assert app.late.waiting == 0
        writer.close()


async def test_each_turn_is_counted_once_however_they_come() -> None:
    app = Calm(LateLoop())
    app.go_on.set()
    async with crowded(app) as port:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(30)]
        for _, writer in pairs:
            writer.write(request("GET", "/tweet/1") * 3)
        for reader, writer in pairs:
            assert [(await answer_of(reader))[0] for _ in range(3)] == [204] * 3
            writer.close()
    assert app.late.waiting == 0
    assert len(app.began) == 90


async def test_the_refusal_of_a_head_has_no_body() -> None:
    """It is the application's business, as whatever is not asked often."""
    app = Calm(LateLoop(waiting=WAITING_MAX))
    app.go_on.set()
    async with crowded(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("HEAD", "/tweet/1"))
        assert (await answer_of(reader))[0] == 204
        writer.close()
    assert app.late.refused == 0
