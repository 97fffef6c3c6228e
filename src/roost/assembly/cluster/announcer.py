"""Facts go onto the log right after their write, within a bound; where Kafka is away, they go as soon as it is back.

stores' outbox -> Announcer -> KafkaEventLog; what is left in the outbox -> relay -> KafkaEventLog
"""

import asyncio
import contextlib
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
RELAY_EVERY_S, RELAY_AT_ONCE = 5.0, 500
"""Facts are left to their writers for 15 s first; each look is some hundred reads of small partitions."""

log = structlog.get_logger("roost.announcer")


class Announcer:
    """What is not on the log yet is given to `apply`, so that this node shows it; set before the first write."""

    def __init__(self, events: KafkaEventLog) -> None:
        self.apply: Callable[[Event], Awaitable[None]] | None = None
        self._log = events
        self._is_away = False

    async def __call__(self, events: Sequence[Event]) -> Position | None:
        """None where the log does not have them yet."""
        if not self._is_away:
            try:
                return await self._log.append_within(ANNOUNCE_S_MAX, events)
            except Unavailable as error:
                log.warning("facts wait for the log", reason=str(error))
                self._is_away = True
        if self.apply is not None:
            for event in events:
                await self.apply(event)
        return None

    async def catch_up(self, outbox: CassandraOutbox) -> None:
        """For ever: once the log is there again, tell it what had to wait, the oldest first."""
        while True:
            await asyncio.sleep(AGAIN_S)
            if self._is_away:
                try:
                    await self._log.beat()  # nobody waits for it, as somebody would for the next post
                except Unavailable:
                    continue
                self._is_away = False
            await outbox.tell_again()


async def relay(outbox: CassandraOutbox, events: KafkaEventLog) -> None:
    """For ever: put onto the log what its writers could not, the oldest first. Several may do so at once."""
    while True:
        moved = 0
        try:
            pending = await outbox.pending(RELAY_AT_ONCE)
            if pending:
                # First whether Kafka is there: what was sent while it is away may still arrive, and be told again too.
                await events.beat()
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
