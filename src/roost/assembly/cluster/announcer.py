"""Facts go onto the log right after their write, within a bound; where Kafka is away, they go as soon as it is back.

stores' outbox -> Announcer -> KafkaEventLog; what is left in the outbox -> relay -> KafkaEventLog
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.domain.errors import RoostError, Unavailable
from roost.domain.events import Event
from roost.domain.ids import Position

ANNOUNCE_S_MAX = 1.0
"""Whoever posts waits no longer for a broker that does not answer."""
AGAIN_S = 0.5
WAITING_MAX = 20_000
"""Facts in memory that wait for Kafka: half a minute at 600 a second. Beyond it the outbox has them."""
RELAY_EVERY_S, RELAY_AT_ONCE = 5.0, 500
"""Facts are left to their writers for 15 s first; each look is some hundred reads of small partitions."""

log = structlog.get_logger("roost.announcer")


class Announcer:
    """`apply` is given what is not on the log yet, so that this node at least shows it; set before the first write."""

    def __init__(self, events: KafkaEventLog) -> None:
        self.apply: Callable[[Event], Awaitable[None]] | None = None
        self._log = events
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._catching_up: asyncio.Task[None] | None = None

    async def __call__(self, events: Sequence[Event]) -> Position | None:
        """None where the log does not have them yet."""
        if self._catching_up is None or self._catching_up.done():
            try:
                return await self._log.append_within(ANNOUNCE_S_MAX, events)
            except Unavailable as error:
                log.warning("facts wait for the log", reason=str(error))
        self._waiting.extend(events)
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = asyncio.create_task(self._catch_up(), name="announce")
        if self.apply is not None:
            for event in events:
                await self.apply(event)
        return None

    async def close(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            await asyncio.gather(self._catching_up, return_exceptions=True)

    async def _catch_up(self) -> None:
        """The oldest first; the outbox tells them once more, which no reader notices."""
        while self._waiting:
            await asyncio.sleep(AGAIN_S)
            some = [self._waiting[at] for at in range(min(len(self._waiting), RELAY_AT_ONCE))]
            try:
                await self._log.append(some)
            except Unavailable:
                continue
            for _ in some:
                self._waiting.popleft()


async def relay(outbox: CassandraOutbox, events: KafkaEventLog) -> None:
    """For ever: put onto the log what its writers could not, the oldest first. Several may do so at once."""
    while True:
        moved = 0
        try:
            pending = await outbox.pending(RELAY_AT_ONCE)
            if pending:
                await events.append([event for _, event in pending])
                await outbox.done([key for key, _ in pending])
                moved = len(pending)
        except RoostError as error:
            log.warning("the outbox waits", reason=str(error))
        if moved < RELAY_AT_ONCE:
            await asyncio.sleep(RELAY_EVERY_S)


async def beat(events: KafkaEventLog, every_s: float) -> None:
    """For ever: let a heartbeat go through the log, so that readers know how far they are."""
    while True:
        with contextlib.suppress(Unavailable):
            await events.beat()
        await asyncio.sleep(every_s)
