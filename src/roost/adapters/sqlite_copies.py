"""A database file as a whole, served or not: whose it is, whether it is sound, a consistent copy of it.

adapters/sqlite_file, assembly (doctor, backup, restore) -> here
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from roost.domain.errors import DependencyDown

SCHEMA_VERSION = 1
"""Kept in the file: a file of a greater version is refused, since its tables may mean something else."""
APPLICATION_ID = 0x526F6F73  # "Roos"

PAGES_A_STEP = 2_048
"""Of a copy: 8 MB between two looks at the progress."""
FAULTS_MAX = 20


def check_version(connection: sqlite3.Connection, name: str) -> None:
    """Raises DependencyDown for a file of another program, or of a newer version of this one."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    if owner not in (0, APPLICATION_ID):
        raise DependencyDown(f"the database {name} belongs to another program")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        detail = f"has version {version}, this program knows up to {SCHEMA_VERSION}: run the newer program"
        raise DependencyDown(f"the database {name} {detail}")


def faults_of(path: Path) -> list[str]:
    """What is wrong with a database file, served or not. Blocks."""
    try:
        with opened_to_read(path) as connection:
            found = [str(line) for (line,) in connection.execute(f"PRAGMA quick_check({FAULTS_MAX})")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else found


@contextlib.contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a file that is there, served or not."""
    with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True)) as connection:
        connection.execute("PRAGMA query_only=ON")
        yield connection


def copy_database(source: Path, target: Path, say: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Blocks. `say` hears how many pages are done, of how many. Raises sqlite3.Error and OSError."""
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    with opened_to_read(source) as reading, contextlib.closing(sqlite3.connect(partial)) as writing:
        # All in one read transaction: a later commit neither is in the copy nor starts it anew.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        reading.backup(writing, pages=PAGES_A_STEP, progress=lambda _, left, total: say(total - left, total))
    _flush(partial)
    partial.replace(target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
