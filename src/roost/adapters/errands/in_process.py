"""Errands as tasks of this process: a few at work, a bounded number in line."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import structlog

from roost.domain.errors import Refused, Unavailable

AT_WORK_MAX = 8
# A mail host that takes 20 s to fail holds 8 x 3 mails a minute; 1,000 in line are about 2 MB.
IN_LINE_MAX = 1_000
CLOSE_WAIT_S_MAX = 2.0  # a node has 10 s to stop in all

log = structlog.get_logger("roost.errands")


class InProcessErrands:
    """An async context: leaving it waits CLOSE_WAIT_S_MAX for what is begun, and drops the rest, said aloud."""

    def __init__(self, *, at_work_max: int = AT_WORK_MAX, in_line_max: int = IN_LINE_MAX) -> None:
        self._at_work = asyncio.Semaphore(at_work_max)
        self._admitted_max = at_work_max + in_line_max
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        tasks = set(self._tasks)
        if not tasks:
            return
        _, left = await asyncio.wait(tasks, timeout=CLOSE_WAIT_S_MAX)
        if left:
            log.warning("errands dropped at the end", count=len(left))
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def later(self, what: str, errand: Callable[[], Awaitable[None]]) -> bool:
        if self._closed or len(self._tasks) >= self._admitted_max:
            log.warning("errand refused", errand=what, waiting=len(self._tasks))
            return False
        task = asyncio.create_task(self._run(what, errand), name=f"errand: {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def idle(self) -> None:
        """Return once nothing is begun and nothing waits."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self, what: str, errand: Callable[[], Awaitable[None]]) -> None:
        async with self._at_work:
            try:
                await errand()
            except (Refused, Unavailable) as error:
                log.warning("errand failed", errand=what, reason=str(error))
            except Exception:
                log.exception("errand failed", errand=what)
