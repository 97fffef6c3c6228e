"""One SQLite file: a writer thread that commits in groups, readers, and the log table that shares its transactions.

adapters/store/sqlite, adapters/log/sqlite, adapters/index -> (here) -> adapters/sqlite_writer

A job given to `write` may be run twice (its group is run again when a neighbour fails half-way): it must take all
that it knows from its connection and its own arguments, and change nothing else.
"""

import asyncio
import fcntl
import os
import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from pathlib import Path
from typing import Any, Self, TypeVar

from roost.adapters.event_codec import encode_event
from roost.adapters.sqlite_copies import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    check_version,
    copy_database,
    faults_of,
    opened_to_read,
)
from roost.adapters.sqlite_rows import insert_rows
from roost.adapters.sqlite_writer import GroupWriter, Write
from roost.domain.errors import DependencyDown, Draining, Overloaded
from roost.domain.events import Event
from roost.domain.ids import Position

T = TypeVar("T")


WRITES_WAITING_MAX = 20_000
READ_THREADS = 2
READS_WAITING_MAX = 1_000
BUSY_TIMEOUT_MS = 5_000
CACHE_KIB = 32_000
WAL_KEPT_BYTES_MAX = 64 * 1024 * 1024

# Each statement gives up the interpreter lock and has to win it back from the loop. At Python's 5 ms a busy loop
# (80 %) holds 600 posts/s at an ack p99 of 400 ms, at 0.5 ms of 11 ms; the loop pays under 2 % for it.
SWITCH_INTERVAL_S = 0.000_5

