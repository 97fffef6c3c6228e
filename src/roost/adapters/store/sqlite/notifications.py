"""Notifications in SQLite."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.sqlite_rows import insert_rows
from roost.adapters.store.sqlite.tables import BEYOND_ALL, SLICE_ROWS, rows_among
from roost.domain.events import Notified
from roost.domain.ids import UserId
from roost.domain.notification import Notification, NotificationKind

SCHEMA = """
CREATE TABLE IF NOT EXISTS notifications (
  user_id INTEGER NOT NULL, id INTEGER NOT NULL, kind TEXT NOT NULL, actor INTEGER NOT NULL, tweet_id INTEGER,
  PRIMARY KEY (user_id, id)) WITHOUT ROWID;
"""

_INSERT = "INSERT OR IGNORE INTO notifications VALUES (?, ?, ?, ?, ?)"


class SqliteNotificationStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add(self, notifications: Collection[Notification]) -> None:
        rows = [(each.user_id, each.id, each.kind.value, each.actor, each.tweet_id) for each in notifications]

        def job(connection: sqlite3.Connection) -> None:
            there: set[tuple[int, int]] = set()
            for some in (rows[at : at + SLICE_ROWS] for at in range(0, len(rows), SLICE_ROWS)):
                marks = ", ".join(["(?, ?)"] * len(some))
                sql = f"SELECT user_id, id FROM notifications WHERE (user_id, id) IN (VALUES {marks})"  # noqa: S608
                there.update(connection.execute(sql, [value for user, id, *_ in some for value in (user, id)]))
            new = {row[:2]: row for row in rows if row[:2] not in there}
            insert_rows(connection, "INSERT INTO notifications VALUES", list(new.values()))
            self._file.leave(connection, [Notified(user, id) for user, id in new])

        if rows:
            await self._file.write(job)

    async def remove(self, user_id: int, ids: Collection[int]) -> None:
        sql = "SELECT user_id, id FROM notifications WHERE user_id = ? AND id IN ({ids})"
        there = await rows_among(self._file, sql, ids, user_id)
        if there:  # most removals find nothing, and a write has its price
            delete = "DELETE FROM notifications WHERE user_id = ? AND id = ?"
            await self._file.write(lambda connection: connection.executemany(delete, there))

    async def page(self, user_id: int, before: int | None, limit: int) -> Sequence[Notification]:
        rows = self._file.rows(
            "SELECT id, kind, actor, tweet_id FROM notifications WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            (user_id, BEYOND_ALL if before is None else before, limit),
        )
        return [_notification(user_id, row) for row in rows]

    async def get(self, user_id: int, id: int) -> Notification | None:
        sql = "SELECT id, kind, actor, tweet_id FROM notifications WHERE user_id = ? AND id = ?"
        rows = self._file.rows(sql, (user_id, id))
        return _notification(user_id, rows[0]) if rows else None

    async def restore(self, notifications: Collection[Notification]) -> None:
        rows = [(each.user_id, each.id, each.kind.value, each.actor, each.tweet_id) for each in notifications]
        if rows:
            await self._file.write(lambda connection: connection.executemany(_INSERT, rows))

    async def scan(self, after: Notification | None, limit: int) -> Sequence[Notification]:
        rows = self._file.rows(
            "SELECT user_id, id, kind, actor, tweet_id FROM notifications WHERE (user_id, id) > (?, ?)"
            " ORDER BY user_id, id LIMIT ?",
            (*((0, 0) if after is None else (after.user_id, after.id)), limit),
        )
        return [_notification(user_id, row) for user_id, *row in rows]

    async def clear(self) -> None:
        await self._file.write(lambda connection: connection.execute("DELETE FROM notifications"))


def _notification(user_id: int, row: Sequence[Any]) -> Notification:
    id, kind, actor, tweet_id = row
    return Notification(id, UserId(user_id), NotificationKind(kind), actor, tweet_id)
