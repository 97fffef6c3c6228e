"""Reports to the operators in SQLite."""

import sqlite3
from collections.abc import Sequence

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.bounded_reads import read_up_to
from roost.domain.ids import ID_MAX, UserId
from roost.domain.report import Report

# A unique index takes no two NULLs for the same, hence 0, which is no tweet's id.
SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
  report_id INTEGER PRIMARY KEY, reporter INTEGER NOT NULL, user_id INTEGER NOT NULL, tweet_id INTEGER,
  reason TEXT NOT NULL, created_ms INTEGER NOT NULL, closed_by INTEGER);
CREATE UNIQUE INDEX IF NOT EXISTS reports_once ON reports (reporter, user_id, ifnull(tweet_id, 0));
CREATE INDEX IF NOT EXISTS reports_open ON reports (report_id) WHERE closed_by IS NULL;
"""


class SqliteReportStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add(self, report: Report) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO reports (report_id, reporter, user_id, tweet_id, reason, created_ms, closed_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    report.id,
                    report.reporter,
                    report.user_id,
                    report.tweet_id,
                    report.reason,
                    report.created_ms,
                    report.closed_by,
                ),
            )

        await self._file.write(job)

    async def open(self, before: int | None, limit: int) -> Sequence[Report]:
        rows = await read_up_to(
            self._file,
            limit,
            "SELECT report_id, reporter, user_id, tweet_id, reason, created_ms FROM reports"
            " WHERE closed_by IS NULL AND report_id < ? ORDER BY report_id DESC LIMIT ?",
            ID_MAX if before is None else before,
        )
        return [Report(*row) for row in rows]

    async def close(self, id: int, operator: UserId) -> bool:
        def job(connection: sqlite3.Connection) -> bool:
            closed = connection.execute(
                "UPDATE reports SET closed_by = ? WHERE report_id = ? AND closed_by IS NULL", (operator, id)
            )
            return closed.rowcount == 1

        return await self._file.write(job)
