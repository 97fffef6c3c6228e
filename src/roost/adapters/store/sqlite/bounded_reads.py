"""Reads of up to some number of rows: on the loop while they are few, in a thread once they are not.

Each row that a statement steps to gives up the interpreter lock and has to win it back: behind a busy loop a thread
that fetches 10,000 rows may wait for seconds. So ids are gathered into JSON arrays within SQLite: one step in all.
"""

import sqlite3
from typing import Any

import msgspec

from roost.adapters.sqlite_file import SqliteFile

INLINE_ROWS_MAX = 500
"""100 to 200 µs of the loop; a hop to a thread costs 50 to 100."""

_DECODE_IDS = msgspec.json.Decoder(list[int]).decode


async def read_columns(file: SqliteFile, limit: int, sql: str, *parameters: int | str) -> list[list[Any]]:
    """The columns of a statement that answers one row of JSON arrays, its last parameter the bound of each.

    Most answers are short whatever their limit: so the beginning is read here, and only if there is more than that
    is the whole read in a thread. Either way the answer is of one snapshot.
    """
    columns = _decoded(file.rows(sql, (*parameters, min(limit, INLINE_ROWS_MAX)))[0])
    if limit <= INLINE_ROWS_MAX or max(map(len, columns)) < INLINE_ROWS_MAX:
        return columns

    def whole(connection: sqlite3.Connection) -> list[list[Any]]:
        return _decoded(connection.execute(sql, (*parameters, limit)).fetchone())

    return await file.read(whole)


async def read_up_to(file: SqliteFile, limit: int, sql: str, *parameters: int | str) -> list[Any]:
    """Up to `limit` rows of a statement whose last parameter is its LIMIT. For rows that are more than ids."""
    rows = file.rows(sql, (*parameters, min(limit, INLINE_ROWS_MAX)))
    if limit <= INLINE_ROWS_MAX or len(rows) < INLINE_ROWS_MAX:
        return rows

    def whole(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(sql, (*parameters, limit)).fetchall()

    return await file.read(whole)


def _decoded(row: tuple[str, ...]) -> list[list[Any]]:
    return [_DECODE_IDS(column) for column in row]
