"""The EventLog on Kafka.

stores' announcements, reactions -> append -> (the topic) -> Follower -> Tail; (the topic) -> GroupMember
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from roost.adapters.log.kafka import topic as topics
from roost.adapters.log.kafka.edges import Edges
from roost.adapters.log.kafka.follower import AT_HAND_MAX, Follower
from roost.adapters.log.kafka.group import GroupMember
from roost.adapters.log.kafka.places import (
    checked_places_at,
    dense,
    is_within,
    places_at,
    position_at,
    position_of,
)
from roost.adapters.log.kafka.records import heartbeat, record_of
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.tail import Backlogs, Tail, passed
from roost.adapters.log.kafka.topic import Topic
from roost.domain.errors import DependencyDown, Draining, Gone
from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.log import Logged

APPEND_S_MAX = 15.0
"""A broker that dies is replaced within some 10 s."""
READ_S_MAX = 5.0
AT_ONCE_MAX = 512
LOOK_S = 0.05


class KafkaEventLog:
    """`open` before use. A process is one member of each group: to subscribe anew takes the earlier one's place."""

    def __init__(
        self,
        servers: KafkaServers,
        now_ms: Callable[[], int],
        topic: Topic,
        at_hand_max: int = AT_HAND_MAX,
        note: Callable[[Event], None] | None = None,
        on_gap: Callable[[], None] = lambda: None,
    ) -> None:
        self._servers = servers
        self._now_ms = now_ms
        self._topic = topic
        self._follower = Follower(servers, topic.name, at_hand_max, note, on_gap)
        self._members: dict[str, GroupMember] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._edges = Edges(servers, topic.name)
        self._backlogs = Backlogs(servers, topic.name)
        self._producer: AIOKafkaProducer | None = None
        self._producing = asyncio.Lock()
        self.closed = False

    async def open(self) -> Self:
        """Make the topic where it is not there, and begin to follow it from its end. Raises DependencyDown."""
        self._admin = AIOKafkaAdminClient(**self._servers.options())
        with self._servers.asked():
            try:
                await self._admin.start()
            except BaseException:
                await self._admin.close()
                raise
        try:
            partitions = await topics.made(self._admin, self._servers, self._topic)
            await self._edges.open(partitions)
            await self._follower.open(partitions)
        except BaseException:
            await self._edges.close()
            await self._admin.close()
            raise
        return self

    async def close(self) -> None:
        """Let those who wait go on with nothing; groups are told what was confirmed."""
        self.closed = True
        await self._follower.close()
        await asyncio.gather(*(member.close() for member in self._members.values()), *self._leaving)
        await self._backlogs.close()
        await self._edges.close()
        if self._producer is not None:
            await self._stop(self._producer)
        await self._admin.close()

    @property
    def partitions(self) -> int:
        return self._follower.partitions

    @property
    def heard_ms(self) -> int:
        """All that was on the log by then has come here, Unix time: heartbeats move it on where nothing happens."""
        return self._follower.heard_ms

    async def heard_within(self, seconds: float, since_ms: int) -> bool:
        """Whether a record that is younger than that comes through every partition within so long."""
        try:
            async with asyncio.timeout(seconds):
                while self.heard_ms < since_ms:  # noqa: ASYNC110 - heartbeats wake nobody
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            return False
        return True

    async def append(self, events: Sequence[Event]) -> Position:
        """Raises DependencyDown: then some of them may be on the log all the same."""
        return await self.append_within(APPEND_S_MAX, events)

    async def append_within(self, seconds: float, events: Sequence[Event]) -> Position:
        """The same with a bound of the caller's."""
        places: dict[int, int] = {}
        for first in range(0, len(events), AT_ONCE_MAX):
            records = [record_of(event) for event in events[first : first + AT_ONCE_MAX]]
            for partition, offset in await self._send(seconds, records):
                places[partition] = max(offset + 1, places.get(partition, 0))
        return position_at(places)

    async def beat(self) -> None:
        """Put a heartbeat into each partition. Raises DependencyDown."""
        producer = await self._ready_producer(APPEND_S_MAX)
        at_ms = self._now_ms()
        with self._servers.asked():
            async with asyncio.timeout(APPEND_S_MAX):
                sent = [
                    await producer.send(self._topic.name, b"", partition=n, timestamp_ms=at_ms, headers=heartbeat())
                    for n in range(self._follower.partitions)
                ]
                await asyncio.gather(*sent)

    async def end(self) -> Position:
        return position_of(await self._edges.nexts())

    def subscribe(self, group: str) -> GroupMember:
        earlier = self._members.get(group)
        if earlier is not None:
            leaving = asyncio.ensure_future(earlier.close())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        member = self._members[group] = GroupMember(self._servers, self._topic.name, group)
        return member

    def tail(self, after: Position) -> Tail:
        """Raises Invalid where the position is malformed."""
        return Tail(self._follower, self._backlogs, checked_places_at(after))

    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        places = places_at(after)
        nexts = None if places is None else dense(places, self._follower.partitions)
        if nexts is None:
            return None
        first, end = await self._edges.first(), await self._edges.nexts()
        if not (is_within(first, nexts) and is_within(nexts, end)):
            return None
        try:
            async with asyncio.timeout(READ_S_MAX):
                return await self._read(nexts, end, limit)
        except Gone:
            return None
        except TimeoutError as error:
            raise DependencyDown(f"the log was not read up to its end within {READ_S_MAX:.0f} s") from error

    def is_reached(self, position: Position, by: Position) -> bool:
        reached = checked_places_at(by)
        return all(offset <= reached.get(partition, 0) for partition, offset in checked_places_at(position).items())

    async def lag(self) -> dict[str, int]:
        first, end = await self._edges.first(), await self._edges.nexts()
        groups = dict(await topics.committed(self._admin, self._servers, self._topic))
        for name, member in self._members.items():
            groups[name] = {**groups.get(name, {}), **member.confirmed}
        return {
            name: sum(max(end[n] - max(confirmed.get(n, 0), first[n]), 0) for n in range(len(end)))
            for name, confirmed in groups.items()
        }

    async def drop_before(self, at_ms: int) -> int:
        """Nothing: Kafka drops what is older than the topic's time."""
        return 0

    async def sizes(self) -> Sequence[int]:
        """How many records each partition holds. Raises DependencyDown."""
        first, end = await self._edges.first(), await self._edges.nexts()
        return [end[n] - first[n] for n in range(len(end))]

    async def kept(self) -> topics.Kept:
        """How safely the topic is kept. Raises DependencyDown."""
        return await topics.kept(self._admin, self._servers, self._topic)

    async def _read(self, nexts: list[int], end: Sequence[int], limit: int) -> list[Logged]:
        await self._follower.reach(end)
        number = self._follower.number_after(nexts)
        if number is not None:
            found = self._follower.after(number, 2 * AT_HAND_MAX) or ()  # all there is
            return [logged for one in found if (logged := passed(nexts, one)) is not None][:limit]
        events: list[Logged] = []
        backlog = await self._backlogs.open(nexts)
        try:
            while len(events) < limit and not is_within(end, nexts):
                events += await backlog.read(nexts, limit - len(events))
        finally:
            await backlog.close()
        return events

    async def _send(self, seconds: float, records: Sequence[tuple[bytes, bytes, object]]) -> list[tuple[int, int]]:
        at_ms = self._now_ms()
        with self._servers.asked():
            async with asyncio.timeout(seconds):
                producer = await self._ready_producer(seconds)
                sent = [
                    await producer.send(self._topic.name, value, key, timestamp_ms=at_ms, headers=headers)
                    for key, value, headers in records
                ]
                try:
                    stand = await asyncio.gather(*sent)
                except KafkaError:
                    # After an error an idempotent producer may refuse all that comes: the next one begins anew.
                    await self._replace(producer)
                    raise
        return [(one.partition, one.offset) for one in stand]

    async def _ready_producer(self, seconds: float) -> AIOKafkaProducer:
        if self.closed:
            raise Draining("the log is closed")
        async with self._producing:
            if self._producer is None:
                producer = AIOKafkaProducer(**self._servers.options(), acks="all", enable_idempotence=True)
                with self._servers.asked():
                    try:
                        async with asyncio.timeout(seconds):
                            await producer.start()
                    except BaseException:
                        await self._stop(producer)
                        raise
                self._producer = producer
            return self._producer

    async def _replace(self, failed: AIOKafkaProducer) -> None:
        if self._producer is failed:
            self._producer = None
            await self._stop(failed)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        with contextlib.suppress(KafkaError, TimeoutError, OSError):
            async with asyncio.timeout(READ_S_MAX):
                await producer.stop()
