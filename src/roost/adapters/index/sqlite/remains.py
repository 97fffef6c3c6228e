"""What FTS5 still holds of an erased tweet: a mark that it is gone in a new segment, its words in an old one.

Segments that meet in a merge cancel out. FTS5 merges some by itself; a merge of all, in steps that other
changes go between, leaves nothing.
"""

import sqlite3

from roost.adapters.index.sqlite.file import SearchFile

PAGES_A_STEP = 256
"""A megabyte, some 20 ms of the writer."""

STEPS_MAX = 100_000

_NOTE = "INSERT INTO remains VALUES (1, 1) ON CONFLICT DO UPDATE SET entries = entries + 1"
_MERGE = "INSERT INTO found (found, rank) VALUES ('merge', ?)"


def note(db: sqlite3.Connection) -> None:
    """An entry was taken out."""
    db.execute(_NOTE)


async def merge_away(file: SearchFile) -> None:
    """Merge all segments into one, unless nothing was taken out since the last time."""
    entries = await file.read(_entries)
    if not entries:
        return
    # Less than nothing starts a merge of all segments; the same number of pages goes on with it.
    pages = -PAGES_A_STEP
    for _ in range(STEPS_MAX):
        if not await _step(file, pages):
            break
        pages = PAGES_A_STEP

    def forget(db: sqlite3.Connection) -> None:
        # What was taken out meanwhile waits for the next time.
        db.execute("DELETE FROM remains WHERE entries = ?", (entries,))

    await file.write(forget)
    await file.empty_log()


async def _step(file: SearchFile, pages: int) -> bool:
    """Whether there was something to merge."""
    changes: list[int] = []

    def merge(db: sqlite3.Connection) -> None:
        before = db.total_changes
        db.execute(_MERGE, (pages,))
        changes.append(db.total_changes - before)

    await file.write(merge)
    return changes[-1] > 1  # the command itself counts as one


def _entries(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT entries FROM remains").fetchone()
    return row[0] if row else 0
