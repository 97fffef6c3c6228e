"""A log that does all that the port allows: it tells events out of order, late, and more than once.

It wraps any log. Nobody who uses the product may notice: others run the whole of it over this.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.log import EventLog, Logged, Subscription

WINDOW_DEFAULT = 8
REPEAT_SHARE_DEFAULT = 0.2
REMEMBERED = 64
"""The latest events, which may be told again."""
HELD_S_MAX = 0.02
"""What waits for later events to be told before it is told after so long all the same."""


@dataclass(slots=True)
class UnrulyLog:
    """`window` events may be overtaken; after every event an earlier one is told again with that probability."""

    log: EventLog
    seed: int = 1
    window: int = WINDOW_DEFAULT
    repeat_share: float = REPEAT_SHARE_DEFAULT
    _subscriptions: int = 0

    async def append(self, events: Sequence[Event]) -> Position:
        return await self.log.append(events)

    async def end(self) -> Position:
        return await self.log.end()

    def subscribe(self, group: str) -> "UnrulySubscription":
        return self._unruly(self.log.subscribe(group), None)

    def tail(self, after: Position) -> "UnrulySubscription":
        return self._unruly(self.log.tail(after), after)

    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        return await self.log.read(after, limit)

    def is_reached(self, position: Position, by: Position) -> bool:
        return self.log.is_reached(position, by)

    async def lag(self) -> dict[str, int]:
        return await self.log.lag()

    async def drop_before(self, at_ms: int) -> int:
        return await self.log.drop_before(at_ms)

    def _unruly(self, subscription: Subscription, after: Position | None) -> "UnrulySubscription":
        self._subscriptions += 1
        chance = Random(f"{self.seed} {self._subscriptions}")
        return UnrulySubscription(subscription, after, chance, self.window, self.repeat_share)


@dataclass(slots=True)
class _Waiting:
    logged: Logged
    told: bool = False


@dataclass(slots=True)
class UnrulySubscription:
    """Each event carries the position up to which all were told: so who resumes there misses nothing."""

    subscription: Subscription
    safe: Position | None
    chance: Random
    window: int
    repeat_share: float
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _remembered: deque[Logged] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _reading: "asyncio.Task[Sequence[Logged]] | None" = None
    _closed: bool = False

    async def batch(self) -> Sequence[Logged]:
        while True:
            await self._take_in()
            told = self._tell(everything=self._closed)
            if told or self._closed:
                return told
            if not await self._more_comes():
                return self._tell(everything=True)

    async def confirm(self, position: Position) -> None:
        await self.subscription.confirm(position)

    async def _take_in(self) -> None:
        """Wait for events unless some are held already, and hold them."""
        if self._closed or (self._waiting and self._reading is None):
            return
        if self._reading is None:
            self._reading = asyncio.ensure_future(self.subscription.batch())
        if not self._waiting:
            await asyncio.wait([self._reading])  # a reader that gives up loses no batch
        if self._reading.done():
            batch = self._reading.result()
            self._reading = None
            self._closed = not batch
            self._waiting.extend(map(_Waiting, batch))

    async def _more_comes(self) -> bool:
        """Whether later events come before those that are held must be told."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self.subscription.batch())
        done, _ = await asyncio.wait([self._reading], timeout=HELD_S_MAX)
        return bool(done)

    def _tell(self, *, everything: bool) -> list[Logged]:
        """Some of the events that are held, by chance; all of them, or those that have waited for a whole window."""
        told: list[Logged] = []
        while self._waiting and (everything or len(self._waiting) > self.window):
            if self.safe is None:  # a new group: only the first event's own position is known to be safe
                chosen = self._waiting[0]
            else:
                chosen = self.chance.choice([each for each in list(self._waiting)[: self.window] if not each.told])
            chosen.told = True
            while self._waiting and self._waiting[0].told:
                self.safe = self._waiting.popleft().logged.position
            self._remembered.append(chosen.logged)
            told.append(self._covering_no_event_to_come(chosen.logged))
            if self.chance.random() < self.repeat_share:
                told.append(self._covering_no_event_to_come(self.chance.choice(self._remembered)))
        return told

    def _covering_no_event_to_come(self, logged: Logged) -> Logged:
        if self.safe is None:
            raise AssertionError("the first event was told first")
        return replace(logged, position=self.safe)
