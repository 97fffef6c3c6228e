"""Sessions in Cassandra: by token hash and by user, and when each was used last in a table of its own.

The last use is written with itself as timestamp: it never moves backwards, and brings no ended session back.
"""

from collections.abc import Sequence
from dataclasses import replace

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox, Left
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.domain.events import SessionsEnded
from roost.domain.ids import Position, UserId
from roost.domain.user import SESSIONS_MAX, Session

ROWS_A_BATCH = 150
ALL_MAX = 10_000
"""Sessions of one user that are looked at: many more than SESSIONS_MAX are never there for long."""

_BY_TOKEN = Cql(
    "SELECT session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash FROM sessions"
    " WHERE token_hash = ?"
)
_BY_USER = Cql(
    "SELECT session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash FROM sessions_of"
    " WHERE user_id = ? LIMIT ?"
)
_ONE_OF_USER = Cql(
    "SELECT session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash FROM sessions_of"
    " WHERE user_id = ? AND session_id = ?"
)
_PUT = Cql(
    "INSERT INTO sessions (session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_PUT_OF = Cql(
    "INSERT INTO sessions_of"
    " (session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_DROP = Cql("DELETE FROM sessions WHERE token_hash = ?")
_DROP_OF = Cql("DELETE FROM sessions_of WHERE user_id = ? AND session_id = ?")
_USE = Cql("SELECT last_used_ms FROM session_uses WHERE token_hash = ?")
_NOTE_USE = Cql("INSERT INTO session_uses (token_hash, last_used_ms) VALUES (?, ?) USING TIMESTAMP ?")
_DROP_USE = Cql("DELETE FROM session_uses WHERE token_hash = ?")


class SessionRows:
    """What the stores of sessions and of accounts share."""

    def __init__(self, session: CassandraSession, outbox: CassandraOutbox) -> None:
        self._session = session
        self._outbox = outbox

    async def of(self, user_id: UserId) -> list[Session]:
        """All of the user's, as they were last used."""
        rows = await self._session.rows(_BY_USER, user_id, ALL_MAX)
        return await each_of(self._used, [_read(row) for row in rows])

    async def by_token(self, token_hash: bytes) -> Session | None:
        row = await self._session.row(_BY_TOKEN, token_hash)
        return None if row is None else await self._used(_read(row))

    async def end_all(self, user_id: UserId, keep: str | None) -> Left:
        """Drop all of a user's sessions but `keep`; the fact, durable and still to be told."""
        return await self.end(user_id, [each for each in await self.of(user_id) if each.session_id != keep])

    async def end(self, user_id: UserId, sessions: Sequence[Session]) -> Left:
        """Drop these; the fact, durable and still to be told."""
        left = self._outbox.leave([SessionsEnded(user_id, tuple(each.session_id for each in sessions))])
        rows = [*left.rows, *(row for each in sessions for row in _drops(each))]
        # The fact goes with the first ones: a crash in between tells of sessions that a repetition has yet to end.
        for at in range(0, len(rows), ROWS_A_BATCH):
            await self._session.write_together(rows[at : at + ROWS_A_BATCH])
        return left

    async def _used(self, session: Session) -> Session:
        row = await self._session.row(_USE, session.token_hash)
        return session if row is None else replace(session, last_used_ms=max(row[0], session.last_used_ms))


class CassandraSessionStore:
    def __init__(self, session: CassandraSession, outbox: CassandraOutbox) -> None:
        self._session = session
        self._outbox = outbox
        self._rows = SessionRows(session, outbox)

    async def add_session(self, session: Session) -> None:
        """Of several at once each may see the others' rows or not: the next one trims what is too much."""
        rows = await self._session.rows(_BY_USER, session.user_id, ALL_MAX)
        await self._session.write_together(put_session(session))
        others = [each for each in map(_read, rows) if each.token_hash != session.token_hash]
        if len(others) + 1 <= SESSIONS_MAX:
            return
        others = [each for each in await self._rows.of(session.user_id) if each.token_hash != session.token_hash]
        others.sort(key=lambda each: (each.last_used_ms, each.created_ms, each.session_id))
        surplus = others[: len(others) + 1 - SESSIONS_MAX]
        await self._outbox.tell(await self._rows.end(session.user_id, surplus))

    async def session_by_token(self, token_hash: bytes) -> Session | None:
        return await self._rows.by_token(token_hash)

    async def sessions_of(self, user_id: UserId) -> Sequence[Session]:
        sessions = await self._rows.of(user_id)
        sessions.sort(key=lambda each: (each.created_ms, each.session_id), reverse=True)
        return sessions[:SESSIONS_MAX]

    async def touch_session(self, token_hash: bytes, last_used_ms: int) -> None:
        if await self._session.row(_BY_TOKEN, token_hash) is not None:
            await self._session.write(_NOTE_USE, token_hash, last_used_ms, last_used_ms * 1_000)

    async def end_session(self, user_id: UserId, session_id: str) -> Position | None:
        row = await self._session.row(_ONE_OF_USER, user_id, session_id)
        if row is None:
            return None
        return await self._outbox.tell(await self._rows.end(user_id, [_read(row)]))


def put_session(session: Session) -> list[Bound]:
    """The rows of a new session."""
    row = (
        session.session_id,
        session.user_id,
        session.token_hash,
        session.created_ms,
        session.last_used_ms,
        session.expires_ms,
        session.client,
        session.csrf_hash,
    )
    return [_PUT(*row), _PUT_OF(*row)]


def _drops(session: Session) -> list[Bound]:
    return [
        _DROP(session.token_hash),
        _DROP_OF(session.user_id, session.session_id),
        _DROP_USE(session.token_hash),
    ]


def _read(row: Row) -> Session:
    session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash = row
    csrf = None if csrf_hash is None else bytes(csrf_hash)
    return Session(session_id, UserId(user_id), bytes(token_hash), created_ms, last_used_ms, expires_ms, client, csrf)
