"""GET /user/timeline/{userId}?timeline=home answered at once, where everything is at hand.

edge.native.hot_http (the parser's callback) -> HotTimelines.answer -> SettledHomes; else None -> NativeApp

The answers are those of NativeApp to the byte, but for the order of headers. Only what needs no second look is
answered: a bearer token seen before whose session lives, one's own home, its newest page.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from roost.domain.errors import NotSignedIn, TooManyRequests, Unavailable
from roost.domain.ids import UserId
from roost.domain.timeline import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX
from roost.domain.user import Session
from roost.edge.native.endpoint import POSITION_HEADER
from roost.edge.native.limits import RateLimits, user_key
from roost.edge.settled_homes import SettledHomes
from roost.ports.clock import Clock
from roost.ports.log import OwnWrites
from roost.views.sessions import TOUCH_EVERY_MS, SessionView

PATH = b"/user/timeline/"
TOKENS_MAX = 100_000
"""Authorization headers remembered with whose they are, some 300 bytes each."""
QUERIES_MAX = 1_000
RULE = "read"
TOUCHING_MAX = 1_000
"""Sessions whose last use is being written at a time; beyond it their readers wait with NativeApp."""

RawHeaders = Sequence[tuple[bytes, bytes]]
_POSITION = POSITION_HEADER.lower().encode()


@dataclass(frozen=True, slots=True)
class _Known:
    """Whose an Authorization header is. That its session lives is looked up each time."""

    session_id: str
    user_id: UserId
    path_part: bytes
    limit_key: str


@dataclass(slots=True)
class HotTimelines:
    """`answered` counts, for the figures: these requests never reach NativeApp."""

    homes: SettledHomes
    sessions: SessionView
    limits: RateLimits
    clock: Clock
    headers: bytes
    own_writes: OwnWrites | None = None
    is_current: Callable[[], bool] | None = None
    """Whether what others wrote has come here: else nothing that is kept may be believed."""
    answered: int = 0
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict)
    _queries: dict[bytes, int] = field(default_factory=dict)
    _touching: set["asyncio.Future[None]"] = field(default_factory=set)

    def answer(self, target: bytes, headers: RawHeaders, date: bytes) -> bytes | None:
        """The whole answer, head and body; None: ask NativeApp. `date` is the finished Date header line."""
        path, _, query = target.partition(b"?")
        limit = self._queries.get(query)
        if limit is None:
            limit = self._limit_in(query)
        known = self._who(headers) if limit else None
        if known is None or path[len(PATH) :] != known.path_part or not self._lives(known.session_id):
            return None
        if self.own_writes is not None and self.own_writes.unseen(known.user_id) is not None:
            return None
        if self.is_current is not None and not self.is_current():
            return None
        pieces = self.homes.page(known.user_id, limit)
        if pieces is None:
            return None
        try:
            spent = self.limits.take(RULE, known.limit_key)
        except TooManyRequests:
            return None
        self.answered += 1
        extra = b"" if spent is None else spent.raw
        length = sum(map(len, pieces)) + len(pieces) - 1
        head = b"HTTP/1.1 200 OK\r\n%b%b%bcontent-length: %d\r\n\r\n" % (date, self.headers, extra, length)
        pieces[0] = head + pieces[0]
        return b",".join(pieces)

    async def learn(self, authorization: str, session: Session) -> None:
        """Remember whose this header is, and settle the home of its user: after a page that NativeApp answered."""
        known = _Known(session.session_id, session.user_id, b"%d" % session.user_id, user_key(session.user_id))
        self._known[authorization.encode("latin-1")] = known
        if len(self._known) > TOKENS_MAX:
            self._known.popitem(last=False)
        await self.homes.settle(session.user_id)

    def _who(self, headers: RawHeaders) -> _Known | None:
        found = None
        for name, value in headers:
            if name == b"authorization":
                found = self._known.get(value)
            elif name == _POSITION:
                return None
        return found

    def _lives(self, session_id: str) -> bool:
        session = self.sessions.cache.peek(session_id)
        if session is None:
            return False
        now_ms = self.clock.now_ms()
        if now_ms - session.last_used_ms > TOUCH_EVERY_MS:
            if len(self._touching) >= TOUCHING_MAX:
                return False
            # Not waited for: once a minute each reader would else have a page at fifty times the price.
            touching = asyncio.ensure_future(self._touch(session))
            self._touching.add(touching)
            touching.add_done_callback(self._touching.discard)
        return session.expires_ms > now_ms

    async def _touch(self, session: Session) -> None:
        with suppress(NotSignedIn, Unavailable):  # then the next use says so, or writes it
            await self.sessions.by_token(session.token_hash)

    def _limit_in(self, query: bytes) -> int:
        """The limit of a query that asks for the newest page of a home timeline, 0 for any other query."""
        fields = dict(pair.partition(b"=")[::2] for pair in query.split(b"&"))
        text = fields.pop(b"limit", b"%d" % PAGE_LIMIT_DEFAULT)
        hot = fields == {b"timeline": b"home"} and query.count(b"&") <= 1 and text.isdigit() and len(text) <= 3  # noqa: PLR2004 - 100
        limit = int(text) if hot and 1 <= int(text) <= PAGE_LIMIT_MAX else 0
        if len(self._queries) < QUERIES_MAX:
            self._queries[query] = limit
        return limit
