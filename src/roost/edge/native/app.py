"""The native REST interface as an ASGI application.

uvicorn -> NativeApp (route, who asks, rate limit, parameters, body) -> Endpoint.handler -> NativeApp (answer)

Written on ASGI itself: a framework's request, response and router would cost twice what a page of a timeline does.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from roost.domain.errors import DependencyDown, Overloaded, RoostError, TooLarge
from roost.domain.ids import Position
from roost.domain.user import Session
from roost.edge import problems
from roost.edge.native.auth import Authentication
from roost.edge.native.endpoint import JSON, POSITION_HEADER, Answer, Call, Endpoint, SignedIn, Stream
from roost.edge.native.limits import RateLimits, Spent, address_key, user_key
from roost.edge.native.request import ClientGone, Receive, read_body, read_chunks, read_values
from roost.edge.native.routes import Route, RouteTree
from roost.edge.overload import WAITS, LateLoop
from roost.ports.clock import Clock
from roost.ports.log import NodeProgress, OwnWrites

log = logging.getLogger("roost.native")

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

IN_FLIGHT_MAX = 2_000
"""Requests worked on at a time in this process; more are refused at once."""

_POSITION = POSITION_HEADER.lower().encode()
_DEFAULTS: dict[bytes, bytes] = {
    b"cache-control": b"private, no-store",
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"referrer-policy": b"no-referrer",
}
_DEFAULT_HEADERS: RawHeaders = list(_DEFAULTS.items())
DEFAULT_HEADERS = b"".join(b"%b: %b\r\n" % header for header in _DEFAULTS.items())
JSON_HEADERS = DEFAULT_HEADERS + b"content-type: %b\r\n" % JSON.encode()
"""The same as finished lines, for answers that do not pass here."""
_NO_BODY = frozenset({204, 304})


class NativeApp:
    """One endpoint a path and method; every refusal is a problem, and so is what nobody foresaw."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        authentication: Authentication,
        limits: RateLimits,
        progress: NodeProgress,
        clock: Clock,
        own_writes: OwnWrites | None = None,
        in_flight_max: int = IN_FLIGHT_MAX,
        late: LateLoop | None = None,
    ) -> None:
        self.tree = RouteTree(endpoints)
        for route in self.tree.routes:
            name = route.endpoint.rate_limit
            if name is not None and name not in limits:
                raise ValueError(f"{route.endpoint.method} {route.endpoint.path}: no rate limit is called {name}")
        self.in_flight = 0
        self._authentication = authentication
        self._limits = limits
        self._progress = progress
        self._clock = clock
        self._own_writes = own_writes
        self._in_flight_max = in_flight_max
        self._late = late

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _other(scope["type"], receive, send)
            return
        if self._late is not None and scope.pop(WAITS, None):
            self._late.waiting -= 1
        began_s = self._clock.monotonic_s()
        self.in_flight += 1
        request = _Request(scope, receive)
        try:
            answer = await self._answer(request)
            await _send(answer, request, send)
        except ClientGone:
            return
        finally:
            self.in_flight -= 1
            if request.route is not None:
                request.route.count(request.status, self._clock.monotonic_s() - began_s)

    async def _answer(self, request: "_Request") -> Answer | Stream:
        """Refusals as problems. A body too large is not read on: the connection ends with the answer."""
        try:
            return await self._dispatch(request)
        except RoostError as error:
            rendered = problems.render(error)
            closing = (("Connection", "close"),) if isinstance(error, TooLarge) else ()
            return Answer(rendered.status, rendered.body, rendered.headers + closing, problems.PROBLEM_JSON)
        except ClientGone:
            raise
        except Exception:
            log.exception("%s %s failed", request.scope["method"], request.scope["path"])
            rendered = problems.internal()
            return Answer(rendered.status, rendered.body, rendered.headers, problems.PROBLEM_JSON)

    async def _dispatch(self, request: "_Request") -> Answer | Stream:
        if self.in_flight > self._in_flight_max:
            raise Overloaded(f"{self._in_flight_max} requests are worked on already")
        scope = request.scope
        method: str = scope["method"]
        if method == "OPTIONS":
            return Answer(204, headers=(("Allow", self.tree.allowed(scope["path"])),))
        route, texts = self.tree.find(method, scope["path"])
        request.route = route
        endpoint = route.endpoint
        if self._late is None or endpoint.rate_limit is None:  # health and figures are answered always
            return await self._answer_to(route, texts, request)
        self._late.check()
        with self._late.kinds.one(endpoint.rate_limit):
            return await self._answer_to(route, texts, request)

    async def _answer_to(self, route: Route, texts: list[str], request: "_Request") -> Answer | Stream:
        scope, headers, endpoint = request.scope, request.headers, route.endpoint
        client = scope.get("client")
        address = client[0] if client else ""
        session = None
        try:
            session = await self._session(endpoint, scope["method"], headers)
        finally:
            # A dead token counts for its address: each costs a look into the store.
            if endpoint.rate_limit is not None:
                key = user_key(session.user_id) if session is not None else address_key(address)
                request.spent = self._limits.take(endpoint.rate_limit, key)
        values = read_values(route, texts, scope["query_string"], headers)
        position = headers.get(_POSITION)
        if position is not None and endpoint.signed_in is not SignedIn.NONE:
            await self._wait_for(Position(position.decode("latin-1")))
        body = await read_body(route, request.receive, headers)
        return await endpoint.handler(Call(session, address, values, body, headers, request.chunks))

    async def _session(self, endpoint: Endpoint, method: str, headers: Mapping[bytes, bytes]) -> Session | None:
        """Who asks, once this node has seen all that they wrote, be it through another worker."""
        session = await self._authentication.session(endpoint.signed_in, method, headers)
        unseen = None if session is None or self._own_writes is None else self._own_writes.unseen(session.user_id)
        if unseen is None:
            return session
        await self._wait_for(unseen)
        # What was written may have ended the session.
        return await self._authentication.session(endpoint.signed_in, method, headers)

    async def _wait_for(self, position: Position) -> None:
        """The caller saw or did this on another node, and wants to see it here."""
        if not await self._progress.reached(position):
            raise DependencyDown("this node has not come so far yet")


