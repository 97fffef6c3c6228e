"""Reads of up to some number of rows: on the loop while they are few, in a thread once they are not."""

import sqlite3
from typing import Any

from roost.adapters.sqlite_file import SqliteFile

INLINE_ROWS_MAX = 500
"""About 200 µs of the loop; a hop to a thread costs 50 to 100."""


async def read_up_to(file: SqliteFile, limit: int, sql: str, *parameters: int | str) -> list[Any]:
    """Up to `limit` rows of a statement whose last parameter is its LIMIT.

    Most answers are short whatever their limit: so the beginning is read here, and only if there is more than
    that is the whole read in a thread. Either way the answer is of one snapshot.
    """
    rows = file.rows(sql, (*parameters, min(limit, INLINE_ROWS_MAX)))
    if limit <= INLINE_ROWS_MAX or len(rows) < INLINE_ROWS_MAX:
        return rows

    def whole(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(sql, (*parameters, limit)).fetchall()

    return await file.read(whole)
