"""One user's WebSocket: tweets go out and are acknowledged, pushes come in."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from roost_loadgen.address import Address
from roost_loadgen.faults import Rejected
from roost_loadgen.http import WORTH_ANOTHER_TRY, Answer, failure
from roost_loadgen.patience import TryLater
from roost_loadgen.wire import (
    NewTweet,
    Problem,
    ServerMessage,
    Tweet,
    decode_server_message,
    encode,
)

HANDSHAKE_TIMEOUT_S = 30.0
ACK_TIMEOUT_S = 60.0
FRAME_SIZE_MAX = 1024 * 1024
_PING = b'{"type":"ping"}'

Receive = Callable[[ServerMessage], None]
T = TypeVar("T")


class LiveSocket(WSListener):
    """Open it with `open`; after that one may tweet and ping, several at once."""

    def __init__(self, receive: Receive | None) -> None:
        self.lost: str | None = None  # why it is closed, when it is
        self._greeting: asyncio.Future[ServerMessage] = asyncio.get_running_loop().create_future()
        self._receive = receive
        self._acks: dict[str, asyncio.Future[Tweet]] = {}
        self._pongs: list[asyncio.Future[ServerMessage]] = []
        self._fragments = b""
        self._transport: WSTransport | None = None

    @classmethod
    async def open(cls, address: Address, token: str, receive: Receive | None = None) -> "LiveSocket":
        """Connect and wait for the greeting; `receive` is given all pushes from then on."""
        try:
            _, socket = await ws_connect(
                lambda: cls(receive),
                address.socket_url,
                extra_headers={"Authorization": f"Bearer {token}"},
                websocket_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                max_frame_size=FRAME_SIZE_MAX,
                read_buffer_init_size=4096,
                max_redirects=0,
            )
        except WSHandshakeError as error:
            raise _refusal(error) from error
        except (OSError, WSError) as error:
            raise TryLater(f"WebSocket: {error}") from error
        assert isinstance(socket, cls)  # noqa: S101  what the factory made
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await socket.greeted()
        except TimeoutError as error:
            socket.close()
            raise TryLater(f"WebSocket: no greeting within {HANDSHAKE_TIMEOUT_S} s") from error
        return socket

    async def greeted(self) -> None:
        await self._greeting

    async def tweet(self, message: str, ref: str) -> Tweet:
        """The tweet as stored. `TryLater` may be repeated with the same `ref` and posts once."""
        ack: asyncio.Future[Tweet] = asyncio.get_running_loop().create_future()
        self._send(encode(NewTweet(message, ref)))
        self._acks[ref] = ack
        try:
            async with asyncio.timeout(ACK_TIMEOUT_S):
                return await ack
        except TimeoutError as error:
            self.close()
            raise TryLater(f"WebSocket: no ack within {ACK_TIMEOUT_S} s") from error
        finally:
            self._acks.pop(ref, None)

    async def ping(self) -> None:
        """Return when the server has answered everything that was sent before."""
        pong: asyncio.Future[ServerMessage] = asyncio.get_running_loop().create_future()
        self._send(_PING)
        self._pongs.append(pong)
        async with asyncio.timeout(ACK_TIMEOUT_S):
            await pong

    def close(self) -> None:
        self._lose("closed")
        self._disconnect()

    def _send(self, frame: bytes) -> None:
        if self._transport is None or self.lost is not None:
            raise TryLater(f"WebSocket: {self.lost}")
        self._transport.send(WSMsgType.TEXT, frame)

    # What picows calls.

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            # Read by hand: picows names only the codes of the standard.
            code = int.from_bytes(frame.get_payload_as_bytes()[:2], "big")
            self._lose(f"the server closed the socket with code {code}")
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._fragments += frame.get_payload_as_bytes()
            if frame.fin:
                payload, self._fragments = self._fragments, b""
                self._take(payload)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._lose("the connection broke")

    def _take(self, payload: bytes) -> None:
        try:
            message = decode_server_message(payload)
        except msgspec.MsgspecError as error:
            self._lose(f"a frame that the interface does not know: {error}")
            self._disconnect()
            return
        if message.type == "ack" and message.tweet is not None:
            _settle(self._acks.get(message.ref or ""), message.tweet)
        elif message.type == "error":
            waiter = self._acks.get(message.ref or "")
            if waiter is not None and not waiter.done():
                waiter.set_exception(_failure(message.problem or Problem()))
        elif message.type == "pong":
            _settle(self._pongs.pop(0) if self._pongs else None, message)
        elif message.type == "hello":
            _settle(self._greeting, message)
        elif self._receive is not None:
            self._receive(message)

    def _lose(self, reason: str) -> None:
        if self.lost is None:
            self.lost = reason
            waiters: list[asyncio.Future[Any]] = [self._greeting, *self._acks.values(), *self._pongs]
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_exception(TryLater(f"WebSocket: {reason}"))

    def _disconnect(self) -> None:
        if self._transport is not None:
            self._transport.send_close(WSCloseCode.OK)
            self._transport.disconnect()


def _settle(waiter: "asyncio.Future[T] | None", result: T) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(result)


def _failure(problem: Problem) -> Exception:
    """The answer to a tweet that was not stored."""
    if problem.status in WORTH_ANOTHER_TRY:
        return TryLater(
            f"tweet: {problem}",
            wait_s=problem.retry_after,
            by_rate_limit=problem.status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    return Rejected("tweet", problem.status, str(problem))


def _refusal(error: WSHandshakeError) -> Exception:
    """The answer to an upgrade that was not made."""
    if error.response is None:
        return TryLater(f"WebSocket: {error}")
    status, headers = error.response.status, error.response.headers
    answer = Answer(int(status), {name.lower(): value for name, value in headers.items()}, error.raw_body or b"")
    return failure("opening a WebSocket", answer)
