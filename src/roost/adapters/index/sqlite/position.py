"""How far in the log a view of the search file has come, committed with the changes themselves."""

import sqlite3

from roost.domain.ids import Position


def keep_position(db: sqlite3.Connection, view: str, position: Position | None) -> None:
    if position is not None:
        db.execute("INSERT OR REPLACE INTO position VALUES (?, ?)", (view, position))


def read_position(db: sqlite3.Connection, view: str) -> Position | None:
    row = db.execute("SELECT position FROM position WHERE view = ?", (view,)).fetchone()
    return Position(row[0]) if row else None
