"""A Kafka of one broker for tests; each test has a topic of its own."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from contract.own_server import HOST, OncePerProcess, free_port, run_until_exit
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import Topic, committed
from roost_cluster.engines.jvm import QUICK
from roost_cluster.engines.kafka import Broker, bootstrap, kafka
from roost_cluster.launch import Process

TOLD_S_MAX = 10.0
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class KafkaServer:
    bootstrap: str
    process: Process


def _start(folder: Path) -> KafkaServer:
    brokers = [Broker(HOST, free_port(), free_port())]
    return KafkaServer(bootstrap(brokers), run_until_exit(kafka(folder, brokers, flags=QUICK)))


kafka_server = OncePerProcess("Kafka", _start)


def fresh_topic() -> str:
    """A name that no other test has."""
    return f"test.{next(_NUMBERS)}"


async def drop_from_kafka(log: KafkaEventLog, servers: KafkaServers, topic: Topic, at_ms: int) -> int:
    """What an operator may do before the topic's time is up: drop what is older and confirmed by all groups."""
    admin, consumer = AIOKafkaAdminClient(**servers.options()), AIOKafkaConsumer(**servers.options())
    await admin.start()
    await consumer.start()
    try:
        places = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        young = await consumer.offsets_for_times(dict.fromkeys(places, at_ms))
        async with asyncio.timeout(TOLD_S_MAX):
            while (groups := _all_told(await committed(admin, servers, topic), await log.lag(), first, end)) is None:
                pass
        dropped = 0
        for place in places:
            upto = end[place] if young[place] is None else young[place].offset
            upto = min([upto, *(group[place.partition] for group in groups)])
            dropped += max(upto - first[place], 0)
            if upto > first[place]:
                await admin.delete_records({place: RecordsToDelete(before_offset=upto)})
        return dropped
    finally:
        await consumer.stop()
        await admin.close()


def _all_told(
    told: Mapping[str, Mapping[int, int]],
    lags: Mapping[str, int],
    first: Mapping[TopicPartition, int],
    end: Mapping[TopicPartition, int],
) -> Sequence[Mapping[int, int]] | None:
    """What each group has confirmed, by partition; None while Kafka does not know yet of all that was confirmed."""
    begin = {place.partition: offset for place, offset in first.items()}
    groups = {name: {**begin, **told.get(name, {})} for name in lags}
    as_told = {name: sum(end.values()) - sum(places.values()) for name, places in groups.items()}
    return list(groups.values()) if as_told == lags else None
