"""Doing many things with a bounded number at once, and measuring each."""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_PERCENTILES = (50, 90, 99)


class Meter:
    """Counts what is done and keeps how long each took."""

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        self._latencies_s = array("d")
        self._started_s = self._ended_s = time.perf_counter()

    @property
    def done(self) -> int:
        return len(self._latencies_s)

    def start(self) -> float:
        """Begin the clock of the whole; the time in seconds."""
        self._started_s = time.perf_counter()
        return self._started_s

    def add(self, since_s: float) -> None:
        """One more is done, which was begun, or due, at `since_s`."""
        self._ended_s = time.perf_counter()
        self._latencies_s.append(self._ended_s - since_s)

    def figures(self) -> "Figures":
        latencies_ms = sorted(latency * 1000 for latency in self._latencies_s) or [0.0]
        last = len(latencies_ms) - 1
        p50, p90, p99 = (latencies_ms[round(last * percent / 100)] for percent in _PERCENTILES)
        seconds = self._ended_s - self._started_s
        return Figures(self.name, self.done, seconds, p50, p90, p99, latencies_ms[-1])


@dataclass(frozen=True, slots=True)
class Figures:
    """What a phase comes to."""

    name: str
    done: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        return self.done / self.seconds if self.seconds else 0.0

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.done} in {self.seconds:.1f} s, {self.per_second:.0f}/s, latency ms "
            f"p50 {self.p50_ms:.1f}, p90 {self.p90_ms:.1f}, p99 {self.p99_ms:.1f}, "
            f"max {self.max_ms:.1f}"
        )


async def in_parallel(items: Iterable[T], act: Callable[[T], Awaitable[None]], *, workers: int) -> None:
    """Act on each item, `workers` at once, taken up in their order. The first failure ends all."""
    left = iter(items)

    async def work() -> None:
        for item in left:
            await act(item)

    async with failing_together() as tasks:
        for _ in range(workers):
            tasks.create_task(work())


@asynccontextmanager
async def failing_together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose first failure comes out as itself, not as a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from None