LOG_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at_ms INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS log_groups (name TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""
"""`seq` is the greatest kept + 1; the last row is never trimmed, so no number is given twice."""


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """A connection in autocommit mode, in WAL, with this product's pragmas."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        connection.executescript(
            f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}; PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous};"
            f"PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-{CACHE_KIB};"
            # What is deleted is overwritten: an erased message must not be found in the file's free pages.
            f"PRAGMA secure_delete=ON; PRAGMA journal_size_limit={WAL_KEPT_BYTES_MAX};"
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class SqliteFile:
    """Writes go through `write`, in a thread; small reads by key use `reader` or `rows` on the loop; large ones `read`.

    A point read costs 5 to 20 µs on the loop, a hop to a thread 50 to 100: so only reads whose size the caller
    does not bound to some hundred rows are worth the hop.
    """

    reader: sqlite3.Connection

    def __init__(
        self,
        path: Path,
        now_ms: Callable[[], int],
        synchronous: str = "FULL",
        writes_waiting_max: int = WRITES_WAITING_MAX,
    ) -> None:
        self.path = path
        self._now_ms = now_ms
        self._synchronous = synchronous
        self._writes_waiting_max = writes_waiting_max
        self._waiting_count = 0
        self._bells: list[Callable[[], None]] = []
        self._readers = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="sqlite-read")
        self._reads_waiting = 0
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer: GroupWriter | None = None
        self._lock_fd = -1

    async def open(self, *schemas: str) -> Self:
        """Create what is missing and start the writer. Raises DependencyDown where the file cannot be used."""
        self._loop = asyncio.get_running_loop()
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        try:
            self._lock_fd = os.open(f"{self.path}-writers", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            await asyncio.to_thread(self._prepare, schemas)
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise DependencyDown(f"the database {self.path.name} cannot be opened: {error}") from error
        except DependencyDown:
            await self.close()
            raise
        return self

    def _prepare(self, schemas: Sequence[str]) -> None:
        # Two processes that start together must not both change the file's mode and schema.
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX)
        try:
            if self.path.exists():  # looked at before anything is changed, the mode of its journal included
                with opened_to_read(self.path) as there:
                    check_version(there, self.path.name)
            connection = self._connected()
            for schema in (LOG_SCHEMA, *schemas):
                connection.executescript(schema)
            connection.executescript(f"PRAGMA user_version={SCHEMA_VERSION}; PRAGMA application_id={APPLICATION_ID};")
            self.reader = self._connected()
            self.reader.execute("PRAGMA query_only=ON")
        finally:
            fcntl.flock(self._lock_fd, fcntl.LOCK_UN)
        self._writer = GroupWriter(connection, self._lock_fd, self.path.name, self._finished)
        self._writer.start()

    def _connected(self) -> sqlite3.Connection:
        connection = connect(self.path, self._synchronous)
        self._connections.append(connection)
        return connection

    async def close(self) -> None:
        """Finish the writes that wait, and close. What is asked for from now on is refused."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.to_thread(writer.finish)
            self._abandon(writer.left())
        await asyncio.to_thread(self._readers.shutdown)
        while self._connections:
            self._connections.pop().close()
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def on_commit(self, bell: Callable[[], None]) -> None:
        """Call `bell` on the loop after every commit, before those who waited for it go on."""
        self._bells.append(bell)

    async def write(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run the job in the next group's transaction; return once it is durable.

        What the job raises is raised here, and undoes this job alone. Raises Overloaded when too many wait, and
        DependencyDown when the file refuses. Who is cancelled while he waits does not know whether it was done.
        """
        writer = self._writer
        if writer is None:
            raise Draining(f"the database {self.path.name} is closed")
        if not writer.alive:
            raise DependencyDown(f"the writer of {self.path.name} has ended")
        if self._waiting_count >= self._writes_waiting_max:
            raise Overloaded(f"{self._writes_waiting_max} writes are waiting already")
        self._waiting_count += 1
        done: asyncio.Future[T] = self._loop.create_future()
        done.add_done_callback(self._one_less)
        writer.put(Write(job, done))
        return await done

    def is_writing(self) -> bool:
        """Whether somebody waits for a write."""
        return self._waiting_count > 0

    def _one_less(self, done: "asyncio.Future[Any]") -> None:
        self._waiting_count -= 1

    def _finished(self, group: list[Write], committed: bool) -> None:
        self._loop.call_soon_threadsafe(self._answer, group, committed)

    def _answer(self, group: list[Write], committed: bool) -> None:
        for write in group:
            if write.done.done():
                continue  # whoever asked has gone; the write stands
            if write.error is None:
                write.done.set_result(write.value)
            else:
                write.done.set_exception(write.error)
        # Those who wait go on in the loop's next round: the bells have rung by then.
        for bell in self._bells if committed else ():
            try:
                bell()
            except Exception as error:  # noqa: BLE001 - the other bells must ring
                self._loop.call_exception_handler({"message": "a bell failed", "exception": error})

    def _abandon(self, writes: list[Write]) -> None:
        for write in writes:
            if not write.done.done():
                write.done.set_exception(DependencyDown(f"the writer of {self.path.name} has ended"))

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """The rows of a small read, here and now. Raises DependencyDown when the file fails."""
        return self.at_once(lambda connection: connection.execute(sql, parameters).fetchall())

    def at_once(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a small read on the loop. Raises DependencyDown when the file fails."""
        try:
            return job(self.reader)
        except sqlite3.Error as error:
            raise DependencyDown(f"the database {self.path.name} failed: {error}") from error

    async def read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a large read in a thread, on a connection of that thread's own."""
        if self._writer is None:
            raise Draining(f"the database {self.path.name} is closed")
        if self._reads_waiting >= READS_WAITING_MAX:
            raise Overloaded(f"{READS_WAITING_MAX} large reads are waiting already")
        self._reads_waiting += 1
        try:
            return await self._loop.run_in_executor(self._readers, self._read, job)
        except sqlite3.Error as error:
            raise DependencyDown(f"the database {self.path.name} failed: {error}") from error
        finally:
            self._reads_waiting -= 1

    def _read(self, job: Callable[[sqlite3.Connection], T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connected()
            connection.execute("PRAGMA query_only=ON")
        return job(connection)

    def leave(self, connection: sqlite3.Connection, events: Sequence[Event]) -> Position:
        """Put events on the log within a job's transaction. The order of seq is the order of commits."""
        return self.leave_each(connection, [events])[0]

    def leave_each(self, connection: sqlite3.Connection, events: Sequence[Sequence[Event]]) -> list[Position]:
        """As `leave`, for several jobs: where the last event of each stands."""
        at_ms = self._now_ms()
        rows = [(kind, at_ms, body) for some in events for kind, body in map(encode_event, some)]
        last = insert_rows(connection, "INSERT INTO log (kind, at_ms, body) VALUES", rows)
        ends = accumulate(map(len, events))
        # Within a transaction each row's number follows upon the one before.
        return [
            Position(str(last - len(rows) + end)) if some else Position("0")
            for some, end in zip(events, ends, strict=True)
        ]

    async def backup_to(self, path: Path) -> None:
        """Write a consistent copy of the file as it is now, while it is served; whole or not at all.

        The copy is read in one go, so it waits for nobody and nobody waits for it; the write-ahead file grows
        meanwhile by what is written.
        """
        try:
            await asyncio.to_thread(copy_database, self.path, path)
        except (sqlite3.Error, OSError) as error:
            raise DependencyDown(f"the backup to {path.name} failed: {error}") from error

    async def faults(self) -> list[str]:
        """What is wrong with the file, at most FAULTS_MAX lines: for a doctor. Reads all of it, some 200 MB/s."""
        return await asyncio.to_thread(faults_of, self.path)
