"""Users and their accounts in SQLite."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.bounded_reads import read_columns
from roost.adapters.store.sqlite.sessions import drop_tokens, end_sessions, insert_session
from roost.domain.errors import AlreadyTaken, NotFound
from roost.domain.events import Event, SessionsEnded, UserChanged, UserDeleted
from roost.domain.ids import Position, UserId, Version
from roost.domain.names import username_key
from roost.domain.user import Account, Session, TokenPurpose, User

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  user_id INTEGER PRIMARY KEY, username TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
  deleted INTEGER NOT NULL, avatar TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS users_by_avatar ON users (avatar) WHERE avatar IS NOT NULL;
CREATE TABLE IF NOT EXISTS accounts (
  user_id INTEGER PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, mobile TEXT,
  password_hash TEXT NOT NULL, email_confirmed INTEGER NOT NULL);
"""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(User).decode


class SqliteAccountStore:
    """A user's row is the encoded value, with columns beside it for what statements ask by."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        def job(connection: sqlite3.Connection) -> Position:
            # Looked up, not caught from the constraint: jobs run one after another, and the field must be named.
            _refuse_taken_name(connection, user)
            _refuse_taken_email(connection, account.user_id, account.email_key)
            _insert_user(connection, user)
            _insert_account(connection, account)
            if session is not None:
                insert_session(connection, session)
            return self._file.leave(connection, events)

        return await self._file.write(job)

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        if not ids:
            return {}
        sql = "SELECT body FROM users WHERE user_id IN (SELECT value FROM json_each(?))"
        rows = self._file.rows(sql, (_array(ids),))
        return {user.id: user for user in map(_decode, rows)}

    async def ids_by_name(self, keys: Collection[str]) -> Mapping[str, UserId]:
        if not keys:
            return {}
        sql = "SELECT name_key, user_id FROM users WHERE name_key IN (SELECT value FROM json_each(?))"
        return dict(self._file.rows(sql, (_array(keys),)))

    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        """A deleted user stays deleted: whoever read the row before the deletion cannot bring it back."""

        def job(connection: sqlite3.Connection) -> Position | None:
            kept = connection.execute("SELECT version, deleted FROM users WHERE user_id = ?", (user.id,)).fetchone()
            if kept is None or kept[0] >= user.version or kept[1]:
                return None
            if over is not None and kept[0] != over:
                return None
            _update_user(connection, user)
            return self._file.leave(connection, events)

        return await self._file.write(job)

    async def account(self, user_id: UserId) -> Account | None:
        rows = self._file.rows(
            "SELECT user_id, email, email_key, mobile, password_hash, email_confirmed FROM accounts WHERE user_id = ?",
            (user_id,),
        )
        if not rows:
            return None
        account = Account(*rows[0])
        return replace(account, email_confirmed=bool(account.email_confirmed))

    async def user_id_by_email(self, email_key: str) -> UserId | None:
        try:
            rows = self._file.rows("SELECT user_id FROM accounts WHERE email_key = ?", (email_key,))
        except UnicodeEncodeError:
            return None  # half a surrogate pair, which is in no row
        return UserId(rows[0][0]) if rows else None

    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        def job(connection: sqlite3.Connection) -> None:
            _refuse_taken_email(connection, user_id, email_key)
            connection.execute(
                "UPDATE accounts SET email = ?, email_key = ?, email_confirmed = 1 WHERE user_id = ?",
                (email, email_key, user_id),
            )

        await self._file.write(job)

    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        def job(connection: sqlite3.Connection) -> bool:
            confirmed = connection.execute(
                "UPDATE accounts SET email_confirmed = 1 WHERE user_id = ? AND email = ?", (user_id, email)
            )
            return confirmed.rowcount == 1

        return await self._file.write(job)

    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        def job(connection: sqlite3.Connection) -> Position:
            connection.execute("UPDATE accounts SET password_hash = ? WHERE user_id = ?", (password_hash, user_id))
            drop_tokens(connection, user_id, TokenPurpose.CHANGE_EMAIL, TokenPurpose.RESET_PASSWORD)
            ended = end_sessions(connection, user_id, keep)
            return self._file.leave(connection, [SessionsEnded(user_id, ended)])

        return await self._file.write(job)

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE accounts SET password_hash = ? WHERE user_id = ? AND password_hash = ?", (new, user_id, old)
            )

        await self._file.write(job)

    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        """Announces again when repeated: an erasure that was cut short begins anew. Raises NotFound."""

        def job(connection: sqlite3.Connection) -> Position:
            user = _kept_user(connection, user_id)
            deleted = replace(user, deleted=True, version=max(user.version, version))
            _update_user(connection, deleted)
            ended = end_sessions(connection, user_id, keep=None)
            facts: list[Event] = [
                UserChanged(user_id, deleted.version),
                UserDeleted(user_id, deleted.version),
                SessionsEnded(user_id, ended),
            ]
            return self._file.leave(connection, facts)

        return await self._file.write(job)

    async def erase_account(self, user_id: UserId) -> None:
        """Raises NotFound."""

        def job(connection: sqlite3.Connection) -> None:
            user = _kept_user(connection, user_id)
            _update_user(connection, replace(user, display_name="", bio="", avatar=None))
            connection.execute("DELETE FROM accounts WHERE user_id = ?", (user_id,))
            drop_tokens(connection, user_id, *TokenPurpose)
            ended = end_sessions(connection, user_id, keep=None)
            if ended:
                self._file.leave(connection, [SessionsEnded(user_id, ended)])

        await self._file.write(job)

    async def user_ids(self, after: UserId, limit: int) -> Sequence[UserId]:
        sql = (
            "SELECT json_group_array(user_id) FROM"
            " (SELECT user_id FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?)"
        )
        (ids,) = await read_columns(self._file, limit, sql, after)
        return ids


def _array(values: Collection[int] | Collection[str]) -> str:
    """A list as one parameter, so that one prepared statement serves lists of any length."""
    return json.dumps(list(values))


def _decode(row: tuple[bytes]) -> User:
    return _DECODE(row[0])


def _kept_user(connection: sqlite3.Connection, user_id: UserId) -> User:
    row = connection.execute("SELECT body FROM users WHERE user_id = ?", (user_id,)).fetchone()
    if row is None:
        raise NotFound(f"no user has the id {user_id}")
    return _decode(row)


def _refuse_taken_name(connection: sqlite3.Connection, user: User) -> None:
    key = username_key(user.username)
    if connection.execute("SELECT 1 FROM users WHERE name_key = ?", (key,)).fetchone():
        raise AlreadyTaken("username", f"the username {user.username} is taken")


def _refuse_taken_email(connection: sqlite3.Connection, user_id: UserId, email_key: str) -> None:
    taken = connection.execute(
        "SELECT 1 FROM accounts WHERE email_key = ? AND user_id <> ?", (email_key, user_id)
    ).fetchone()
    if taken:
        raise AlreadyTaken("email", "the e-mail address is taken")


def _insert_user(connection: sqlite3.Connection, user: User) -> None:
    connection.execute(
        "INSERT INTO users (user_id, username, name_key, version, deleted, avatar, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            user.id,
            user.username,
            username_key(user.username),
            user.version,
            user.deleted,
            user.avatar,
            _ENCODE(user),
        ),
    )


def _update_user(connection: sqlite3.Connection, user: User) -> None:
    """All but the name, which is for good."""
    connection.execute(
        "UPDATE users SET version = ?, deleted = ?, avatar = ?, body = ? WHERE user_id = ?",
        (user.version, user.deleted, user.avatar, _ENCODE(user), user.id),
    )


def _insert_account(connection: sqlite3.Connection, account: Account) -> None:
    connection.execute(
        "INSERT INTO accounts (user_id, email, email_key, mobile, password_hash, email_confirmed)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            account.user_id,
            account.email,
            account.email_key,
            account.mobile,
            account.password_hash,
            account.email_confirmed,
        ),
    )
