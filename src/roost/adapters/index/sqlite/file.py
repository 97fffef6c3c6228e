"""The search file: one thread writes in groups, a few read under a deadline, the event loop reads what is small."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from roost.adapters.index.sqlite.schema import ALL_TABLES, FORMAT, SCHEMA
from roost.domain.errors import DependencyDown, Draining, Overloaded

WRITES_WAITING_MAX = 256
WRITES_A_GROUP_MAX = 64
"""So many waiting writes share a commit: it bounds how long a group keeps its first one waiting."""

READERS = 2
READS_WAITING_MAX = 256
READ_DEADLINE_MS = 2_000
"""From the call, waiting included, so that a busy machine has room: most searches of a million tweets take 1 ms,
the worst phrases of common words 80."""

STEPS_BETWEEN_CHECKS = 20_000
"""Of SQLite's machine, between two looks at the clock: some milliseconds. Each look is a turn of the interpreter lock,
and most searches take fewer steps."""

CACHE_KIB = 16 * 1024

_Result = TypeVar("_Result")
Change = Callable[[sqlite3.Connection], None]


class SearchFile:
    """Opens or makes the file. Raises DependencyDown where it cannot."""

    def __init__(self, path: Path, *, read_deadline_ms: int = READ_DEADLINE_MS) -> None:
        self._path = path
        self._deadline_s = read_deadline_ms / 1000
        self._connections: list[sqlite3.Connection] = []
        self._closed = False
        try:
            self._writing = self._connect()
            _prepare(self._writing)
        except sqlite3.Error as error:
            self._close_connections()
            raise DependencyDown("the search file cannot be opened") from error
        self._waiting: queue.Queue[tuple[Change, Future[None]] | None]
        self._waiting = queue.Queue(WRITES_WAITING_MAX)
        self._writer = threading.Thread(target=self._write_groups, name="search-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._read_places = threading.BoundedSemaphore(READS_WAITING_MAX)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="search-reader")
        self._here: sqlite3.Connection | None = None  # the event loop's

    async def write(self, change: Change) -> None:
        """Make the change in a transaction, shared with others that wait; return after its commit."""
        if self._closed:
            raise Draining("the search index is closed")
        done: Future[None] = Future()
        try:
            self._waiting.put_nowait((change, done))
        except queue.Full as error:
            raise Overloaded(f"{WRITES_WAITING_MAX} changes wait for the search index") from error
        await asyncio.wrap_future(done)

    async def read(self, question: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Answer from the last commit. Raises Overloaded at the deadline."""
        if self._closed:
            raise Draining("the search index is closed")
        if not self._read_places.acquire(blocking=False):
            raise Overloaded(f"{READS_WAITING_MAX} searches wait")
        deadline = time.monotonic() + self._deadline_s
        answer = self._readers.submit(self._answer, question, deadline)
        # Kept until a thread is through with it, also when the caller has gone away.
        answer.add_done_callback(lambda _: self._read_places.release())
        return await asyncio.wrap_future(answer)

    def at_once(self, question: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Answer from the last commit, on the event loop: for what takes less than the 300 µs of a hop to a thread and
        back, whatever is in the file.
        """
        if self._closed:
            raise Draining("the search index is closed")
        try:
            if self._here is None:
                self._here = self._reader()
            return question(self._here)
        except sqlite3.Error as error:
            raise _translated(error) from error

    async def empty_log(self) -> None:
        """Move what is in SQLite's write-ahead log to the file and cut the log, as far as readers let it."""
        await self.read(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    async def close(self) -> None:
        """Write what waits, then close. A second time changes nothing."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._waiting.put(None)
        self._writer.join()
        self._readers.shutdown(wait=True)
        self._close_connections()

    def _connect(self) -> sqlite3.Connection:
        # Used by one thread at a time: the one that it is opened for, and at the end the closing one.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._connections.append(connection)
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return connection

    def _close_connections(self) -> None:
        for connection in self._connections:
            connection.close()

    def _write_groups(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            while len(group) < WRITES_A_GROUP_MAX and not self._waiting.empty():
                following = self._waiting.get()
                if following is None:
                    self._waiting.put(None)  # the end comes after this group
                    break
                group.append(following)
            self._write_group([one for one in group if one[1].set_running_or_notify_cancel()])

    def _write_group(self, group: list[tuple[Change, Future[None]]]) -> None:
        error = self._commit([change for change, _ in group])
        if error and len(group) > 1:
            # One bad change must not take the others with it.
            for one in group:
                self._write_group([one])
            return
        for _, done in group:
            if error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def _commit(self, changes: list[Change]) -> Exception | None:
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            for change in changes:
                change(self._writing)
            self._writing.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - goes to the caller; this thread must outlive it
            return self._rolled_back(error)
        return None

    def _rolled_back(self, error: Exception) -> Exception:
        try:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
        except sqlite3.Error as second:
            return _translated(second)
        return _translated(error)

    def _reading(self) -> sqlite3.Connection:
        """This thread's connection, opened with its first question: where that fails, the next one tries again."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._reader()
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _answer(self, question: Callable[[sqlite3.Connection], _Result], deadline: float) -> _Result:
        if time.monotonic() > deadline:
            raise self._late()
        try:
            connection = self._reading()
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_CHECKS)
            return question(connection)
        except sqlite3.OperationalError as error:
            if time.monotonic() > deadline:
                raise self._late() from error
            raise _translated(error) from error
        except sqlite3.Error as error:
            raise _translated(error) from error

    def _late(self) -> Overloaded:
        return Overloaded(f"the search took longer than {self._deadline_s * 1000:.0f} ms")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # What is deleted is overwritten: some builds of SQLite do so by themselves, some do not.
    connection.execute("PRAGMA secure_delete = ON")
    # The position is committed with the data: what a loss of power takes is read from the log again.
    connection.execute("PRAGMA synchronous = NORMAL")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == FORMAT:
        return  # nothing is written: another process may be at it
    for table in ALL_TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")


def _translated(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error):
        down = DependencyDown("the search index does not answer")
        down.__cause__ = error
        return down
    return error
