"""HTTP/1.1 over a bounded pool of kept connections.

A library's client costs a multiple of what the server spends on the same request, and the load
generator shares the machine with the server.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

import httptools
import msgspec

from roost_loadgen.address import Address
from roost_loadgen.faults import Rejected, Unreachable
from roost_loadgen.patience import TryLater
from roost_loadgen.wire import Problem, decode_problem

REQUEST_TIMEOUT_S = 60.0
WORTH_ANOTHER_TRY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def retry_after_s(self) -> float | None:
        """The wait that the server asks for, where it names seconds."""
        try:
            return max(0.0, float(self.headers["retry-after"]))
        except (KeyError, ValueError):
            return None


def failure(what: str, answer: Answer) -> Exception:
    """What an answer that is no success means for a load."""
    try:
        problem = decode_problem(answer.body)
    except msgspec.MsgspecError:
        problem = Problem(title=answer.body[:100].decode("utf-8", "replace"))
    if answer.status in WORTH_ANOTHER_TRY:
        return TryLater(
            f"{what}: the server answered {answer.status}: {problem}",
            wait_s=answer.retry_after_s(),
            by_rate_limit=answer.status == HTTPStatus.TOO_MANY_REQUESTS,
        )
    return Rejected(what, answer.status, str(problem))


class HttpPool:
    """Sends requests, at most `connections_max` at once."""

    def __init__(self, address: Address, connections_max: int) -> None:
        self._address = address
        self._free = asyncio.Semaphore(connections_max)
        self._idle: deque[_Connection] = deque()
        self._reached = False

    async def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: bytes = b"",
        ref: str | None = None,
    ) -> Answer:
        """One request and its answer, whatever its status; `TryLater` when the line went dead."""
        request = self._request(method, path, token, body, ref)
        async with self._free:
            connection = await self._connection()
            try:
                async with asyncio.timeout(REQUEST_TIMEOUT_S):
                    answer = await connection.exchange(request)
            except TimeoutError as error:
                connection.close()
                raise TryLater(f"{method} {path}: no answer within {REQUEST_TIMEOUT_S} s") from error
            except ConnectionError as error:
                raise TryLater(f"{method} {path}: {error}") from error
            except BaseException:
                connection.close()
                raise
            if connection.is_open:
                self._idle.append(connection)
            return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _request(self, method: str, path: str, token: str | None, body: bytes, ref: str | None) -> bytes:
        head = f"{method} {self._address.prefix}{path} HTTP/1.1\r\nHost: {self._address.authority}"
        if token is not None:
            head += f"\r\nAuthorization: Bearer {token}"
        if ref is not None:
            head += f"\r\nIdempotency-Key: {ref}"
        if body:
            head += f"\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        elif method != "GET":
            head += "\r\nContent-Length: 0"
        return head.encode("ascii") + b"\r\n\r\n" + body

    async def _connection(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection, self._address.host, self._address.port, ssl=self._address.secure or None
            )
        except OSError as error:
            reason = f"cannot reach {self._address.url}: {error.strerror or error}"
            if self._reached:  # it was there before, and may come back
                raise TryLater(reason) from error
            raise Unreachable(reason) from error
        self._reached = True
        return connection


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._transport: asyncio.WriteTransport | None = None

    def exchange(self, request: bytes) -> asyncio.Future[Answer]:
        self._waiter = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            self._fail("the connection was closed")
        else:
            self._transport.write(request)
        return self._waiter

    def close(self) -> None:
        self.is_open = False
        if self._transport is not None:
            self._transport.close()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is no subclass of it
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"an answer that is no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the server closed the connection")

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._answer = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        if not self._parser.should_keep_alive():
            self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(self._answer)

    def _fail(self, reason: str) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError(reason))
