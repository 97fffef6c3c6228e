"""The EventLog contract. It promises the weakest: at least once, and in no order; so an unruly log is under it too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from contract.kafka_server import drop_from_kafka, fresh_topic, kafka_server
from contract.unruly_log import UnrulyLog
from roost.adapters.clock.manual import ManualClock
from roost.adapters.clock.system import SystemClock
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import Topic
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.sqlite_file import SqliteFile
from roost.domain.errors import Gone, Invalid
from roost.domain.events import Event, Notified
from roost.domain.ids import ID_MAX, Position, UserId
from roost.ports.log import BATCH_MAX, EventLog, Logged, Subscription

START = Position("0")
AT_HAND_FEW = 20
HOUR_MS = 3_600_000
WITHIN_S = 10.0
"""Longer than any wait that ends well: a test that waits so long has failed."""


@dataclass(frozen=True)
class Opened:
    """A log with its clock, how to drop old events that no group needs, and how to close it."""

    log: EventLog
    clock: ManualClock
    drop_before: Callable[[int], Awaitable[int]]
    close: Callable[[], Awaitable[None]]


@asynccontextmanager
async def memory(_: Path) -> AsyncIterator[Opened]:
    clock = ManualClock()
    log = MemoryEventLog(clock.now_ms)
    yield Opened(log, clock, log.drop_before, log.close)


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Opened]:
    """Few events at hand, so that readers that lag read the table."""
    clock = ManualClock()
    file = await SqliteFile(folder / "log.db", clock.now_ms, synchronous="OFF").open()
    log = await SqliteEventLog(file, at_hand_max=AT_HAND_FEW).open()
    try:
        yield Opened(log, clock, log.drop_before, log.close)
    finally:
        await log.close()
        await file.close()


@asynccontextmanager
async def unruly(folder: Path) -> AsyncIterator[Opened]:
    async with sqlite(folder) as opened:
        yield replace(opened, log=UnrulyLog(opened.log))


@asynccontextmanager
async def kafka(_: Path) -> AsyncIterator[Opened]:
    """Few events at hand, so that readers that lag read the topic. Kafka does not believe in clocks of the future."""
    clock = ManualClock(SystemClock().now_ms() - HOUR_MS)
    servers, topic = KafkaServers(kafka_server().bootstrap), Topic(fresh_topic(), partitions=3)
    log = await KafkaEventLog(servers, clock.now_ms, topic, at_hand_max=AT_HAND_FEW).open()
    try:
        yield Opened(log, clock, partial(drop_from_kafka, log, servers, topic), log.close)
    finally:
        if not log.closed:
            await log.close()


LOGS: dict[str, Callable[[Path], AbstractAsyncContextManager[Opened]]] = {
    "memory": memory,
    "sqlite": sqlite,
    "unruly": unruly,
    "kafka": kafka,
}


@pytest.fixture(params=LOGS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opened]:
    async with LOGS[request.param](tmp_path) as it:
        yield it


@pytest.fixture
def log(opened: Opened) -> EventLog:
    return opened.log


def event(number: int) -> Event:
    return Notified(UserId(1), number)


async def fill(log: EventLog, first: int, last: int) -> Position:
    """Append the events of these numbers; where the last one stands."""
    return await log.append([event(number) for number in range(first, last + 1)])


async def until(subscription: Subscription, *numbers: int) -> list[Logged]:
    """Read on until all of these were told."""
    wanted, told = set(numbers), list[Logged]()
    async with asyncio.timeout(WITHIN_S):
        while wanted:
            batch = await subscription.batch()
            assert 1 <= len(batch) <= BATCH_MAX * 2
            told += batch
            wanted -= set(numbers_of(batch))
    return told


def numbers_of(logged: list[Logged] | tuple[Logged, ...] | object) -> list[int]:
    assert isinstance(logged, list | tuple)
    return [each.event.notification_id for each in logged if isinstance(each.event, Notified)]


async def test_an_event_stands_where_appending_says(log: EventLog) -> None:
    first, second = await fill(log, 1, 2), await fill(log, 3, 3)
    assert await log.end() == second
    assert log.is_reached(first, by=second)
    assert not log.is_reached(second, by=first)
    read = await log.read(first, 10)
    assert read is not None
    assert numbers_of(list(read)) == [3]
    assert read[-1].position == second


async def test_an_empty_log_ends_where_it_starts(log: EventLog) -> None:
    assert await log.read(await log.end(), 10) == []
    assert log.is_reached(await log.end(), by=await log.end())


async def test_a_tail_is_told_all_that_comes_after_its_position(log: EventLog) -> None:
    middle = await fill(log, 1, 20)
    await fill(log, 21, 40)
    assert set(numbers_of(await until(log.tail(middle), *range(21, 41)))) == set(range(21, 41))
    assert set(numbers_of(await until(log.tail(START), *range(1, 41)))) == set(range(1, 41))


async def test_a_reader_that_waits_is_told_of_what_comes(log: EventLog) -> None:
    subscription = log.tail(await log.end())
    waiting = asyncio.ensure_future(until(subscription, 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    await fill(log, 1, 1)
    assert set(numbers_of(await waiting)) == {1}


async def test_a_reader_that_gives_up_waiting_misses_nothing(log: EventLog) -> None:
    subscription = log.tail(await log.end())
    told: set[int] = set()
    for number in range(1, 6):
        waiting = asyncio.ensure_future(subscription.batch())
        await asyncio.sleep(0)
        waiting.cancel()
        (given,) = await asyncio.gather(waiting, return_exceptions=True)
        if not isinstance(given, BaseException):
            told.update(numbers_of(given))
        await fill(log, number, number)
    await until(subscription, *({1, 2, 3, 4, 5} - told))


async def test_a_reader_far_behind_is_told_all(log: EventLog) -> None:
    count = BATCH_MAX * 2 + 100
    subscription = log.tail(START)
    await fill(log, 1, 10)
    await until(subscription, *range(1, 11))
    await fill(log, 11, count)
    await until(subscription, *range(11, count + 1))
    await fill(log, count + 1, count + 1)
    await until(subscription, count + 1)


async def test_readers_do_not_take_from_each_other(log: EventLog) -> None:
    readers = [log.tail(START), log.tail(START), log.subscribe("one"), log.subscribe("two")]
    await fill(log, 1, 30)
    for told in await asyncio.gather(*(until(reader, *range(1, 31)) for reader in readers)):
        assert set(numbers_of(told)) == set(range(1, 31))


async def test_who_resumes_at_any_event_misses_none(log: EventLog) -> None:
    end = await fill(log, 1, 40)
    seen: set[int] = set()
    for logged in await until(log.tail(START), *range(1, 41)):
        seen.update(numbers_of([logged]))
        rest = await log.read(logged.position, 100)
        assert rest is not None
        assert seen | set(numbers_of(list(rest))) == set(range(1, 41))
        assert log.is_reached(logged.position, by=end)


async def test_a_new_group_begins_at_the_oldest_event(log: EventLog) -> None:
    await fill(log, 1, 5)
    assert set(numbers_of(await until(log.subscribe("late"), 1, 2, 3, 4, 5))) == {1, 2, 3, 4, 5}


async def test_a_group_goes_on_after_what_it_confirmed(log: EventLog) -> None:
    await fill(log, 1, 10)
    first = log.subscribe("group")
    await first.confirm((await until(first, *range(1, 11)))[-1].position)
    await fill(log, 11, 20)
    await until(first, *range(11, 21))  # not confirmed: told again
    told = await until(log.subscribe("group"), *range(11, 21))
    assert set(numbers_of(told)) == set(range(11, 21))


async def test_confirming_never_goes_back(log: EventLog) -> None:
    early, late = await fill(log, 1, 5), await fill(log, 6, 10)
    subscription = log.subscribe("group")
    await subscription.confirm(late)
    await subscription.confirm(early)
    await fill(log, 11, 11)
    assert set(numbers_of(await until(log.subscribe("group"), 11))) == {11}


async def test_a_tail_confirms_for_nobody(log: EventLog) -> None:
    end = await fill(log, 1, 3)
    await log.tail(START).confirm(end)
    assert set(numbers_of(await until(log.subscribe("group"), 1, 2, 3))) == {1, 2, 3}


async def test_the_lag_of_a_group_is_what_it_has_not_confirmed(log: EventLog) -> None:
    middle, end = await fill(log, 1, 3), await fill(log, 4, 5)
    assert await log.lag() == {}
    subscription = log.subscribe("group")
    assert await log.lag() == {"group": 5}
    await subscription.confirm(middle)
    assert await log.lag() == {"group": 2}
    await subscription.confirm(end)
    log.subscribe("other")
    assert await log.lag() == {"group": 0, "other": 5}


async def test_a_read_is_short_only_at_the_end(log: EventLog) -> None:
    await fill(log, 1, 100)
    first = await log.read(START, 70)
    assert first is not None
    assert numbers_of(list(first)) == list(range(1, 71))
    second = await log.read(first[-1].position, 70)
    assert second is not None
    assert numbers_of(list(second)) == list(range(71, 101))


@pytest.mark.parametrize("position", ["", "x", "-1", "1.5", "١", " 1", "9" * 40, str(ID_MAX + 1), "\ud800"])
async def test_a_malformed_position_is_none_of_the_logs(log: EventLog, position: str) -> None:
    end = await fill(log, 1, 3)
    assert await log.read(Position(position), 10) is None
    with pytest.raises(Invalid):
        log.is_reached(Position(position), by=end)
    with pytest.raises(Invalid):
        log.is_reached(end, by=Position(position))


async def test_a_position_beyond_the_end_is_none_of_the_logs(log: EventLog, tmp_path: Path) -> None:
    end = await fill(log, 1, 3)
    async with memory(tmp_path) as other:
        beyond = await fill(other.log, 1, 4)
    assert await log.read(beyond, 10) is None
    assert await log.read(end, 10) == []


async def test_each_event_says_when_it_was_put_on_the_log(opened: Opened) -> None:
    times = dict[int, int]()
    for number in (1, 2, 3):
        times[number] = opened.clock.now_ms()
        await fill(opened.log, number, number)
        opened.clock.advance(1_000)
    read = await opened.log.read(START, 10)
    assert read is not None
    for logged in [*read, *await until(opened.log.tail(START), 1, 2, 3)]:
        (number,) = numbers_of([logged])
        assert logged.at_ms == times[number]


async def old_and_young(opened: Opened) -> tuple[int, Position]:
    """Events 1 to 50 and, some time later, 51 to 100; the time between, and where the 30th stands."""
    position = await fill(opened.log, 1, 30)
    await fill(opened.log, 31, 50)
    opened.clock.advance(1_000)
    await fill(opened.log, 51, 100)
    return opened.clock.now_ms(), position


async def test_a_position_before_the_oldest_event_is_said_to_be_gone(opened: Opened) -> None:
    log = opened.log
    between, early = await old_and_young(opened)
    assert await opened.drop_before(between) == 50
    assert await log.read(early, 10) is None
    with pytest.raises(Gone):
        await until(log.tail(early), 51)
    assert set(numbers_of(await until(log.subscribe("late"), *range(51, 101)))) == set(range(51, 101))
    assert await log.lag() == {"late": 50}


async def test_what_a_group_has_not_confirmed_is_kept(opened: Opened) -> None:
    log = opened.log
    subscription = log.subscribe("group")
    between, early = await old_and_young(opened)
    assert await opened.drop_before(between) == 0
    await until(subscription, *range(1, 101))
    await subscription.confirm(early)
    assert await opened.drop_before(between) == 30
    assert set(numbers_of(await until(log.subscribe("group"), *range(31, 101)))) == set(range(31, 101))
    assert await log.read(START, 10) is None


async def test_positions_go_on_after_all_was_dropped(opened: Opened) -> None:
    log = opened.log
    end = await fill(log, 1, 50)
    opened.clock.advance(1_000)
    await opened.drop_before(opened.clock.now_ms())
    assert await log.end() == end
    after = await fill(log, 51, 51)
    assert log.is_reached(end, by=after)
    assert not log.is_reached(after, by=end)
    assert set(numbers_of(await until(log.tail(end), 51))) == {51}


async def test_a_closed_log_tells_nothing_more(opened: Opened) -> None:
    subscription = opened.log.tail(await opened.log.end())
    waiting = asyncio.ensure_future(subscription.batch())
    await asyncio.sleep(0)
    await opened.close()
    async with asyncio.timeout(WITHIN_S):
        assert list(await waiting) == []
        assert list(await subscription.batch()) == []
