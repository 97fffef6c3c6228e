"""A real uvicorn with the live transport and a session that echoes; and a client that may send any bytes."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from roost.domain.errors import NotFound
from roost.edge.http_protocol import HttpProtocol
from roost.edge.live.door import Admitted, LiveSocket, Refusal, Request
from roost.edge.live.frames import Frame, text_frame
from roost.edge.live.handshake import refused
from roost.edge.live.hub import Hub
from roost.edge.live.limits import Limits
from roost.edge.live.live_socket import Socket
from roost.edge.live.protocol import live_protocol

T = TypeVar("T")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}
WAIT_S = 10.0  # a condition that does not come within this is a failure


class Echo:
    """Answers a message with itself; a few words do more."""

    def __init__(self, door: "EchoDoor") -> None:
        self.door = door
        self.socket: Socket
        self.heard: list[str] = []
        self.gaps = 0
        self.gap_fails = False
        self.is_closed = asyncio.Event()

    def opened(self, socket: LiveSocket) -> None:
        assert isinstance(socket, Socket)
        self.socket = socket
        self.door.sessions.append(self)
        socket.send(b'{"type":"hello"}')

    def received(self, text: str) -> "asyncio.Future[None] | None":
        self.heard.append(text)
        if text == "raise":
            raise RuntimeError("asked to")
        if text == "raise later":
            return asyncio.ensure_future(self._raise())
        if text.startswith("hold"):
            return asyncio.ensure_future(self._hold(text))
        if text == "raise in gap":
            self.gap_fails = True
            self.socket.skip()
            return None
        if text == "kick":
            self.socket.close(1008, "kicked")
            return None
        self.socket.send(text.encode())
        return None

    def gap(self) -> Frame:
        self.gaps += 1
        if self.gap_fails:
            raise RuntimeError("asked to, in the gap")
        return text_frame(b'{"type":"gap"}')

    def closed(self) -> None:
        assert not self.is_closed.is_set()
        self.is_closed.set()

    async def _hold(self, text: str) -> None:
        await self.door.release.wait()
        self.socket.send(text.encode())

    async def _raise(self) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("asked to, later")


@dataclass
class EchoDoor:
    """Lets everybody in at /ws."""

    sessions: list[Echo] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def admit(self, request: Request) -> Admitted | Refusal:
        self.requests.append(request)
        if request.path != "/ws":
            return refused(NotFound("no socket here"))
        if request.query.get("wait"):
            await self.release.wait()
        if request.query.get("fail"):
            raise RuntimeError("asked to")
        return Admitted(self._no_session if request.query.get("no_session") else lambda: Echo(self))

    def _no_session(self) -> Echo:
        raise RuntimeError("asked to")


@dataclass
class Running:
    port: int
    hub: Hub
    door: EchoDoor
    server: uvicorn.Server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"


async def _hello(_request: object) -> PlainTextResponse:
    return PlainTextResponse("over HTTP")


@contextlib.asynccontextmanager
async def running(limits: Limits | None = None) -> AsyncIterator[Running]:
    """A uvicorn in this event loop, without its signal handlers."""
    hub, door = Hub(limits or Limits()), EchoDoor()
    config = uvicorn.Config(
        Starlette(routes=[Route("/", _hello)]),
        host="127.0.0.1",
        port=0,
        http=HttpProtocol,
        ws=live_protocol(hub, door),
        lifespan="off",
        log_level="critical",
        timeout_graceful_shutdown=5,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Running(port, hub, door, server)
    finally:
        door.release.set()
        _abort_clients()
        await server.shutdown()
        assert not server.server_state.connections
        assert hub.sockets == 0


@dataclass
class Stage:
    """A server on a loop of its own, for tests that share it. Time stands still between two `run`."""

    runner: asyncio.Runner
    server: Running

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)


@contextlib.contextmanager
def stage(loop: str = "uvloop", limits: Limits | None = None) -> Iterator[Stage]:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        stack = contextlib.AsyncExitStack()
        server = runner.run(stack.enter_async_context(running(limits)))
        try:
            yield Stage(runner, server)
        finally:
            runner.run(stack.aclose())


def masked(payload: bytes, opcode: int = 1, *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's frame."""
    key = os.urandom(4)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 65_536:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def upgrade_request(path: str = "/ws", *headers: str, version: str = "13") -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: here",
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Version: {version}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


_open_clients: "set[RawClient]" = set()


def _abort_clients() -> None:
    """What a failed test left open."""
    for client in tuple(_open_clients):
        if client.loop is asyncio.get_running_loop():
            _open_clients.discard(client)
            client.writer.transport.abort()


class RawClient:
    """A WebSocket client with no manners of its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.loop = asyncio.get_running_loop()
        _open_clients.add(self)

    @classmethod
    async def connect(cls, port: int, receive_buffer_bytes: int | None = None, limit: int = 65_536) -> "RawClient":
        sock = socket.socket()
        if receive_buffer_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=limit)
        return cls(reader, writer)

    @classmethod
    async def open(cls, port: int, **options: int) -> "RawClient":
        """Connected, upgraded, greeted."""
        client = await cls.connect(port, **options)
        client.send(upgrade_request())
        status, _ = await client.response()
        assert status == 101
        assert await client.frame() == (1, b'{"type":"hello"}')
        return client

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(WAIT_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        return int(head[0].split(" ")[1]), headers

    async def refusal(self) -> tuple[int, dict[str, str], dict[str, object]]:
        status, headers = await self.response()
        async with asyncio.timeout(WAIT_S):
            body = json.loads(await self.reader.readexactly(int(headers["content-length"])))
            assert await self.reader.read() == b""
        await self.close()
        return status, headers, body

    async def frame(self) -> tuple[int, bytes]:
        """The opcode and the payload of the server's next frame."""
        async with asyncio.timeout(WAIT_S):
            first, size = await self.reader.readexactly(2)
            assert first & 0x70 == 0, "no extension was agreed"
            assert first & 0x80, "the server does not fragment"
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return first & 0xF, await self.reader.readexactly(size)

    async def closed_with(self) -> int | None:
        """Read on to the server's Close: its code, if it has one. Other frames are dropped."""
        while True:
            opcode, payload = await self.frame()
            if opcode == 8:
                return int.from_bytes(payload[:2], "big") if payload else None

    async def ended(self) -> None:
        """The server closes the connection, cleanly or not."""
        async with asyncio.timeout(WAIT_S):
            with contextlib.suppress(ConnectionError):  # a reset is an end too
                while await self.reader.read(65_536):
                    pass
        await self.close()

    async def close(self) -> None:
        _open_clients.discard(self)
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
