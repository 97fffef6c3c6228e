"""The parent of several workers: holds the folder and its address, starts a process a worker, and replaces the dead.

serving.serve -> serve_by_workers -> worker (a process each)
"""

import asyncio
import shutil
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from socket import socket
from typing import Any

import msgspec
import structlog

from roost.adapters.clock.system import SystemClock
from roost.adapters.index.sqlite.file import SearchFile
from roost.assembly.bell import make_counters
from roost.assembly.data_folder import DataFolder
from roost.assembly.embedded import open_file
from roost.assembly.freshness import make_board
from roost.assembly.listening import CannotServe, let_others_in, listen_beside
from roost.assembly.settings import Settings

READY, FAILED = "ready", "failed"
"""What a worker's first line says; after the second word comes why."""
STEADY_S = 10.0
"""A worker that lived so long is replaced at once; one that did not, after a delay that doubles."""
RESTART_DELAY_S_MIN, RESTART_DELAY_S_MAX = 0.1, 5.0
STOP_S_MAX = 9.0
"""Workers drain within 10 s of SIGTERM by themselves; who has not by then is killed."""

log = structlog.get_logger("roost.workers")


class Orders(msgspec.Struct, frozen=True):
    """What a worker is told: its settings and number, and descriptors that it inherits."""

    number: int
    settings: dict[str, Any]
    listening: int
    lock: int
    board: int
    counters: list[int]


@dataclass(slots=True, eq=False)
class _Workers:
    settings: Settings
    folder: DataFolder
    address: socket
    lock: int
    board: int
    counters: list[int]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)

    async def keep(self, number: int, on_ready: Callable[[], None]) -> None:
        """Keep one worker running until told to stop. Raises CannotServe where it does not come up the first time."""
        loop, first, delay_s = asyncio.get_running_loop(), True, 0.0
        while not self.stopping.is_set():
            began_s = loop.time()
            process = await self._start(number)
            self.running[number] = process
            if self.stopping.is_set():
                process.terminate()
            said = await _first_line(process)
            if said == READY and first:
                first = False
                on_ready()
            code = await process.wait()
            del self.running[number]
            if self.stopping.is_set():
                return
            reason = said.removeprefix(FAILED).strip() if said != READY else ""
            if first:
                raise CannotServe(f"worker {number} ended at its start: {reason or _ended(code)}")
            steady = loop.time() - began_s >= STEADY_S
            delay_s = 0.0 if steady else min(max(2 * delay_s, RESTART_DELAY_S_MIN), RESTART_DELAY_S_MAX)
            log.error("worker ended, another takes its place", worker=number, why=reason or _ended(code), in_s=delay_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay_s)

    async def stop(self, keeping: Collection["asyncio.Task[None]"]) -> None:
        """Let all drain, and kill who does not within STOP_S_MAX."""
        self.stopping.set()
        for process in self.running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        await asyncio.wait(keeping, timeout=STOP_S_MAX)
        for number, process in self.running.items():
            log.error("worker did not stop in time: killed", worker=number)
            with suppress(ProcessLookupError):
                process.kill()
        await asyncio.wait(keeping)

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        # Nobody uploads there: the last one of this number is gone.
        shutil.rmtree(self.folder.uploads / str(number), ignore_errors=True)
        with listen_beside(self.address) as listening:
            handed = (listening.fileno(), self.lock, self.board, *self.counters)
            process = await asyncio.create_subprocess_exec(
                # -P: the working folder says nothing about where modules come from.
                *(sys.executable, "-P", "-m", "roost.assembly.worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                pass_fds=handed,
            )
        # From here on the socket is the worker's alone: when that dies, its connections go to the others.
        orders = Orders(number, _plain(self.settings), handed[0], self.lock, self.board, self.counters)
        if process.stdin is not None:
            with suppress(ConnectionError):  # gone already: its end tells
                process.stdin.write(msgspec.json.encode(orders) + b"\n")
                await process.stdin.drain()
        return process


async def serve_by_workers(
    settings: Settings, folder: DataFolder, lock: int, address: socket, on_ready: Callable[[], None]
) -> None:
    """Until SIGTERM or SIGINT. `on_ready` is called once all serve. Raises CannotServe, DependencyDown."""
    await _prepare(settings, folder)
    let_others_in(address)
    count = settings.workers
    workers = _Workers(settings, folder, address, lock, make_board(count), make_counters(count))
    loop, up = asyncio.get_running_loop(), 0

    def one_more() -> None:
        nonlocal up
        up += 1
        if up == count:
            on_ready()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, workers.stopping.set)
    keeping = [asyncio.create_task(workers.keep(number, one_more)) for number in range(count)]
    told = asyncio.create_task(workers.stopping.wait())
    try:
        await asyncio.wait((*keeping, told), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await workers.stop(keeping)
        await told
    for task in keeping:
        await task


async def _prepare(settings: Settings, folder: DataFolder) -> None:
    """Make and check the files while nobody else has them open: what cannot be served is said here, once."""
    folder.signing_key()
    async with open_file(folder, SystemClock(), settings.synchronous):
        pass
    await SearchFile(folder.search).close()
    for left in folder.uploads.iterdir():
        shutil.rmtree(left, ignore_errors=True)


async def _first_line(process: asyncio.subprocess.Process) -> str:
    """What a worker says of its start; nothing where it ends without a word."""
    line = b"" if process.stdout is None else await process.stdout.readline()
    return line.decode(errors="replace").strip()


def _ended(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}, as its lines above may say why"


def _plain(settings: Settings) -> dict[str, Any]:
    return {**asdict(settings), "data": str(settings.data.absolute())}
