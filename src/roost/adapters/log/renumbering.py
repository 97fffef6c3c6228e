"""Give the log of a restored database numbers that nobody was ever given.

assembly.restore -> (here) -> the log table

A socket's cursor is a number of the log. What was logged after a backup is not in it, so the restored log would give
those numbers again, to other events: a socket that resumes would miss them. Renumbered, every cursor from before
lies before the log, and is answered by a gap.
"""

import contextlib
import sqlite3
from pathlib import Path

from roost.adapters.event_codec import encode_event
from roost.domain.events import Counted
from roost.domain.ids import Version

NUMBERS_A_MS_BITS = 20
"""A million events a millisecond would have to be logged before a later restore could meet these numbers."""


def renumber_log(database: Path, now_ms: int) -> None:
    """Blocks. The file must not be served. What every reaction has dealt with is dropped. Raises sqlite3.Error."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        ((first, newest),) = connection.execute("SELECT ifnull(min(seq), 1), ifnull(max(seq), 0) FROM log").fetchall()
        ((settled,),) = connection.execute("SELECT ifnull(min(seq), ?) FROM log_groups", (first - 1,)).fetchall()
        # The newest stays: its number is where the log goes on from.
        connection.execute("DELETE FROM log WHERE seq <= ? AND seq < ?", (settled, newest))
        begin = max(now_ms << NUMBERS_A_MS_BITS, newest + (1 << NUMBERS_A_MS_BITS))
        connection.execute("UPDATE log_groups SET seq = seq - ? + ?", (settled, begin))
        # By way of the negative numbers, where none meets one that is still to be changed.
        connection.execute("UPDATE log SET seq = -seq")
        connection.execute("UPDATE log SET seq = -seq - ? + ?", (settled, begin))
        if not newest:
            kind, body = encode_event(Counted((), (), Version(0)))  # tells nothing, and holds the number
            connection.execute("INSERT INTO log VALUES (?, ?, ?, ?)", (begin, kind, now_ms, body))
        connection.execute("COMMIT")
