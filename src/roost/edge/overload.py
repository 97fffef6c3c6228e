"""Refuse at once what could only be answered late.

assembly.serving (the ticks) -> LateLoop <- edge.native.app, edge.live.session

All requests of a process take turns on one event loop. Where more come than it can bear, each turn takes longer, and
everybody waits: so while the loop runs late by its own work, new requests are answered 503 before anything is done for
them, which costs some 20 µs, and those that were let in keep their latency.
"""

import asyncio
import time
from dataclasses import dataclass

from roost.domain.errors import Overloaded

TICK_S = 0.02
LATE_S_MAX = 0.05
TICKS_LATE_MAX = 3
"""Late once or twice is a pause of the collector or of the machine; three times in a row is a queue."""
OWN_SHARE_MIN = 0.7
"""Of the time between two ticks that the loop worked: below it the machine was busy elsewhere, and refusing helps
nobody."""


@dataclass(slots=True)
class LateLoop:
    """Counts ticks in a row that came late by the loop's own work. `refused` counts who was sent away."""

    ticks_late: int = 0
    refused: int = 0
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
