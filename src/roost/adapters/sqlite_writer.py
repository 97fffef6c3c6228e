"""The one thread that writes to a SQLite file: what waits goes into one transaction, one flush, and is answered.

adapters/sqlite_file.write -> (here) -> the disk -> back on the loop

Durable (synchronous=FULL) writes cost one flush a group, not one each: 0.6 k/s alone, 33 k/s in groups of 100.
"""

import asyncio
import contextlib
import fcntl
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol, Self, runtime_checkable

from roost.domain.errors import DependencyDown

Job = Callable[[sqlite3.Connection], Any]


@runtime_checkable
class JoinedJob(Protocol):
    """A job that costs less together with others of its type.

    Every statement gives up the interpreter lock, and behind a busy loop it takes half a millisecond to win it back:
    four statements a job would be 500 jobs a second.
    """

    def __call__(self, connection: sqlite3.Connection) -> Any: ...

    def together(self, connection: sqlite3.Connection, jobs: Sequence[Self]) -> Sequence[Any]:
        """Do `jobs`, this one among them, in few statements, and return the value of each. Whatever is raised undoes
        all, and each is done by itself.
        """
        ...


GROUP_MAX = 512

_FILE_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Primary result codes that tell of the file or the machine, not of the one statement that met them."""


def is_file_fault(error: BaseException) -> bool:
    """Whether the error tells of the file, so that every other write would meet it too."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and (code & 0xFF) in _FILE_FAULTS


@dataclass(slots=True, eq=False)
class Write:
    """A job that waits, and what became of it once its group is done."""

    job: Job
    done: "asyncio.Future[Any]"
    value: Any = None
    error: BaseException | None = None


class _Spoilt(Exception):
    """A job failed after it had changed rows: the group must be run again, each job in a savepoint of its own."""


@dataclass(slots=True)
class GroupWriter:
    """Commits jobs in groups, in the order of `put`.

    The kernel lock on `lock_fd` is taken before a transaction begins, since SQLite's own waits for another process
    are naps of up to 100 ms; the group is gathered after it, so that what came meanwhile goes along.

    `answer` is called in this thread with each finished group and whether it stands; where it raises RuntimeError,
    nobody listens any more and the thread ends.
    """

    connection: sqlite3.Connection
    lock_fd: int
    name: str
    answer: Callable[[list[Write], bool], None]
    _waiting: "queue.SimpleQueue[Write | None]" = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sqlite-write", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def put(self, write: Write) -> None:
        self._waiting.put(write)

    def finish(self) -> None:
        """Do all that waits, then end. Blocks."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def left(self) -> list[Write]:
        """What a dead thread left undone."""
        writes = []
        while not self._waiting.empty():
            write = self._waiting.get_nowait()
            if write is not None:
                writes.append(write)
        return writes

    def _run(self) -> None:
        write = self._waiting.get()
        while write is not None:
            group = [write]
            more, committed = True, False
            try:
                fcntl.flock(self.lock_fd, fcntl.LOCK_EX)
                try:
                    more = self._gather(group)
                    committed = self._commit(group)
                finally:
                    fcntl.flock(self.lock_fd, fcntl.LOCK_UN)
            except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
                _fail(group, f"writing to {self.name} failed: {error!r}")
            try:
                self.answer(group, committed)
            except RuntimeError:  # the loop is closed
                return
            write = self._waiting.get() if more else None

    def _gather(self, group: list[Write]) -> bool:
        """Add what waits; whether the thread goes on after this group."""
        while len(group) < GROUP_MAX:
            try:
                write = self._waiting.get_nowait()
            except queue.Empty:
                return True
            if write is None:
                return False
            group.append(write)
        return True

    def _commit(self, group: list[Write]) -> bool:
        """Run the group in one transaction; whether it stands."""
        try:
            try:
                self._transaction(group, self._joined)
            except _Spoilt:
                self._roll_back()
                self._transaction(group, lambda writes: self._each(writes, self._in_savepoint))
        except sqlite3.Error as error:
            self._roll_back()
            _fail(group, f"the database {self.name} refuses to write: {error}")
            return False
        except BaseException:
            self._roll_back()
            raise
        return True

    def _transaction(self, group: list[Write], run: Callable[[list[Write]], None]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        # Who is cancelled does not wait for it any more, and nothing of it was done.
        run([write for write in group if not write.done.cancelled()])
        self.connection.execute("COMMIT")

    def _each(self, writes: list[Write], run: Callable[[Write], None]) -> None:
        for write in writes:
            run(write)

    def _joined(self, writes: list[Write]) -> None:
        """Neighbours of a type that is made for it go together; the order of the others stays."""
        for _, run in groupby(writes, key=lambda write: type(write.job)):
            alike = list(run)
            job = alike[0].job
            if len(alike) > 1 and isinstance(job, JoinedJob):
                self._together(job, alike)
            else:
                self._each(alike, self._bare)

    def _together(self, job: JoinedJob, alike: list[Write]) -> None:
        try:
            values = job.together(self.connection, [write.job for write in alike])  # type: ignore[misc]  # of its type
        except Exception as error:
            self._raise_if_whole_group_fails(error)
            raise _Spoilt from error
        for write, value in zip(alike, values, strict=True):
            write.value, write.error = value, None

    def _bare(self, write: Write) -> None:
        """Most jobs succeed or refuse before they change anything: those need no savepoint (a third more)."""
        before = self.connection.total_changes
        try:
            write.value, write.error = write.job(self.connection), None
        except Exception as error:
            self._raise_if_whole_group_fails(error)
            if self.connection.total_changes != before:
                raise _Spoilt from error
            write.value, write.error = None, error

    def _in_savepoint(self, write: Write) -> None:
        self.connection.execute("SAVEPOINT job")
        try:
            write.value, write.error = write.job(self.connection), None
        except Exception as error:  # noqa: BLE001 - given to whoever asked for the write
            self._raise_if_whole_group_fails(error)
            self.connection.execute("ROLLBACK TO job")
            write.value, write.error = None, error
        self.connection.execute("RELEASE job")

    def _raise_if_whole_group_fails(self, error: Exception) -> None:
        if is_file_fault(error):
            raise error
        if not self.connection.in_transaction:  # SQLite has rolled all of it back, or the job has ended it
            raise sqlite3.OperationalError("a job's error ended the transaction") from error

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):  # the next BEGIN meets whatever is wrong and says it
                self.connection.execute("ROLLBACK")


def _fail(group: list[Write], detail: str) -> None:
    for write in group:
        # One error each: a shared one would collect the tracebacks of all who raise it.
        write.value, write.error = None, DependencyDown(detail)
