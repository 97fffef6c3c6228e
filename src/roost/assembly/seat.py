"""A worker's place among the processes that serve one folder together."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from roost.assembly.bell import Bell
from roost.assembly.freshness import Board

TRY_EVERY_S = 0.3
"""How long a lease may lie free after its holder was killed."""

log = structlog.get_logger("roost.workers")


class Lease:
    """Held by one worker at a time: it runs the reactions that write. The kernel frees it when its holder ends,
    however that is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    @property
    def held(self) -> bool:
        return self._descriptor >= 0

    def take(self) -> bool:
        """Whether this process holds it from now on; it is kept to the process's end."""
        # Closed in children: one that outlives its parent must not hold what the parent held.
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True


@dataclass(frozen=True, slots=True)
class Seat:
    """`number` counts from 0: it is the node number of the worker's ids too, and the successor's of a killed one."""

    number: int
    bell: Bell
    board: Board
    lease: Lease


@asynccontextmanager
async def led(
    seat: Seat | None, lead: Callable[[], Awaitable[None]], failed: Callable[[], None]
) -> AsyncIterator[None]:
    """Call `lead` once this worker holds the lease: before anything is served, where it is free at once.

    Who serves alone leads. `failed` is called where a later `lead` raises; its error is raised on leaving.
    """
    if seat is None or seat.lease.take():
        await lead()
        yield
        return
    task = asyncio.create_task(_lead_later(seat, lead), name="lease")
    task.add_done_callback(lambda done: None if done.cancelled() or done.exception() is None else failed())
    try:
        yield
    finally:
        task.cancel()
        ended = (await asyncio.gather(task, return_exceptions=True))[0]
    if isinstance(ended, Exception):
        raise ended


async def _lead_later(seat: Seat, lead: Callable[[], Awaitable[None]]) -> None:
    while not seat.lease.take():  # noqa: ASYNC110 - it comes free in another process
        await asyncio.sleep(TRY_EVERY_S)
    log.warning("this worker leads from now on", worker=seat.number)
    await lead()
