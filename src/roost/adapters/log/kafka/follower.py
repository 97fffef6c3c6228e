"""One reader a process follows the whole topic and decodes each fact once; those near its end are served from it.

Kafka -> Follower (facts at hand, in the order they were read) -> Tail
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from roost.adapters.log.kafka.places import is_within, position_of
from roost.adapters.log.kafka.records import event_in, log
from roost.adapters.log.kafka.servers import KafkaServers
from roost.domain.events import Event
from roost.ports.log import Logged

AT_HAND_MAX = 20_000
"""Facts kept decoded: some 30 MB at the most, half a minute at 600 tweets/s."""
AT_HAND_SLACK_PART = 10
PULL_MAX = 256
PULL_WAIT_MS = 500
PULL_AGAIN_S = 0.2
"""After an error."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A fact, where it stands, and the places after it: what had been read of all partitions by then."""

    logged: Logged
    partition: int
    offset: int
    nexts: tuple[int, ...]


class Follower:
    """`open` before use. `note` is given each fact before any reader. `on_gap` is called where the topic no longer has
    what comes next: what was derived from it must then be taken anew from the stores.
    """

    def __init__(
        self,
        servers: KafkaServers,
        topic: str,
        at_hand_max: int = AT_HAND_MAX,
        note: Callable[[Event], None] | None = None,
        on_gap: Callable[[], None] = lambda: None,
    ) -> None:
        self._servers = servers
        self._topic = topic
        self._at_hand_max = at_hand_max
        self._note = note
        self._on_gap = on_gap
        self._at_hand: list[Followed] = []
        self._first = 0  # the number, in this reader's own counting, of what is first at hand
        self._waiters: list[asyncio.Future[None]] = []
        self._pumping: asyncio.Task[None] | None = None
        self.closed = False

    async def open(self, partitions: int) -> Self:
        """Begin at the topic's end. Raises DependencyDown."""
        self._places = [TopicPartition(self._topic, number) for number in range(partitions)]
        self._consumer = reader(self._servers)
        with self._servers.asked():
            try:
                await self._consumer.start()
                await self._assign()
            except BaseException:
                await self._consumer.stop()
                raise
        self._pumping = asyncio.create_task(self._pump(), name="kafka_follower")
        return self

    async def close(self) -> None:
        """Let those who wait go on with nothing."""
        self.closed = True
        self._wake()
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)
            await self._consumer.stop()

    @property
    def partitions(self) -> int:
        return len(self._nexts)

    @property
    def begin(self) -> tuple[int, ...]:
        """All facts from these places on that were read are at hand."""
        return self._begin

    @property
    def nexts(self) -> Sequence[int]:
        """How far the topic was read."""
        return self._nexts

    @property
    def heard_ms(self) -> int:
        """All that was on the log then was read: the time of the newest record of the partition that lags most."""
        return min(self._heard_ms)

    def number_after(self, nexts: Sequence[int]) -> int | None:
        """From which number on a reader who is there has to look; None where what he lacks is not at hand.

        He may be given some of what he has: others' orders of partitions are not this reader's.
        """
        if not is_within(self._begin, nexts):
            return None
        # The places only rise, so those within his come first.
        return self._first + bisect_right(self._at_hand, 0, key=lambda one: 0 if is_within(one.nexts, nexts) else 1)

    def after(self, number: int, limit: int) -> Sequence[Followed] | None:
        """What is at hand from that number on; None where it no longer is."""
        first = number - self._first
        return None if first < 0 else self._at_hand[first : first + limit]

    async def beyond(self, number: int) -> None:
        """Return once there is something with that number, or the log is closed."""
        while self._first + len(self._at_hand) <= number and not self.closed:
            await self._change()

    async def reach(self, nexts: Sequence[int]) -> None:
        """Return once all before these places was read, or the log is closed."""
        while not is_within(nexts, self._nexts) and not self.closed:
            await self._change()

    async def _change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def _assign(self) -> None:
        self._consumer.assign(self._places)
        nexts = await self._consumer.end_offsets(self._places)
        self._nexts = [nexts[place] for place in self._places]
        self._begin = tuple(self._nexts)
        self._heard_ms = [0] * len(self._places)
        for place, offset in nexts.items():
            self._consumer.seek(place, offset)

    async def _pump(self) -> None:
        while not self.closed:
            try:
                got = await self._consumer.getmany(timeout_ms=PULL_WAIT_MS, max_records=PULL_MAX)
            except OffsetOutOfRangeError as error:
                await self._skip_lost(error.args[0])
                continue
            except (KafkaError, OSError) as error:
                log.warning("the log cannot be read", reason=str(error))
                await asyncio.sleep(PULL_AGAIN_S)
                continue
            for place, records in got.items():
                self._take(place.partition, records)
            if got:
                self._cut()
                self._wake()

    def _take(self, partition: int, records: Sequence[Any]) -> None:
        for record in records:
            offset, at_ms = record.offset, record.timestamp
            self._nexts[partition] = offset + 1
            self._heard_ms[partition] = at_ms
            event = event_in(record)
            if event is None:
                continue
            if self._note is not None:
                self._note(event)
            nexts = tuple(self._nexts)
            self._at_hand.append(Followed(Logged(position_of(nexts), event, at_ms), partition, offset, nexts))

    def _cut(self) -> None:
        if len(self._at_hand) > self._at_hand_max + self._at_hand_max // AT_HAND_SLACK_PART:
            surplus = len(self._at_hand) - self._at_hand_max
            self._begin = self._at_hand[surplus - 1].nexts
            self._first += surplus
            del self._at_hand[:surplus]

    async def _skip_lost(self, lost: dict[TopicPartition, int]) -> None:
        log.error("the log no longer has what comes next: all that follows it begins anew", places=str(lost))
        try:
            first = await self._consumer.beginning_offsets(list(lost))
        except KafkaError:
            return
        for place, offset in first.items():
            self._consumer.seek(place, offset)
            self._nexts[place.partition] = offset
        self._first += len(self._at_hand)
        self._at_hand.clear()
        self._begin = tuple(self._nexts)
        self._on_gap()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def reader(servers: KafkaServers) -> AIOKafkaConsumer:
    """A consumer of its own, in no group, that says so where the topic no longer has what it is to read."""
    return AIOKafkaConsumer(
        **servers.options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=PULL_WAIT_MS,
    )
