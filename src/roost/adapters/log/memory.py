"""The log as a list: for tests, and as the plainest statement of what the port promises."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Self

from roost.adapters.log_position import checked_seq_at, position_at, seq_at
from roost.domain.errors import Gone
from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.log import BATCH_MAX, Logged

KEPT_MAX = 1_000_000
"""Events kept: then the oldest go, unless a group has not confirmed them."""
KEPT_SLACK = 1_000


class MemoryEventLog:
    """`leave` is what memory stores call within their own step. Lost with the process."""

    def __init__(self, now_ms: Callable[[], int], kept_max: int = KEPT_MAX) -> None:
        self._now_ms = now_ms
        self._kept_max = kept_max
        self._logged: list[Logged] = []
        self._begin = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._confirmed: dict[str, int] = {}
        self.closed = False

    async def open(self) -> Self:
        return self

    async def close(self) -> None:
        """Let those who wait go on with nothing."""
        self.closed = True
        self._wake()

    def leave(self, events: Sequence[Event]) -> Position:
        """Put events on the log, here and now."""
        at_ms = self._now_ms()
        for event in events:
            self._logged.append(Logged(position_at(self._end + 1), event, at_ms))
        if len(self._logged) > self._kept_max + KEPT_SLACK:
            self._drop(len(self._logged) - self._kept_max)
        self._wake()
        return position_at(self._end)

    async def append(self, events: Sequence[Event]) -> Position:
        return self.leave(events)

    async def end(self) -> Position:
        return position_at(self._end)

    def subscribe(self, group: str) -> "MemorySubscription":
        """Each member of a group is given all of it: within one process there is no work to share out."""
        return MemorySubscription(self, self._confirmed.setdefault(group, self._begin), group)

    def tail(self, after: Position) -> "MemorySubscription":
        """Raises Invalid where the position is malformed; its `batch` raises Gone where it lies before the log."""
        return MemorySubscription(self, checked_seq_at(after), None)

    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        seq = seq_at(after)
        if seq is None or not self._begin <= seq <= self._end:
            return None
        return self.after(seq, limit)

    def is_reached(self, position: Position, by: Position) -> bool:
        return checked_seq_at(position) <= checked_seq_at(by)

    async def lag(self) -> dict[str, int]:
        return {group: self._end - seq for group, seq in self._confirmed.items()}

    async def drop_before(self, at_ms: int) -> int:
        """Drop events older than that and confirmed by every group; how many."""
        begin = self._begin
        self._drop(sum(1 for _ in takewhile(lambda logged: logged.at_ms < at_ms, self._logged)))
        return self._begin - begin

    def after(self, seq: int, limit: int = BATCH_MAX) -> Sequence[Logged]:
        """What is known after a number. Raises Gone where the log no longer reaches back."""
        if seq < self._begin:
            raise Gone(f"the log begins after {self._begin}, {seq} lies before it")
        first = seq - self._begin
        return self._logged[first : first + limit]

    async def beyond(self, seq: int) -> None:
        """Return once there is something after that number, or the log is closed."""
        while self._end <= seq and not self.closed:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def confirm(self, group: str, seq: int) -> None:
        self._confirmed[group] = max(seq, self._confirmed.get(group, 0))

    @property
    def _end(self) -> int:
        return self._begin + len(self._logged)

    def _drop(self, count: int) -> None:
        upto = min([self._begin + count, self._end, *self._confirmed.values()])
        del self._logged[: max(upto - self._begin, 0)]
        self._begin = max(upto, self._begin)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class MemorySubscription:
    """A reader's way along the log; with a group it may confirm."""

    def __init__(self, log: MemoryEventLog, after: int, group: str | None) -> None:
        self._log = log
        self._seq = after
        self._group = group

    async def batch(self) -> Sequence[Logged]:
        while not self._log.closed:
            events = self._log.after(self._seq)
            if events:
                self._seq += len(events)
                return events
            await self._log.beyond(self._seq)
        return ()

    async def confirm(self, position: Position) -> None:
        if self._group is not None:
            self._log.confirm(self._group, checked_seq_at(position))
