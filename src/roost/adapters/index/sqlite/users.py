"""Users in the search file: their keys in order, so that a prefix is a range."""

import sqlite3
from collections.abc import Sequence

import msgspec

from roost.adapters.index.sqlite.file import SearchFile
from roost.adapters.index.sqlite.position import keep_position, read_position
from roost.adapters.index.sqlite.schema import USER_TABLES
from roost.adapters.sqlite_rows import insert_rows, json_array
from roost.domain.ids import Position, UserId
from roost.domain.search.people import IndexedUser, UserPrefix
from roost.ports.index import UserBatch, UserIndex, checked_limit

VIEW = "users"

START_CHARACTERS_MAX = 3
"""Prefixes up to this length are kept in the order of the answer; each key costs so many more rows."""

KEYS_SCANNED_MAX = 10_000
"""Of a longer prefix so many keys are sorted: 10 ms at most."""

_KEY_END = "\U0010ffff"  # above every character that a key may hold

_REMOVED = "SELECT user_id FROM removed_user WHERE user_id IN (SELECT value FROM json_each(?))"
# One row in all: a row in a thread costs a turn of the interpreter lock.
_KEPT = """SELECT json_group_array(json_array(user_id, version, name, followers, keys)) FROM user
  WHERE user_id IN (SELECT value FROM json_each(?))"""
_NAMED = "SELECT user_id FROM user WHERE name = ? ORDER BY followers DESC, user_id LIMIT ?"
_BY_START = "SELECT user_id FROM user_start WHERE start = ? ORDER BY followers DESC, user_id LIMIT ?"
_BY_KEY = (
    "SELECT DISTINCT user_id FROM"
    " (SELECT user_id, followers FROM user_key WHERE key >= ? AND key < ? ORDER BY key LIMIT ?)"
    " ORDER BY followers DESC, user_id LIMIT ?"
)


class SqliteUserIndex(UserIndex):
    """Shares its file with the tweets'. Whoever opened the file closes it."""

    def __init__(self, file: SearchFile) -> None:
        self._file = file

    async def apply(self, batch: UserBatch, position: Position | None = None) -> None:
        def change(db: sqlite3.Connection) -> None:
            _put_all(db, batch.put)
            for id in batch.removed:
                db.execute("INSERT OR IGNORE INTO removed_user VALUES (?)", (id,))
                _erase(db, id)
            keep_position(db, VIEW, position)

        await self._file.write(change)

    async def applied(self) -> Position | None:
        return await self._file.read(lambda db: read_position(db, VIEW))

    async def clear(self) -> None:
        await self._file.write(_clear)

    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        checked_limit(limit)
        return await self._file.read(lambda db: _search(db, prefix.text, limit))


def _search(db: sqlite3.Connection, text: str, limit: int) -> list[UserId]:
    found = db.execute(_NAMED, (text, limit)).fetchall()
    # Those just found may be among the rest once more: ask for as many, and let the dict drop them.
    most = limit + len(found)
    if len(text) <= START_CHARACTERS_MAX:
        found += db.execute(_BY_START, (text, most)).fetchall()
    else:
        found += db.execute(_BY_KEY, (text, text + _KEY_END, KEYS_SCANNED_MAX, most)).fetchall()
    return list(dict.fromkeys(UserId(id) for (id,) in found))[:limit]


def _put_all(db: sqlite3.Connection, users: Sequence[IndexedUser]) -> None:
    """Most are recounted and have the followers that they had: those cost no write."""
    newest: dict[UserId, IndexedUser] = {}
    for user in users:
        other = newest.get(user.user_id)
        if other is None or other.version <= user.version:
            newest[user.user_id] = user
    array = (json_array(list(newest)),)
    removed = {id for (id,) in db.execute(_REMOVED, array)}
    ((kept_rows,),) = db.execute(_KEPT, array).fetchall()
    kept = {id: row for id, *row in msgspec.json.decode(kept_rows)}
    for id, user in newest.items():
        row = [user.version, user.name.lower(), user.followers, "\n".join(sorted(user.keys))]
        known = kept.get(id)
        if id not in removed and (known is None or (known[0] <= user.version and known != row)):
            _put(db, user)


def _put(db: sqlite3.Connection, user: IndexedUser) -> None:
    id, keys = user.user_id, sorted(user.keys)
    _erase(db, id)
    row = (id, user.version, user.name.lower(), user.followers, "\n".join(keys))
    db.execute("INSERT INTO user VALUES (?, ?, ?, ?, ?)", row)
    insert_rows(db, "INSERT INTO user_key VALUES", [(key, id, user.followers) for key in keys])
    insert_rows(db, "INSERT INTO user_start VALUES", [(start, user.followers, id) for start in sorted(_starts(keys))])


def _erase(db: sqlite3.Connection, id: UserId) -> None:
    kept = db.execute("SELECT followers, keys FROM user WHERE user_id = ?", (id,)).fetchone()
    if kept:
        followers, keys = kept[0], kept[1].split("\n")
        rows = [(start, followers, id) for start in _starts(keys)]
        where = "start = ? AND followers = ? AND user_id = ?"
        db.executemany(f"DELETE FROM user_start WHERE {where}", rows)  # noqa: S608 - no input in it
        pairs = [(key, id) for key in keys]
        db.executemany("DELETE FROM user_key WHERE key = ? AND user_id = ?", pairs)
        db.execute("DELETE FROM user WHERE user_id = ?", (id,))


def _starts(keys: list[str]) -> set[str]:
    return {key[:size] for key in keys for size in range(1, min(len(key), START_CHARACTERS_MAX) + 1)}


def _clear(db: sqlite3.Connection) -> None:
    for table in USER_TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the schema
    db.execute("DELETE FROM position WHERE view = ?", (VIEW,))
