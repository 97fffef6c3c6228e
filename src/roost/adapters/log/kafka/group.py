"""A member of a group: members share out the partitions, and each goes on where the group confirmed to be."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from roost.adapters.log.kafka.follower import PULL_AGAIN_S, PULL_WAIT_MS
from roost.adapters.log.kafka.places import Places, checked_places_at, position_at
from roost.adapters.log.kafka.records import event_in, log
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import group_id
from roost.domain.errors import DependencyDown
from roost.domain.ids import Position
from roost.ports.log import BATCH_MAX, Logged

SESSION_MS = 6_000
"""So long the partitions of a member that was killed wait for another."""
HEARTBEAT_MS = 1_500
CONFIRM_DELAY_S = 0.5
"""What was confirmed since is told again after a crash."""
POLL_MS_MAX = 600_000
"""A reaction may wait for a dependency so long before its partitions go to another member."""


class GroupMember(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Implements ports.log.Subscription. It joins the group with the first `batch` or `confirm`."""

    def __init__(self, servers: KafkaServers, topic: str, group: str) -> None:
        self._servers = servers
        self._topic = topic
        self._group = group
        self._consumer: AIOKafkaConsumer | None = None
        self._joining = asyncio.Lock()
        self._given: dict[int, int] = {}
        self._owed: dict[int, int] = {}  # the same of facts alone: what has to be confirmed by who was given them
        self._heard_ms: dict[int, int] = {}
        self._confirmed: dict[int, int] = {}
        self._uncommitted: set[int] = set()
        self._committing: asyncio.Task[None] | None = None
        self.closed = False

    @property
    def confirmed(self) -> dict[int, int]:
        """The next offset to be dealt with, of the partitions that this member has and confirmed something of."""
        return self._confirmed

    @property
    def dealt_with_ms(self) -> dict[int, int]:
        """All that those partitions held by then is confirmed: the time of the newest record, where that is so."""
        return {
            partition: at_ms
            for partition, at_ms in self._heard_ms.items()
            if self._confirmed.get(partition, 0) >= self._given.get(partition, 1)
        }

    async def batch(self) -> Sequence[Logged]:
        while not self.closed:
            try:
                consumer = await self._joined()
                got = await consumer.getmany(timeout_ms=PULL_WAIT_MS, max_records=BATCH_MAX)
            except (KafkaError, DependencyDown, OSError) as error:
                if not self.closed:
                    log.warning("the log cannot be read", group=self._group, reason=str(error))
                    await asyncio.sleep(PULL_AGAIN_S)
                continue
            events = self._take(got)
            if events:
                return events
            if got:
                self._confirm_heartbeats()
        return ()

    def _take(self, got: dict[TopicPartition, list[Any]]) -> Sequence[Logged]:
        events: list[Logged] = []
        for place, records in got.items():
            for record in records:
                self._given[place.partition] = record.offset + 1
                self._heard_ms[place.partition] = record.timestamp
                event = event_in(record)
                if event is not None:
                    self._owed[place.partition] = record.offset + 1
                    events.append(Logged(position_at(self._given), event, record.timestamp))
        return events

    def _confirm_heartbeats(self) -> None:
        """What came after the facts, if all of those are dealt with: there is nothing to do for it."""
        if all(self._confirmed.get(partition, 0) >= offset for partition, offset in self._owed.items()):
            self._confirm(self._given)

    async def confirm(self, position: Position) -> None:
        places = checked_places_at(position)
        with contextlib.suppress(DependencyDown):
            await self._joined()
            self._confirm(places)
            self._confirm_heartbeats()

    async def close(self) -> None:
        """Tell the group what was confirmed, and leave it."""
        self.closed = True
        if self._committing is not None:
            self._committing.cancel()
            await asyncio.gather(self._committing, return_exceptions=True)
        if self._consumer is not None:
            await self._commit()
            await self._consumer.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._commit()
        for place in revoked:
            self._given.pop(place.partition, None)
            self._owed.pop(place.partition, None)
            self._heard_ms.pop(place.partition, None)
            self._confirmed.pop(place.partition, None)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """They are read from where the group confirmed to be."""

    async def _joined(self) -> AIOKafkaConsumer:
        async with self._joining:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(
                    **self._servers.options(),
                    group_id=group_id(self._topic, self._group),
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    session_timeout_ms=SESSION_MS,
                    heartbeat_interval_ms=HEARTBEAT_MS,
                    max_poll_interval_ms=POLL_MS_MAX,
                    fetch_max_wait_ms=PULL_WAIT_MS,
                )
                consumer.subscribe([self._topic], listener=self)
                with self._servers.asked():
                    try:
                        await consumer.start()
                    except BaseException:
                        await consumer.stop()
                        raise
                self._consumer = consumer
            return self._consumer

    def _confirm(self, places: Places) -> None:
        for partition, offset in places.items():
            if offset > self._confirmed.get(partition, 0):
                self._confirmed[partition] = offset
                self._uncommitted.add(partition)
        if self._uncommitted and (self._committing is None or self._committing.done()):
            self._committing = asyncio.create_task(self._commit_later())

    async def _commit_later(self) -> None:
        while self._uncommitted and not self.closed:
            await asyncio.sleep(CONFIRM_DELAY_S)
            await self._commit()

    async def _commit(self) -> None:
        """Of the partitions that this member still has; where it fails, a later one, or another member tells again."""
        consumer = self._consumer
        if consumer is None:
            return
        has = {place.partition for place in consumer.assignment()}
        telling = {at: self._confirmed[at] for at in self._uncommitted if at in has and at in self._confirmed}
        self._uncommitted &= has
        if not telling:
            return
        try:
            await consumer.commit({TopicPartition(self._topic, at): offset for at, offset in telling.items()})
        except (KafkaError, OSError) as error:
            log.warning("what was confirmed is not told yet", group=self._group, reason=str(error))
            return
        self._uncommitted -= {at for at, offset in telling.items() if self._confirmed.get(at) == offset}
