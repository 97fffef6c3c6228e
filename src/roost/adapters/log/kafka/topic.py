"""The topic that the log is, and what its keeper can say of it: whether it is kept safely, who lags."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError

from roost.adapters.log.kafka.servers import KafkaServers

REPLICAS_WANTED = 3
KEPT_MS = 7 * 86_400_000
KNOWN_S_MAX, ASK_AGAIN_S = 15.0, 0.05
"""A new topic is known to all brokers, and its partitions have leaders, within a second."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What to make where it is not there yet. More partitions let more members of a group share the work."""

    name: str = "roost.events"
    partitions: int = 12
    kept_ms: int = KEPT_MS


def group_id(topic: str, group: str) -> str:
    """What Kafka calls a group of this log: two logs of one Kafka have groups of their own."""
    return f"{topic}.{group}"


async def made(admin: AIOKafkaAdminClient, servers: KafkaServers, topic: Topic) -> int:
    """Make the topic unless it is there: on three brokers, two of which must have what is acknowledged; on fewer where
    there are fewer. How many partitions it has. Raises DependencyDown.
    """
    with servers.asked():
        if topic.name not in await admin.list_topics():
            await _make(admin, topic)
        async with asyncio.timeout(KNOWN_S_MAX):
            while True:
                (described,) = await admin.describe_topics([topic.name])
                partitions = described["partitions"]
                if not described["error_code"] and partitions and all(one["leader"] >= 0 for one in partitions):
                    return len(partitions)
                await asyncio.sleep(ASK_AGAIN_S)


async def _make(admin: AIOKafkaAdminClient, topic: Topic) -> None:
    brokers = (await admin.describe_cluster())["brokers"]
    replicas = min(REPLICAS_WANTED, len(brokers))
    settings = {
        "retention.ms": str(topic.kept_ms),
        "min.insync.replicas": "2" if replicas >= REPLICAS_WANTED else "1",
        "unclean.leader.election.enable": "false",
    }
    try:
        answer = await admin.create_topics([NewTopic(topic.name, topic.partitions, replicas, topic_configs=settings)])
    except TopicAlreadyExistsError:
        return
    for _, code, *said in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise KafkaError(f"topic {topic.name} was not made: {said[0] or code}")


@dataclass(frozen=True, slots=True)
class Kept:
    """How the topic is kept: copies of each partition, and how many of them are in step, the least over all."""

    brokers: int
    partitions: int
    replicas: int
    in_step: int


async def kept(admin: AIOKafkaAdminClient, servers: KafkaServers, topic: Topic) -> Kept:
    """Raises DependencyDown."""
    with servers.asked():
        brokers = len((await admin.describe_cluster())["brokers"])
        (described,) = await admin.describe_topics([topic.name])
        partitions = described["partitions"]
        return Kept(
            brokers,
            len(partitions),
            min((len(one["replicas"]) for one in partitions), default=0),
            min((len(one["isr"]) for one in partitions), default=0),
        )


async def committed(admin: AIOKafkaAdminClient, servers: KafkaServers, topic: Topic) -> Mapping[str, Mapping[int, int]]:
    """What the topic's groups have confirmed: the next offset by partition. Raises DependencyDown."""
    prefix = group_id(topic.name, "")
    with servers.asked():
        found: dict[str, Mapping[int, int]] = {}
        for name, *_ in await admin.list_consumer_groups():
            if name.startswith(prefix):
                offsets = await admin.list_consumer_group_offsets(name)
                found[name.removeprefix(prefix)] = {
                    place.partition: at.offset
                    for place, at in offsets.items()
                    if isinstance(place, TopicPartition) and place.topic == topic.name and at.offset >= 0
                }
        return found
