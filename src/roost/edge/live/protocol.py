"""WebSockets on uvicorn's own port: the class for uvicorn's `ws=`.

packet -> HttpProtocol -> LiveProtocol (handshake, Door.admit) -> picows' parser -> Socket
"""

import asyncio
import logging
import socket
from typing import Any, ClassVar

from picows import WSAutoPingStrategy

# The package does not re-export it; the version is pinned for it.
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from uvicorn import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.server import ServerState

from roost.domain.errors import Draining, Overloaded, RoostError
from roost.edge.live.door import Admitted, Door, Refusal, Request
from roost.edge.live.handshake import (
    Handshake,
    Unfit,
    failed,
    read_handshake,
    refused,
    request_for_picows,
    response,
)
from roost.edge.live.hub import Hub
from roost.edge.live.live_socket import Socket
from roost.edge.live.wire import Wire

log = logging.getLogger("roost.live")

# Picows' least. It doubles when a gulp fills it and never shrinks: a socket that once received the
# largest message keeps 112 KiB, one that receives tweets at most 7.
_READ_BUFFER_BYTES = 2_048
_GOING_AWAY = "this node is going away"
_DISCARDED = bytearray(65_536)  # where bytes of closed sockets go; written by all, read by nobody


def live_protocol(hub: Hub, door: Door) -> "type[LiveProtocol]":
    """The class to give to uvicorn as `ws=`, bound to this hub and this door."""
    return type("BoundLiveProtocol", (LiveProtocol,), {"__slots__": (), "hub": hub, "door": door})


