"""A process that is a member of a group: says each number that it was told, and confirms nothing."""

import asyncio
import sys

from roost.adapters.clock.system import SystemClock
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import Topic
from roost.domain.events import Notified


async def main(bootstrap: str, topic: str) -> None:
    log = await KafkaEventLog(KafkaServers(bootstrap), SystemClock().now_ms, Topic(topic)).open()
    subscription = log.subscribe("group")
    while batch := await subscription.batch():
        for logged in batch:
            if isinstance(logged.event, Notified):
                print(logged.event.notification_id, flush=True)  # noqa: T201 - what it is for


asyncio.run(main(*sys.argv[1:]))
