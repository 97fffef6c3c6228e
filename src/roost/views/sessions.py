"""Who a token belongs to, read through.

edge -> SessionView -> SessionStore
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from roost.domain.errors import NotSignedIn
from roost.domain.user import Session, session_id_of
from roost.ports.accounts import SessionStore
from roost.ports.cache import ReadThrough
from roost.ports.clock import Clock

TOUCH_EVERY_MS = 60_000
"""`last_used_at` is written at most this often a session: it is shown to people, who do not count seconds."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """Sessions by session id, which follows from the token's hash: so an ended one is forgotten by its id."""

    store: SessionStore
    cache: ReadThrough[str, Session]
    clock: Clock

    async def by_token(self, token_hash: bytes) -> Session:
        """The live session of a token's hash. Raises NotSignedIn for one that is unknown, expired or ended."""
        session_id = session_id_of(token_hash)
        session = self.cache.peek(session_id)
        if session is None:
            session = (await self.cache.get_many([session_id], lambda ids: self._load(ids, token_hash))).get(session_id)
        now_ms = self.clock.now_ms()
        if session is None or session.expires_ms <= now_ms or session.token_hash != token_hash:
            raise NotSignedIn
        if now_ms - session.last_used_ms > TOUCH_EVERY_MS:
            # Into the cache first: an end that comes during the write must find nothing put back after it.
            await self.cache.put(session_id, replace(session, last_used_ms=now_ms))
            await self.store.touch_session(token_hash, now_ms)
        return session

    async def forget(self, session_ids: Collection[str]) -> None:
        """These ended: their next use asks the store, which has none."""
        for session_id in session_ids:
            await self.cache.forget(session_id)

    async def _load(self, ids: Collection[str], token_hash: bytes) -> Mapping[str, Session]:
        session = await self.store.session_by_token(token_hash)
        return {} if session is None else {session.session_id: session}