class LiveProtocol(WSProtocol):  # type: ignore[misc]  # picows types only what it re-exports
    """One connection from its upgrade request on. Refusals are HTTP, all else is picows' parser."""

    __slots__ = ("_address", "_admission", "_config", "_connections", "_early", "_socket", "_wire")

    hub: ClassVar[Hub]
    door: ClassVar[Door]

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:
        limits = self.hub.limits
        super().__init__(
            None,  # host and path: for clients
            None,
            False,  # the server's side
            self._listen,
            _Quiet(),
            True,  # an exception in a listener disconnects
            None,  # the handshake's deadline is ours: it includes the door
            False,  # no automatic ping: it would be a task a socket
            0,
            0,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # no automatic pong: it would be without bound
            limits.message_bytes_max,
            None,
            _READ_BUFFER_BYTES,
        )
        self._config = config
        self._connections: set[Any] = server_state.connections
        self._address: str | None = None
        self._admission: asyncio.Task[None] | None = None
        self._early: list[bytes] | None = None  # frames that came before the answer
        self._socket: Socket | None = None

    # What uvicorn and the transport call.

    def connection_made(self, transport: asyncio.Transport) -> None:
        limits = self.hub.limits
        self._wire = Wire(transport, asyncio.get_running_loop(), limits.close_wait_s)
        super().connection_made(self._wire)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
        transport.set_write_buffer_limits(high=limits.write_buffer_bytes_max)
        self._connections.add(self)  # uvicorn waits for these, and calls shutdown() on each

    def data_received(self, data: bytes) -> None:
        """First the request, from uvicorn; then what a loop reads without `get_buffer`."""
        if self._wire.deaf:
            self._wire.noisy = True
            return
        if self._early is not None:
            self._early.append(data)  # of the request's packet only: reading is paused
        elif self._admission is None:
            self._begin(data)
        else:
            self._feed(data)

    def get_buffer(self, size_hint: int) -> memoryview | bytearray:
        if self._wire.deaf:
            return _DISCARDED
        room: memoryview = super().get_buffer(size_hint)
        return room[: self.hub.limits.read_bytes_max]

    def buffer_updated(self, nbytes: int) -> None:
        if self._wire.deaf:
            self._wire.noisy = True
            return
        super().buffer_updated(nbytes)
        self._notice_violation()

    def eof_received(self) -> bool:
        self._wire.finish()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._wire.lost()
        if self._admission is not None:
            self._admission.cancel()
        if self._address is not None:
            self.hub.went(self._address)
        super().connection_lost(exc)
        self._socket = None

    def shutdown(self) -> None:
        """The server is about to stop."""
        self.hub.draining = True
        if self._socket is not None:
            self._socket.drain()
        else:
            self._refuse(refused(Draining(_GOING_AWAY)))

    # Its parts.

    def _begin(self, data: bytes) -> None:
        self._early = []
        self._wire.raw.pause_reading()
        try:
            handshake = read_handshake(data, self.hub.limits.request_bytes_max)
        except Unfit as unfit:
            self._refuse(unfit.refusal)
            return
        if self.hub.is_full:
            self._refuse(refused(Overloaded("this node has all the sockets that it can hold")))
            return
        address = self._client(handshake.headers)
        request = Request(
            handshake.path,
            handshake.query,
            handshake.headers,
            address,
            self.hub.entered(address),
        )
        self._address = address
        self._admission = asyncio.get_running_loop().create_task(self._admit(request, handshake))

    async def _admit(self, request: Request, handshake: Handshake) -> None:
        verdict = await self._ask(request)
        if self.hub.draining:
            verdict = refused(Draining(_GOING_AWAY))
        if self._wire.ended or self._wire.raw.is_closing():
            return
        if isinstance(verdict, Refusal):
            self._refuse(verdict)
            return
        try:
            self._socket = Socket(verdict.session(), self._wire, self.hub)
        except Exception:
            log.exception("a session could not be made")
            self._refuse(failed())
            return
        early, self._early = self._early or [], None
        for data in (request_for_picows(handshake.key), *early):
            self._feed(data)
        if not self._wire.deaf:
            self._socket.read_on()

    async def _ask(self, request: Request) -> Admitted | Refusal:
        if self.hub.draining:
            return refused(Draining(_GOING_AWAY))
        try:
            async with asyncio.timeout(self.hub.limits.handshake_s):
                return await self.door.admit(request)
        except TimeoutError:
            return refused(Overloaded("the handshake took too long"))
        except RoostError as error:
            return refused(error)
        except Exception:
            log.exception("the door failed")
            return failed()

    def _listen(self, request: object) -> Socket | None:
        return self._socket

    def _notice_violation(self) -> None:
        """After each parse: picows answers a frame that it cannot parse with a Close of its own."""
        if self._wire.deaf and self._socket is not None:
            self._socket.broke_off()

    def _refuse(self, refusal: Refusal) -> None:
        if not self._wire.ended:
            self.hub.counts.refused += 1
            self._wire.write(response(refusal))
            self._wire.hang_up()

    def _feed(self, data: bytes) -> None:
        """Let picows parse: in its own buffer, which grows as it must."""
        rest = memoryview(data)
        while rest:
            room = self.get_buffer(-1)
            size = min(len(room), len(rest))
            room[:size] = rest[:size]
            rest = rest[size:]
            self.buffer_updated(size)

    def _client(self, headers: dict[str, str]) -> str:
        """The client's address, by the same rule as uvicorn's for HTTP."""
        peer = self._wire.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        app = self._config.loaded_app
        forwarded = headers.get("x-forwarded-for")
        if forwarded and isinstance(app, ProxyHeadersMiddleware) and address in app.trusted_hosts:
            address = app.trusted_hosts.get_trusted_client_address(forwarded)[0] or address
        return address


class _Quiet:
    """picows' logger: what clients do wrong is no error of the server; its own failures are."""

    __slots__ = ()

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  logging's name
        return False

    def ignore(self, *args: object) -> None:
        pass

    debug = info = warning = error = log = ignore

    def exception(self, message: str, *args: object) -> None:
        log.exception(message, *args)  # noqa: LOG004  picows calls it in its handlers
