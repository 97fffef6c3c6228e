"""The parent of several workers: holds the folder and its address, forks a process a worker, and replaces the dead.

serving.serve -> worker -> serve_by_workers -> (fork) worker._work -> serving.run_node

Forked, not started anew: to load the program takes a second of a processor, to fork it a hundredth, and what is loaded
is shared. For that the parent runs no loop and no thread, and has closed every file of the folder.
"""

import mmap
import os
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socket import socket

import structlog

from roost.assembly.data_folder import DataFolder
from roost.assembly.listening import CannotServe

STEADY_S = 10.0
"""A worker that lived so long is replaced at once; one that did not, after a delay that doubles."""
RESTART_DELAY_S_MIN, RESTART_DELAY_S_MAX = 0.1, 5.0
STOP_S_MAX = 9.0
"""Workers drain within 10 s of SIGTERM by themselves; who has not by then is killed."""
STOPPING = (signal.SIGTERM, signal.SIGINT)
LINE_BYTES_MAX = 4_096
READY, FAILED = b"ready", b"failed "
"""What a worker's only line says; after the second word comes why."""

log = structlog.get_logger("roost.workers")


@dataclass(slots=True)
class Nest:
    """What all workers are born with. `life` ends when the parent does: nobody writes, and it alone holds the end."""

    folder: DataFolder
    address: socket
    board: mmap.mmap
    counters: list[int]
    life: int
    parent_life: int


Work = Callable[[Nest, int, Callable[[bytes], None]], None]
"""Serve as the worker of that number, and say one line: READY, or FAILED and why. Runs in a process of its own."""


@dataclass(slots=True)
class _Worker:
    """One number and the process that has it, if any. `due_s` is when one may be started."""

    number: int
    pid: int = 0
    voice: int = -1
    said: bytes = b""
    began_s: float = 0.0
    due_s: float = 0.0
    delay_s: float = 0.0
    was_ready: bool = False


@dataclass(slots=True)
class _Parent:
    nest: Nest
    work: Work
    workers: list[_Worker]
    told: list[int] = field(default_factory=list)  # signals that say to stop

    def keep_all(self, wake: int, on_ready: Callable[[], None]) -> None:
        """Until told to stop. Raises CannotServe where one does not come up the first time."""
        announced = False
        while not self.told:
            now_s = time.monotonic()
            for worker in self.workers:
                if not worker.pid and worker.due_s <= now_s:
                    self._start(worker)
            self._listen(wake, self._next_due_s(now_s))
            self._bury()
            if not announced and all(worker.was_ready for worker in self.workers):
                announced = True
                on_ready()

    def stop(self, wake: int) -> None:
        """Let all drain, and kill who does not within STOP_S_MAX."""
        self._signal(signal.SIGTERM)
        ends_s, killed = time.monotonic() + STOP_S_MAX, False
        while any(worker.pid for worker in self.workers):
            left_s = max(ends_s - time.monotonic(), 0.0)
            if not left_s and not killed:
                killed = True
                self._signal(signal.SIGKILL)
            self._listen(wake, None if killed else left_s)
            for worker in self.workers:
                if worker.pid and os.waitpid(worker.pid, os.WNOHANG)[0]:
                    self._close(worker)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self.workers:
            if worker.pid:
                if number is signal.SIGKILL:
                    log.error("worker did not stop in time: killed", worker=worker.number)
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, number)

    def _next_due_s(self, now_s: float) -> float | None:
        return min((max(worker.due_s - now_s, 0.0) for worker in self.workers if not worker.pid), default=None)

    def _listen(self, wake: int, timeout_s: float | None) -> None:
        """Wait for a signal, for a word of a worker or for the time."""
        voices = {worker.voice: worker for worker in self.workers if worker.voice >= 0}
        for heard in select.select([wake, *voices], [], [], timeout_s)[0]:
            said = os.read(heard, LINE_BYTES_MAX)
            if heard == wake:
                continue
            worker = voices[heard]
            worker.said += said
            if worker.said.startswith(READY):
                worker.was_ready = True
            if not said:
                os.close(worker.voice)
                worker.voice = -1

    def _start(self, worker: _Worker) -> None:
        # Nobody uploads there: the last one of this number is gone.
        shutil.rmtree(self.nest.folder.uploads / str(worker.number), ignore_errors=True)
        heard, voice = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # Held back until the newborn has left the parent's handlers behind: those would swallow its word to stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        pid = os.fork()
        if pid == 0:
            _be_born(self.nest, worker.number, self.work, voice)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        os.close(voice)
        worker.pid, worker.voice, worker.said, worker.began_s = pid, heard, b"", time.monotonic()

    def _bury(self) -> None:
        for worker in self.workers:
            if not worker.pid:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if not pid:
                continue
            self._hear_out(worker)
            why = worker.said.removeprefix(FAILED).decode(errors="replace").strip()
            why = why if worker.said.startswith(FAILED) else _ended(os.waitstatus_to_exitcode(status))
            self._close(worker)
            if self.told:
                continue
            if not worker.was_ready:
                raise CannotServe(f"worker {worker.number} ended at its start: {why}")
            steady = time.monotonic() - worker.began_s >= STEADY_S
            worker.delay_s = 0.0 if steady else min(max(2 * worker.delay_s, RESTART_DELAY_S_MIN), RESTART_DELAY_S_MAX)
            worker.due_s = time.monotonic() + worker.delay_s
            log.error("worker ended, another takes its place", worker=worker.number, why=why, in_s=worker.delay_s)

    def _hear_out(self, worker: _Worker) -> None:
        while worker.voice >= 0 and (said := os.read(worker.voice, LINE_BYTES_MAX)):
            worker.said += said

    def _close(self, worker: _Worker) -> None:
        if worker.voice >= 0:
            os.close(worker.voice)
        worker.pid, worker.voice = 0, -1


def serve_by_workers(nest: Nest, count: int, work: Work, on_ready: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT. `on_ready` is called once all serve. Raises CannotServe."""
    parent = _Parent(nest, work, [_Worker(number) for number in range(count)])
    with _signals(parent.told) as wake:
        try:
            parent.keep_all(wake, on_ready)
        finally:
            parent.stop(wake)


@contextmanager
def _signals(told: list[int]) -> Iterator[int]:
    """A descriptor that can be read once a signal came: the end of a worker, or the word to stop, which is noted."""
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    before = signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    handlers = {one: signal.signal(one, lambda number, frame: told.append(number)) for one in STOPPING}
    handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(wake)
        os.close(woken)


def _be_born(nest: Nest, number: int, work: Work, voice: int) -> None:
    """The rest of this process. Nothing of the parent's goes on in it."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGCHLD, *STOPPING):
            signal.signal(one, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        os.close(nest.parent_life)
        structlog.contextvars.bind_contextvars(worker=number)
        work(nest, number, lambda line: _say(voice, line))
        code = 0
    except BaseException:  # noqa: BLE001 - it must not go on as a second parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _say(voice: int, line: bytes) -> None:
    with suppress(OSError):  # the parent is gone: its life's end says so
        os.write(voice, line[: LINE_BYTES_MAX - 1] + b"\n")


def _ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}, as its lines above may say why"
