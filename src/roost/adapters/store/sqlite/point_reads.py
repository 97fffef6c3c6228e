"""Reads by key: on the loop while they are small, in a thread once they are not."""

import sqlite3
from typing import Any

from roost.adapters.sqlite_file import SqliteFile
from roost.domain.errors import DependencyDown

INLINE_ROWS_MAX = 500
"""About 200 µs of the loop; a hop to a thread costs 50 to 100."""

Parameter = int | str | bytes | None


def read_rows(file: SqliteFile, sql: str, *parameters: Parameter) -> list[Any]:
    """All rows of a statement that the caller bounds to INLINE_ROWS_MAX or so. Raises DependencyDown."""
    try:
        return file.reader.execute(sql, parameters).fetchall()
    except UnicodeEncodeError:
        return []  # half a surrogate pair, which is in no row
    except sqlite3.Error as error:
        raise DependencyDown(f"the database {file.path.name} failed: {error}") from error


async def read_rows_up_to(file: SqliteFile, limit: int, sql: str, *parameters: Parameter) -> list[Any]:
    """Up to `limit` rows of a statement whose last parameter is its LIMIT.

    Most answers are short whatever their limit: so the beginning is read here, and only if there is more than
    that is the whole read in a thread. A statement is one snapshot, also when it is run the second time.
    """
    rows = read_rows(file, sql, *parameters, min(limit, INLINE_ROWS_MAX))
    if limit <= INLINE_ROWS_MAX or len(rows) < INLINE_ROWS_MAX:
        return rows

    def whole(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(sql, (*parameters, limit)).fetchall()

    return await file.read(whole)
