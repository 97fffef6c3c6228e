"""Sessions and single-use tokens in dictionaries."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from roost.domain.events import Event, SessionsEnded
from roost.domain.ids import Position, UserId
from roost.domain.user import SESSIONS_MAX, OneTimeToken, Session, TokenPurpose


class MemorySessionStore:
    def __init__(self, leave: Callable[[Sequence[Event]], Position]) -> None:
        self._leave = leave
        self._by_token: dict[bytes, Session] = {}

    async def add_session(self, session: Session) -> None:
        self._by_token[session.token_hash] = session
        others = [each for each in self._of(session.user_id) if each.token_hash != session.token_hash]
        others.sort(key=lambda each: (each.last_used_ms, each.created_ms, each.session_id))
        surplus = others[: max(len(others) + 1 - SESSIONS_MAX, 0)]
        if surplus:
            self._leave([self._drop(session.user_id, surplus)])

    async def session_by_token(self, token_hash: bytes) -> Session | None:
        return self._by_token.get(token_hash)

    async def sessions_of(self, user_id: UserId) -> Sequence[Session]:
        newest_first = sorted(self._of(user_id), key=lambda each: (each.created_ms, each.session_id), reverse=True)
        return newest_first[:SESSIONS_MAX]

    async def touch_session(self, token_hash: bytes, last_used_ms: int) -> None:
        session = self._by_token.get(token_hash)
        if session is not None and session.last_used_ms < last_used_ms:
            self._by_token[token_hash] = replace(session, last_used_ms=last_used_ms)

    async def end_session(self, user_id: UserId, session_id: str) -> Position | None:
        ended = [each for each in self._of(user_id) if each.session_id == session_id]
        return self._leave([self._drop(user_id, ended)]) if ended else None

    def end_all(self, user_id: UserId, keep: str | None) -> SessionsEnded:
        """Drop all of a user's sessions but `keep`; the fact to be told."""
        return self._drop(user_id, [each for each in self._of(user_id) if each.session_id != keep])

    def _of(self, user_id: UserId) -> list[Session]:
        return [each for each in self._by_token.values() if each.user_id == user_id]

    def _drop(self, user_id: UserId, sessions: list[Session]) -> SessionsEnded:
        for each in sessions:
            del self._by_token[each.token_hash]
        return SessionsEnded(user_id, tuple(each.session_id for each in sessions))


class MemoryOneTimeTokenStore:
    def __init__(self) -> None:
        self._by_hash: dict[bytes, OneTimeToken] = {}

    async def add_token(self, token: OneTimeToken) -> None:
        self.drop(token.user_id, (token.purpose,))
        self._by_hash[token.token_hash] = token

    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        token = self._by_hash.get(token_hash)
        if token is None or token.purpose is not purpose:
            return None
        return self._by_hash.pop(token_hash)

    def drop_all(self, user_id: UserId) -> None:
        """Void all of a user's tokens."""
        self.drop(user_id, tuple(TokenPurpose))

    def drop(self, user_id: UserId, purposes: tuple[TokenPurpose, ...]) -> None:
        """Void a user's tokens for these purposes."""
        for each in list(self._by_hash.values()):
            if each.user_id == user_id and each.purpose in purposes:
                del self._by_hash[each.token_hash]
