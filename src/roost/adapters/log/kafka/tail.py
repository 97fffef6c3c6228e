"""One reader's way along all partitions: from what the process has at hand, by a consumer of its own before that."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from roost.adapters.log.kafka.follower import PULL_WAIT_MS, Followed, Follower, reader
from roost.adapters.log.kafka.places import Places, dense, is_within, position_of
from roost.adapters.log.kafka.records import event_in
from roost.adapters.log.kafka.servers import KafkaServers
from roost.domain.errors import DependencyDown, Gone
from roost.domain.ids import Position
from roost.ports.log import BATCH_MAX, Logged

READ_AGAIN_S = 0.5


class Tail:
    """Implements ports.log.Subscription for a reader who is alone."""

    def __init__(self, follower: Follower, backlogs: "Backlogs", after: Places) -> None:
        self._follower = follower
        self._backlogs = backlogs
        self._after = after
        self._nexts: list[int] | None = None
        self._number: int | None = None  # where to go on at hand
        self._catching_up: Backlog | None = None

    async def batch(self) -> Sequence[Logged]:
        """Raises Gone where the log does not reach back to where this reader is."""
        follower = self._follower
        while not follower.closed:
            if self._number is None and not self._come_to_hand():
                events = await self._read_back()
            else:
                events = self._take(BATCH_MAX)
            if events:
                return events
            if self._number is not None:
                await follower.beyond(self._number)
        await self.close()
        return ()

    async def confirm(self, position: Position) -> None:
        """A reader alone confirms for nobody."""

    async def close(self) -> None:
        if self._catching_up is not None:
            await self._catching_up.close()
            self._catching_up = None

    def _come_to_hand(self) -> bool:
        if self._nexts is None:
            self._nexts = dense(self._after, self._follower.partitions)
        if self._nexts is None:
            raise Gone("the position names partitions that the log does not have")
        self._number = self._follower.number_after(self._nexts)
        return self._number is not None

    def _take(self, limit: int) -> Sequence[Logged]:
        assert self._number is not None and self._nexts is not None  # noqa: S101, PT018 - as batch() calls it
        found = self._follower.after(self._number, limit)
        if found is None:
            self._number = None
            return ()
        self._number += len(found)
        return [logged for one in found if (logged := passed(self._nexts, one)) is not None]

    async def _read_back(self) -> Sequence[Logged]:
        assert self._nexts is not None  # noqa: S101 - as batch() calls it
        try:
            if self._catching_up is None:
                self._catching_up = await self._backlogs.open(self._nexts)
            events = await self._catching_up.read(self._nexts, BATCH_MAX)
        except DependencyDown:
            await self.close()
            await asyncio.sleep(READ_AGAIN_S)
            return ()
        if is_within(self._follower.begin, self._nexts):
            await self.close()
        return events


def passed(nexts: list[int], one: Followed) -> Logged | None:
    """The fact with the place of a reader who goes past it; None where he has it. `nexts` moves on."""
    if one.offset < nexts[one.partition]:
        return None
    nexts[one.partition] = one.offset + 1
    if is_within(nexts, one.nexts):
        nexts[:] = one.nexts
        return one.logged
    return Logged(position_of(nexts), one.logged.event, one.logged.at_ms)


class Backlogs:
    """Consumers of their own for what is no longer at hand."""

    def __init__(self, servers: KafkaServers, topic: str) -> None:
        self._servers = servers
        self._topic = topic
        self._open: set[Backlog] = set()

    async def open(self, nexts: Sequence[int]) -> "Backlog":
        """To be closed. Raises Gone where the topic no longer has what comes next, DependencyDown."""
        consumer = reader(self._servers)
        with self._servers.asked():
            try:
                await consumer.start()
                await self._assign(consumer, nexts)
            except BaseException:
                await consumer.stop()
                raise
        backlog = Backlog(self._servers, consumer, self._open.discard)
        self._open.add(backlog)
        return backlog

    async def close(self) -> None:
        for backlog in list(self._open):
            await backlog.close()

    async def _assign(self, consumer: AIOKafkaConsumer, nexts: Sequence[int]) -> None:
        places = [TopicPartition(self._topic, number) for number in range(len(nexts))]
        consumer.assign(places)
        first = await consumer.beginning_offsets(places)
        for place in places:
            partition, begin, wanted = place.partition, first[place], nexts[place.partition]
            if wanted < begin:
                raise Gone(f"partition {partition} of the log begins at {begin}, {wanted} lies before it")
        for place in places:
            consumer.seek(place, nexts[place.partition])


class Backlog:
    """One of them."""

    def __init__(
        self, servers: KafkaServers, consumer: AIOKafkaConsumer, on_close: "Callable[[Backlog], None]"
    ) -> None:
        self._servers = servers
        self._consumer = consumer
        self._on_close = on_close

    async def close(self) -> None:
        self._on_close(self)
        await self._consumer.stop()

    async def read(self, nexts: list[int], limit: int) -> Sequence[Logged]:
        """Some facts from there on; `nexts` moves on. None may come within the wait. Raises Gone, DependencyDown."""
        with self._servers.asked():
            try:
                got = await self._consumer.getmany(timeout_ms=PULL_WAIT_MS, max_records=limit)
            except OffsetOutOfRangeError as error:
                raise Gone("the log no longer has what comes next") from error
        events: list[Logged] = []
        for place, records in got.items():
            for record in records:
                nexts[place.partition] = record.offset + 1
                event = event_in(record)
                if event is not None:
                    events.append(Logged(position_of(nexts), event, record.timestamp))
        return events
