"""The celebrity table in SQLite."""

import sqlite3
from collections.abc import Mapping

from roost.adapters.sqlite_file import SqliteFile
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.events import CelebrityChanged
from roost.domain.ids import Position, UserId, Version

SCHEMA = """
CREATE TABLE IF NOT EXISTS celebrities (
  user_id INTEGER PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL);
"""

_PUT = (
    "INSERT INTO celebrities VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET"
    " state = excluded.state, version = excluded.version WHERE excluded.version > version"
)


class SqliteCelebrityStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def all(self) -> Mapping[UserId, Celebrity]:
        rows = self._file.rows("SELECT user_id, state, version FROM celebrities")
        return {user: Celebrity(user, CelebrityState(state), version) for user, state, version in rows}

    async def put(self, celebrity: Celebrity) -> Position | None:
        row = (celebrity.user_id, celebrity.state.value, celebrity.version)
        return await self._change(_PUT, row, CelebrityChanged(celebrity.user_id, celebrity.version))

    async def remove(self, user_id: UserId, version: Version) -> Position | None:
        sql = "DELETE FROM celebrities WHERE user_id = ? AND version < ?"
        return await self._change(sql, (user_id, version), CelebrityChanged(user_id, version))

    async def _change(self, sql: str, row: tuple[int | str, ...], event: CelebrityChanged) -> Position | None:
        def job(connection: sqlite3.Connection) -> Position | None:
            changed = connection.execute(sql, row).rowcount
            return self._file.leave(connection, [event]) if changed else None

        return await self._file.write(job)
