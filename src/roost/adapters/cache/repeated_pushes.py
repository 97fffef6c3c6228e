"""Pushes onto shared timelines that are repeated until each has arrived: what the fan_out role pushes with.

A timeline that lacks a tweet is worse than none. Redis may be away for a while, and a node that takes over, or comes
back with its file, lacks what was pushed just before: those pushes come again. Pushing twice changes nothing.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from roost.domain.ids import TweetId, UserId

AGAIN_S = 10.0
"""What was pushed so long before Redis lost something is pushed again: some ten times the lag of its replicas."""
AGAIN_MAX = 20_000
OWED_MAX = 20_000
"""Pushes that wait for Redis: half a minute at 600 a second. Beyond it all timelines are made cold when it is back."""
AT_ONCE_MAX = 32
"""Pushes that are repeated after a new one, so that new ones are not held up."""
MEND_AT_ONCE_MAX = 1_000


class Put(Protocol):
    @property
    def taken(self) -> int: ...
    @property
    def missed(self) -> Sequence[UserId]: ...


class Timelines(Protocol):
    """Shared timelines that tell what they missed, as RedisTimelines do."""

    @property
    def epoch(self) -> int: ...
    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put: ...
    async def forget_many(self, owners: Collection[UserId]) -> None: ...
    async def clear(self) -> bool: ...
    async def settle(self) -> bool: ...
    async def note_pushed(self, part: int, until_ms: int) -> bool: ...


class RepeatedPushes:
    """Nothing raises. `owed` pushes wait to be repeated.

    What is owed is in this process's memory: a position of the log is to be confirmed once `note_pushed` has answered
    true after it, so that another process goes on from there.
    """

    def __init__(self, timelines: Timelines, monotonic_s: Callable[[], float]) -> None:
        self._timelines = timelines
        self._now_s = monotonic_s
        self._recent: deque[tuple[float, TweetId, Collection[UserId]]] = deque(maxlen=AGAIN_MAX)
        self._owed: deque[tuple[TweetId, Collection[UserId]]] = deque()
        self._is_overrun = False
        self._epoch = timelines.epoch

    @property
    def owed(self) -> int:
        return len(self._owed)

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        """How many warm or warming timelines took it now; those that Redis did not answer for get it later."""
        put = await self._timelines.put(id, owners)
        self._notice_losses()
        self._recent.append((self._now_s(), id, owners))
        if put.missed:
            self._owe([(id, put.missed)])
        else:
            await self._repeat(AT_ONCE_MAX)
        return put.taken

    async def forget_many(self, owners: Collection[UserId]) -> None:
        """Make them cold."""
        await self._timelines.forget_many(owners)

    async def clear(self) -> bool:
        """Make all cold; whether that was possible. Else `mend` does."""
        self._owed.clear()
        self._is_overrun = not await self._timelines.clear()
        return not self._is_overrun

    async def mend(self) -> bool:
        """Repeat some of what is owed; whether every push and every forgetting has arrived."""
        self._notice_losses()
        if self._is_overrun and not await self.clear():
            return False
        await self._repeat(MEND_AT_ONCE_MAX)
        is_settled = await self._timelines.settle()
        return is_settled and not self._owed and not self._is_overrun and self._epoch == self._timelines.epoch

    async def note_pushed(self, part: int, until_ms: int) -> bool:
        """Tell the edges that all which this part of the log held before that moment is pushed; false where it is not.

        To be called about every second, with the time of the log's own heartbeat.
        """
        return await self.mend() and await self._timelines.note_pushed(part, until_ms)

    def _notice_losses(self) -> None:
        oldest_s = self._now_s() - AGAIN_S
        while self._recent and self._recent[0][0] < oldest_s:
            self._recent.popleft()
        if self._epoch != self._timelines.epoch:
            self._epoch = self._timelines.epoch
            self._owe([(id, owners) for _, id, owners in self._recent])

    def _owe(self, pushes: Collection[tuple[TweetId, Collection[UserId]]]) -> None:
        self._owed.extend(pushes)
        if len(self._owed) > OWED_MAX:
            self._owed.clear()
            self._is_overrun = True

    async def _repeat(self, most: int) -> None:
        for _ in range(most):
            if not self._owed:
                return
            id, owners = self._owed.popleft()
            put = await self._timelines.put(id, owners)
            if put.missed:
                self._owed.appendleft((id, put.missed))
                return
