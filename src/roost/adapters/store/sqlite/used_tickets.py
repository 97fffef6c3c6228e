"""Used tickets in SQLite: a row a ticket, for the half minute that it would be good."""

import sqlite3

from roost.adapters.sqlite_file import SqliteFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS used_tickets (id BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS used_tickets_by_end ON used_tickets (until_ms);
"""
FORGOTTEN_A_USE_MAX = 10
"""More than the one that is added: so the table never holds many that are void."""


class SqliteUsedTickets:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        def job(connection: sqlite3.Connection) -> bool:
            connection.execute(
                "DELETE FROM used_tickets WHERE id IN (SELECT id FROM used_tickets WHERE until_ms < ? LIMIT ?)",
                (now_ms, FORGOTTEN_A_USE_MAX),
            )
            added = connection.execute("INSERT OR IGNORE INTO used_tickets VALUES (?, ?)", (id, until_ms))
            return added.rowcount > 0

        return await self._file.write(job)