class _Request:
    """What belongs to one request while it is answered."""

    __slots__ = ("headers", "receive", "route", "scope", "spent", "status")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.route: Route | None = None
        self.spent: Spent | None = None
        self.status = 499  # the client was gone before there was an answer

    def chunks(self) -> AsyncIterator[bytes]:
        raw = None if self.route is None else self.route.endpoint.raw_body
        if raw is None:
            raise AssertionError("only an endpoint with a raw body reads chunks")
        return read_chunks(self.receive, self.headers, raw.bytes_max)


async def _send(answer: Answer | Stream, request: _Request, send: Send) -> None:
    request.status = answer.status
    headers = _headers(answer, request.spent)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if isinstance(answer, Answer) or request.scope["method"] == "HEAD":
        body = answer.body if isinstance(answer, Answer) and request.scope["method"] != "HEAD" else b""
        await send({"type": "http.response.body", "body": body})
        return
    await _stream(answer.chunks, request, send)
    await send({"type": "http.response.body", "body": b""})


async def _stream(chunks: AsyncIterator[bytes], request: _Request, send: Send) -> None:
    """Until the end, or until the client is gone: a server takes what is sent to nobody without a word."""
    gone = asyncio.ensure_future(_until_gone(request.receive))
    try:
        async for chunk in chunks:
            if gone.done():
                raise ClientGone
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        gone.cancel()
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] == "http.request":
        pass


def _headers(answer: Answer | Stream, spent: Spent | None) -> RawHeaders:
    length = len(answer.body) if isinstance(answer, Answer) else answer.length
    own = _raw(answer.headers) if answer.headers else []
    if not own:
        headers = _DEFAULT_HEADERS.copy()
    else:
        names = {name for name, _ in own}
        headers = [pair for pair in _DEFAULT_HEADERS if pair[0] not in names] + own
    if answer.status not in _NO_BODY:
        headers.append((b"content-type", answer.media_type.encode("latin-1")))
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
    if spent is not None:
        headers += _raw(spent.headers)
    return headers


def _raw(headers: Sequence[tuple[str, str]]) -> RawHeaders:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _other(kind: str, receive: Receive, send: Send) -> None:
    """What is not HTTP: the server's own start and stop, which need nothing here; sockets have another door."""
    if kind != "lifespan":
        await send({"type": "websocket.close", "code": 1008})
        return
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
