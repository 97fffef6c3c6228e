"""Many rows in few statements: in a thread each statement may cost a turn of the interpreter lock."""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode

_ROWS_A_STATEMENT = (64, 16, 4, 1)
"""Few sizes, so that the statements stay prepared."""


def insert_rows(connection: sqlite3.Connection, insert: str, rows: Sequence[Sequence[Any]]) -> int:
    """Insert rows of one width, in their order; `insert` ends with VALUES. The last row's number, 0 without rows."""
    done, last = 0, 0
    for size in _ROWS_A_STATEMENT:
        while len(rows) - done >= size:
            some = rows[done : done + size]
            marks = f"({', '.join('?' * len(some[0]))})"
            values = [value for row in some for value in row]
            last = connection.execute(f"{insert} {', '.join([marks] * size)}", values).lastrowid or 0
            done += size
    return last


def json_array(values: Sequence[Any]) -> str:
    """Many values as one parameter, for json_each."""
    return _encode(values).decode()
