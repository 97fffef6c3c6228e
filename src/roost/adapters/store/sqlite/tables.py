"""How rows of many ids are asked for."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.bounded_reads import INLINE_ROWS_MAX
from roost.domain.ids import ID_MAX

IDS_A_STATEMENT = 512
_SIZES = (1, 2, 4, 8, 16, 24, 32, 40, 48, 64, 96, 128, 256, IDS_A_STATEMENT)
_MARKS = {size: ", ".join("?" * size) for size in _SIZES}
BEYOND_ALL = ID_MAX
"""As `before`, where there is none: no id is as great."""


def pieces(ids: Collection[int], size: int = IDS_A_STATEMENT) -> Iterator[list[int]]:
    """The ids, `size` at a time."""
    rest = iter(ids)
    while piece := list(islice(rest, size)):
        yield piece


def among(sql: str, ids: Sequence[int]) -> tuple[str, list[int]]:
    """The statement with `{ids}` filled by marks, and the ids for them: at most IDS_A_STATEMENT.

    The last id is repeated up to one of few sizes, so that the statements stay prepared. A fifth quicker than
    json_each.
    """
    size = next(size for size in _SIZES if size >= len(ids))
    return sql.replace("{ids}", _MARKS[size]), [*ids, *[ids[-1]] * (size - len(ids))]


def select_among(connection: sqlite3.Connection, sql: str, ids: Collection[int], *first: int | str) -> list[Any]:
    """Rows of a statement over `{ids}`, whose other parameters come first."""
    found: list[Any] = []
    for piece in pieces(ids):
        statement, parameters = among(sql, piece)
        found += connection.execute(statement, (*first, *parameters)).fetchall()
    return found


async def rows_among(file: SqliteFile, sql: str, ids: Collection[int], *first: int | str) -> list[Any]:
    """The same for one reader: on the loop while they are few, in a thread once they are not."""
    if not ids:
        return []
    if len(ids) > INLINE_ROWS_MAX:
        return await file.read(lambda connection: select_among(connection, sql, ids, *first))
    statement, parameters = among(sql, list(ids))
    return file.rows(statement, (*first, *parameters))
