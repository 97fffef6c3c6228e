"""Sessions and single-use tokens in SQLite."""

import sqlite3
from collections.abc import Sequence

from roost.adapters.sqlite_file import SqliteFile
from roost.domain.events import SessionsEnded
from roost.domain.ids import Position, UserId
from roost.domain.user import SESSIONS_MAX, OneTimeToken, Session, TokenPurpose

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
  token_hash BLOB PRIMARY KEY, session_id TEXT NOT NULL, user_id INTEGER NOT NULL, created_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, client TEXT NOT NULL, csrf_hash BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id, created_ms, session_id);
CREATE TABLE IF NOT EXISTS one_time_tokens (
  token_hash BLOB PRIMARY KEY, purpose TEXT NOT NULL, user_id INTEGER NOT NULL, email TEXT NOT NULL,
  expires_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS one_time_tokens_by_user ON one_time_tokens (user_id, purpose);
"""

# In the order of the fields of Session.
_BY_HASH = """
SELECT session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash
FROM sessions WHERE token_hash = ?"""
_BY_USER = """
SELECT session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash
FROM sessions WHERE user_id = ? ORDER BY created_ms DESC, session_id DESC LIMIT ?"""
_INSERT = """
INSERT INTO sessions (session_id, user_id, token_hash, created_ms, last_used_ms, expires_ms, client, csrf_hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_END_SURPLUS = """
DELETE FROM sessions WHERE token_hash IN (
  SELECT token_hash FROM sessions WHERE user_id = ?
  ORDER BY token_hash = ? DESC, last_used_ms DESC, created_ms DESC, session_id DESC LIMIT -1 OFFSET ?)
RETURNING session_id"""


class SqliteSessionStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add_session(self, session: Session) -> None:
        def job(connection: sqlite3.Connection) -> None:
            insert_session(connection, session)
            ended = _end_surplus(connection, session)
            if ended:
                self._file.leave(connection, [SessionsEnded(session.user_id, ended)])

        await self._file.write(job)

    async def session_by_token(self, token_hash: bytes) -> Session | None:
        rows = self._file.rows(_BY_HASH, (token_hash,))
        return Session(*rows[0]) if rows else None

    async def sessions_of(self, user_id: UserId) -> Sequence[Session]:
        rows = self._file.rows(_BY_USER, (user_id, SESSIONS_MAX))
        return [Session(*row) for row in rows]

    async def touch_session(self, token_hash: bytes, last_used_ms: int) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE sessions SET last_used_ms = ?1 WHERE token_hash = ?2 AND last_used_ms < ?1",
                (last_used_ms, token_hash),
            )

        await self._file.write(job)

    async def end_session(self, user_id: UserId, session_id: str) -> Position | None:
        def job(connection: sqlite3.Connection) -> Position | None:
            ended = connection.execute(
                "DELETE FROM sessions WHERE user_id = ? AND session_id = ?", (user_id, session_id)
            )
            if not ended.rowcount:
                return None
            return self._file.leave(connection, [SessionsEnded(user_id, (session_id,))])

        return await self._file.write(job)


class SqliteOneTimeTokenStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add_token(self, token: OneTimeToken) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ?", (token.user_id, token.purpose.value)
            )
            connection.execute(
                "INSERT INTO one_time_tokens (token_hash, purpose, user_id, email, expires_ms) VALUES (?, ?, ?, ?, ?)",
                (token.token_hash, token.purpose.value, token.user_id, token.email, token.expires_ms),
            )

        await self._file.write(job)

    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        def job(connection: sqlite3.Connection) -> OneTimeToken | None:
            taken = connection.execute(
                "DELETE FROM one_time_tokens WHERE token_hash = ? AND purpose = ? RETURNING user_id, email, expires_ms",
                (token_hash, purpose.value),
            ).fetchone()
            return OneTimeToken(token_hash, purpose, *taken) if taken else None

        return await self._file.write(job)


def insert_session(connection: sqlite3.Connection, session: Session) -> None:
    """Keep a session, within a job."""
    connection.execute(
        _INSERT,
        (
            session.session_id,
            session.user_id,
            session.token_hash,
            session.created_ms,
            session.last_used_ms,
            session.expires_ms,
            session.client,
            session.csrf_hash,
        ),
    )


def end_sessions(connection: sqlite3.Connection, user_id: UserId, keep: str | None) -> tuple[str, ...]:
    """Drop all of a user's sessions but `keep`, within a job; their session ids."""
    ended = connection.execute(
        "DELETE FROM sessions WHERE user_id = ? AND session_id IS NOT ? RETURNING session_id", (user_id, keep)
    )
    return tuple(session_id for (session_id,) in ended.fetchall())


def drop_tokens(connection: sqlite3.Connection, user_id: UserId, *purposes: TokenPurpose) -> None:
    """Drop a user's single-use tokens for these purposes, within a job."""
    rows = [(user_id, purpose.value) for purpose in purposes]
    connection.executemany("DELETE FROM one_time_tokens WHERE user_id = ? AND purpose = ?", rows)


def _end_surplus(connection: sqlite3.Connection, added: Session) -> tuple[str, ...]:
    """Drop what is beyond SESSIONS_MAX: the longest unused, never the one that was just added."""
    ended = connection.execute(_END_SURPLUS, (added.user_id, added.token_hash, SESSIONS_MAX))
    return tuple(session_id for (session_id,) in ended.fetchall())
