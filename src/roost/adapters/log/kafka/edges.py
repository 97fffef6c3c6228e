"""Where the topic begins and ends now, asked over a connection of its own.

A broker answers one connection's requests in their order: behind a reader's, which waits for news, a question would
wait half a second.
"""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from roost.adapters.log.kafka.follower import reader
from roost.adapters.log.kafka.servers import KafkaServers


class Edges:
    """`open` before use. Offsets are by partition, from 0."""

    def __init__(self, servers: KafkaServers, topic: str) -> None:
        self._servers = servers
        self._topic = topic
        self._consumer: AIOKafkaConsumer | None = None

    async def open(self, partitions: int) -> None:
        """Raises DependencyDown."""
        self._places = [TopicPartition(self._topic, number) for number in range(partitions)]
        self._consumer = reader(self._servers)
        with self._servers.asked():
            await self._consumer.start()

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def first(self) -> Sequence[int]:
        """The oldest offset kept. Raises DependencyDown."""
        return await self._ask("beginning_offsets")

    async def nexts(self) -> Sequence[int]:
        """The next offset to come. Raises DependencyDown."""
        return await self._ask("end_offsets")

    async def _ask(self, question: str) -> Sequence[int]:
        with self._servers.asked():
            answer = await getattr(self._consumer, question)(self._places)
        return [answer[place] for place in self._places]
