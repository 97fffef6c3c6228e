"""Refuse at once what could only be answered late.

assembly.serving (the ticks) -> LateLoop <- edge.native.app, edge.live.session

All requests of a process take turns on one event loop. Where more come than it can bear, each turn takes longer, and
everybody waits: so while the loop runs late by its own work, new requests are answered 503 before anything is done for
them, which costs some 20 µs, and those that were let in keep their latency. What waits for other threads, as posts do,
keeps no loop late: of those only so many are taken in at a time.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from roost.domain.errors import Overloaded

WAITS = "roost.waits"
"""In the scope of a request that is counted as waiting."""
WAITING_MAX = 100
"""Requests that are parsed and whose turn has not come: as many as are read in one go wait for one another. At 250 µs
each that is 25 ms."""
TICK_S = 0.02
LATE_S_MAX = 0.05
TICKS_LATE_MAX = 3
"""Late once or twice is a pause of the collector or of the machine; three times in a row is a queue."""
OWN_SHARE_MIN = 0.7
"""Of the time between two ticks that the loop worked: below it the machine was busy elsewhere, and refusing helps
nobody."""


IN_FLIGHT_OF_KIND_MAX: Mapping[str, int] = {"post": 64, "search": 64}
"""Requests of a kind (by their rate limit's name) that are worked on at a time in one process. What is taken in waits
for those before it: at 2,000 posts and 4,000 searches a second that is 30 and 15 ms."""


@dataclass(slots=True)
class InFlight:
    """How many of a kind are worked on, with a bound for each kind that has one. `refused` counts who was sent away."""

    bounds: Mapping[str, int] = field(default_factory=lambda: IN_FLIGHT_OF_KIND_MAX)
    refused: int = 0
    _counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def one(self, kind: str | None) -> Iterator[None]:
        """Raises Overloaded where as many as may be are in already."""
        bound = self.bounds.get(kind or "")
        if kind is None or bound is None:
            yield
            return
        count = self._counts.get(kind, 0)
        if count >= bound:
            self.refused += 1
            raise Overloaded(f"{bound} requests of this kind ({kind}) are worked on already")
        self._counts[kind] = count + 1
        try:
            yield
        finally:
            self._counts[kind] -= 1


@dataclass(slots=True)
class LateLoop:
    """Counts ticks in a row that came late by the loop's own work, requests that wait for their turn, and those of some
    kinds that are worked on. `refused` counts who was sent away, but for what the kinds' bounds refused.
    """

    ticks_late: int = 0
    waiting: int = 0
    refused: int = 0
    kinds: InFlight = field(default_factory=InFlight)
    _due_s: float = 0.0
    _worked_s: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to tick on the running loop."""
        loop = asyncio.get_running_loop()
        self._worked_s = time.thread_time()
        self._due_s = loop.time() + TICK_S
        self._timer = loop.call_at(self._due_s, self._tick, loop)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_crowded(self) -> bool:
        """Whether as many wait for their turn as may."""
        return self.waiting >= WAITING_MAX

    def check(self) -> None:
        """Raises Overloaded while the loop runs late."""
        if self.ticks_late >= TICKS_LATE_MAX:
            self.refused += 1
            raise Overloaded("this process has more to do than it can do in time")

    def observe(self, late_s: float, own_share: float) -> None:
        """A tick came so late; the loop worked for this share of the time since the one before."""
        self.ticks_late = self.ticks_late + 1 if late_s > LATE_S_MAX and own_share >= OWN_SHARE_MIN else 0

    def tick(self, now_s: float, worked_s: float) -> None:
        """A tick came: `worked_s` is the processor time of the loop's thread so far."""
        late_s = now_s - self._due_s
        self.observe(late_s, (worked_s - self._worked_s) / (TICK_S + max(late_s, 0.0)))
        self._worked_s, self._due_s = worked_s, now_s + TICK_S

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self.tick(loop.time(), time.thread_time())
        self._timer = loop.call_at(self._due_s, self._tick, loop)
