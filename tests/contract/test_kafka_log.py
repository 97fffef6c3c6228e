"""What only a log in partitions on servers shows: members share work, members and brokers die, newer facts pass."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from api.waiting import eventually
from contract.kafka_server import fresh_topic, kafka_server
from contract.own_server import HOST, READY_S_MAX, free_port
from roost.adapters.clock.system import SystemClock
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.places import START, places_at, position_at, position_of
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import Topic
from roost.domain.errors import DependencyDown
from roost.domain.events import Event, Notified
from roost.domain.ids import UserId
from roost.ports.log import Logged, Subscription
from roost_cluster.engines.jvm import QUICK
from roost_cluster.engines.kafka import Broker, bootstrap, kafka
from roost_cluster.launch import Process

PARTITIONS = 6
WITHIN_S = 30.0
NOW_MS = SystemClock().now_ms


@asynccontextmanager
async def a_log(topic: str, servers: KafkaServers | None = None) -> AsyncIterator[KafkaEventLog]:
    servers = servers or KafkaServers(kafka_server().bootstrap)
    log = await KafkaEventLog(servers, NOW_MS, Topic(topic, PARTITIONS)).open()
    try:
        yield log
    finally:
        await log.close()


def facts(first: int, last: int) -> list[Event]:
    """About a user each, so that they lie in all partitions."""
    return [Notified(UserId(number), number) for number in range(first, last + 1)]


def numbers_of(told: Sequence[Logged]) -> set[int]:
    return {each.event.notification_id for each in told if isinstance(each.event, Notified)}


class Reading:
    """Reads on in the background, confirming all that it was told."""

    def __init__(self, subscription: Subscription) -> None:
        self.told: set[int] = set()
        self._subscription = subscription
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while batch := await self._subscription.batch():
            self.told |= numbers_of(batch)
            await self._subscription.confirm(batch[-1].position)


async def test_members_share_the_work_and_take_over_from_who_leaves() -> None:
    topic = fresh_topic()
    async with a_log(topic) as one:
        first = Reading(one.subscribe("group"))
        await one.append(facts(1, 100))
        await eventually(lambda: first.told == set(range(1, 101)))
        async with a_log(topic) as two:
            second, sent = Reading(two.subscribe("group")), 100
            while not second.told:  # it has to join first
                await one.append(facts(sent + 1, sent + 100))
                sent += 100
                await asyncio.sleep(0.05)
            await eventually(lambda: first.told | second.told == set(range(1, sent + 1)))
            assert len(second.told) < sent - 100
        await one.append(facts(sent + 1, sent + 100))
        await eventually(lambda: first.told | second.told == set(range(1, sent + 101)))
        await asyncio.gather(second.task)
    await asyncio.gather(first.task)


async def test_what_a_killed_member_has_not_confirmed_is_told_to_another() -> None:
    topic, server = fresh_topic(), kafka_server()
    script = Path(__file__).with_name("group_process.py")
    async with a_log(topic) as log:
        await log.append(facts(1, 200))
        member = await asyncio.create_subprocess_exec(
            sys.executable, script, server.bootstrap, topic, stdout=asyncio.subprocess.PIPE
        )
        assert member.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            assert int(await member.stdout.readline()) in range(1, 201)
        member.kill()
        await member.communicate()
        reading = Reading(log.subscribe("group"))
        await eventually(lambda: reading.told == set(range(1, 201)))
    await asyncio.gather(reading.task)


async def test_nothing_acknowledged_is_lost_when_the_broker_is_killed(tmp_path: Path) -> None:
    brokers = [Broker(HOST, free_port(), free_port())]
    launch = kafka(tmp_path, brokers, flags=QUICK)
    process = Process.start(launch)
    try:
        process.wait_ready(READY_S_MAX)
        async with a_log("events", KafkaServers(bootstrap(brokers))) as log:
            tail = log.tail(await log.end())
            await log.append(facts(1, 50))
            process.kill()
            with pytest.raises(DependencyDown, match=f"{HOST}:{brokers[0].port}"):
                await log.append_within(0.5, facts(51, 51))
            process = Process.start(launch)
            await asyncio.to_thread(process.wait_ready, READY_S_MAX)
            async with asyncio.timeout(WITHIN_S):
                while True:
                    try:
                        await log.append(facts(52, 60))
                    except DependencyDown:
                        continue
                    break
            reading = Reading(tail)
            await eventually(lambda: reading.told >= {*range(1, 51), *range(52, 61)})
            read = await log.read(START, 1_000)
            assert read is not None
            assert numbers_of(read) >= {*range(1, 51), *range(52, 61)}
        await asyncio.gather(reading.task)
    finally:
        process.kill()


async def test_heartbeats_say_how_far_a_reader_is_and_are_no_facts() -> None:
    async with a_log(fresh_topic()) as log:
        assert log.heard_ms == 0
        reading = Reading(log.subscribe("group"))
        end, before_ms = await log.end(), NOW_MS()
        await log.append(facts(1, 1))
        await eventually(lambda: reading.told == {1})
        assert log.heard_ms == 0  # five of six partitions were not heard of
        await log.beat()
        await eventually(lambda: log.heard_ms >= before_ms)
        read = await log.read(end, 10)
        assert read is not None
        assert numbers_of(read) == {1}

        async def nothing_is_left() -> bool:
            return await log.lag() == {"group": 0}

        await eventually(nothing_is_left)
    await asyncio.gather(reading.task)


async def test_heartbeats_confirm_nothing_that_was_not_dealt_with() -> None:
    topic = fresh_topic()
    async with a_log(topic) as one:
        member = one.subscribe("group")
        await one.append(facts(1, 60))
        told = set[int]()
        while told < set(range(1, 61)):
            told |= numbers_of(await member.batch())
        reading = asyncio.create_task(member.batch())  # as a reaction reads on while it works
        for _ in range(3):
            await one.beat()
        records = sum((places_at(await one.end()) or {}).values())
        marker = Reading(one.subscribe("marker"))  # of a group that deals with all: when it is through, so is the other
        await eventually(lambda: marker.told == told)
        await eventually(lambda: no_lag(one, "marker"))
        assert (await one.lag())["group"] == records
    assert list(await reading) == []
    await asyncio.gather(marker.task)
    async with a_log(topic) as two:
        again = Reading(two.subscribe("group"))
        await eventually(lambda: again.told == set(range(1, 61)))
    await asyncio.gather(again.task)


async def no_lag(log: KafkaEventLog, group: str) -> bool:
    return (await log.lag())[group] == 0


async def test_what_only_a_newer_version_knows_is_passed_over() -> None:
    topic, servers = fresh_topic(), KafkaServers(kafka_server().bootstrap)
    async with a_log(topic) as log:
        reading = Reading(log.tail(await log.end()))
        producer = AIOKafkaProducer(**servers.options())
        await producer.start()
        for number in range(PARTITIONS):
            headers = [("kind", b"FromTheFuture"), ("trace", b"1")]
            await producer.send_and_wait(topic, b"\x80", partition=number, headers=headers)
            await producer.send_and_wait(topic, b"no header", partition=number)
            await producer.send_and_wait(topic, b"no fact", partition=number, headers=[("kind", b"Notified")])
        await producer.stop()
        await log.append(facts(1, 60))
        await eventually(lambda: reading.told == set(range(1, 61)))
    await asyncio.gather(reading.task)


async def test_a_cursor_of_one_process_is_good_in_another() -> None:
    topic = fresh_topic()
    async with a_log(topic) as one, a_log(topic) as two:
        tail, told, sent = one.tail(await one.end()), list[Logged](), 0
        while sent < 300:
            await two.append(facts(sent + 1, sent + 10))
            sent += 10
            told += await tail.batch()
        while len(told) < sent:
            told += await tail.batch()
        for at in range(0, sent, 37):
            had = numbers_of(told[: at + 1])
            elsewhere = Reading(two.tail(told[at].position))
            wanted = set(range(1, sent + 1)) - had
            await eventually(lambda: elsewhere.told == wanted)  # noqa: B023 - waited for here
            elsewhere.task.cancel()
            read = await two.read(told[at].position, sent)
            assert read is not None
            assert numbers_of(read) == wanted


async def test_a_wrong_address_is_said() -> None:
    port = free_port()
    with pytest.raises(DependencyDown, match=f"Kafka at {HOST}:{port}"):
        await KafkaEventLog(KafkaServers(f"{HOST}:{port}"), NOW_MS, Topic()).open()


def test_places_and_their_text() -> None:
    assert position_of([0, 0]) == START
    assert position_of([0, 7]) == position_at({1: 7}) == "k1.7"
    assert places_at(position_of([3, 0, 2])) == {0: 3, 2: 2}
    assert places_at(position_of([1] * 1_000)) == dict.fromkeys(range(1_000), 1)
    for malformed in ("k", "k1", "k1.", "k1.2-", "k1.2-1.3", "k1.2 ", "1.2", "k-1.2", "k1.1\n", "k" + "9" * 30_000):
        assert places_at(position_at({}).__class__(malformed)) is None
