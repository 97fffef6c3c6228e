"""Examine a cluster's servers from where roost would use them. Nothing is changed but what a first start would make.

cli.doctor -> examine_cluster -> the servers, one after the other
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from roost.adapters.clock.system import SystemClock
from roost.adapters.content.obstore_bytes import ObstoreBytes
from roost.adapters.index.solr.http import SolrNodes
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.topic import REPLICAS_WANTED, Topic
from roost.adapters.store.cassandra.leases import CassandraNodeLeases
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession
from roost.assembly.cluster.engines import kafka_servers, open_session, redis_link, s3_content, split
from roost.assembly.cluster.file import ClusterFile
from roost.assembly.cluster.trust import STALE_MS
from roost.assembly.examination import Check, fail, ok, warn
from roost.domain.errors import RoostError
from roost.ports.leases import CLOCK_OFF_MS_MAX

LAG_MAX = 10_000
PENDING_MAX = 1_000
HEARTBEAT_WAIT_S = 3.0


async def examine_cluster(file: ClusterFile) -> AsyncIterator[Check]:
    """A check a line, each server's first its being there."""
    async with AsyncExitStack() as stack:
        for examine in (_cassandra, _kafka, _redis, _solr, _s3):
            async for check in examine(file, stack):
                yield check


async def _cassandra(file: ClusterFile, stack: AsyncExitStack) -> AsyncIterator[Check]:
    try:
        session = await open_session(file.cassandra)
    except RoostError as error:
        yield fail("cassandra", str(error), "start its nodes; see servers and port in [cluster.cassandra]")
        return
    stack.push_async_callback(session.close)
    up, known = await session.nodes()
    fact = f"{up} of {known} nodes answer, {file.cassandra.replicas} copies of each row"
    if known < file.cassandra.replicas:
        yield warn("cassandra", fact, "start as many nodes as copies are wanted, or a row has no place for one of them")
    elif up < known:
        yield warn("cassandra", fact, "start those that are down: one of three may be, two may not")
    else:
        yield ok("cassandra", fact)
    yield await _clock(session)
    yield await _outbox(session)


async def _clock(session: CassandraSession) -> Check:
    clock = SystemClock()
    off_ms = abs(await CassandraNodeLeases(session).now_ms() - clock.now_ms())
    if off_ms > CLOCK_OFF_MS_MAX:
        fact = f"{off_ms} ms off the store's, at most {CLOCK_OFF_MS_MAX} allowed: this machine's nodes refuse posts"
        return fail("clock", fact, "let it follow a time server")
    return ok("clock", f"{off_ms} ms off the store's")


async def _outbox(session: CassandraSession) -> Check:
    async def nowhere(_: object) -> None:
        """Nothing is announced from here."""

    pending = await CassandraOutbox(session, SystemClock().now_ms, nowhere).pending(PENDING_MAX)
    if pending:
        more = " or more" if len(pending) >= PENDING_MAX else ""
        return warn("outbox", f"{len(pending)}{more} facts wait for the log", "start a process of the role outbox")
    return ok("outbox", "no fact waits for the log")


async def _kafka(file: ClusterFile, stack: AsyncExitStack) -> AsyncIterator[Check]:
    clock, place = SystemClock(), file.kafka
    log = KafkaEventLog(kafka_servers(place), clock.now_ms, Topic(place.topic, place.partitions))
    try:
        await log.open()
    except RoostError as error:
        yield fail("kafka", str(error), "start its brokers; see servers in [cluster.kafka]")
        return
    stack.push_async_callback(log.close)
    kept = await log.kept()
    fact = f"{kept.brokers} brokers; {place.topic}: {kept.partitions} partitions, {kept.replicas} copies, "
    fact += f"{kept.in_step} in step"
    if kept.in_step < kept.replicas:
        yield warn("kafka", fact, "start the brokers that are down")
    elif kept.replicas < REPLICAS_WANTED <= kept.brokers:
        yield warn("kafka", fact, f"let the topic have {REPLICAS_WANTED} copies: kafka-reassign-partitions")
    else:
        yield ok("kafka", fact)
    async for check in _of_log(log, clock):
        yield check


async def _of_log(log: KafkaEventLog, clock: SystemClock) -> AsyncIterator[Check]:
    beats = await log.heard_within(HEARTBEAT_WAIT_S, clock.now_ms() - STALE_MS)
    if beats:
        yield ok("heartbeat", "comes through every partition of the log")
    else:
        advice = "start a process of the role outbox: without it caches are not believed"
        yield fail("heartbeat", f"none came within {HEARTBEAT_WAIT_S:.0f} s", advice)
    lags = await log.lag()
    if not lags:
        yield warn("reactions", "none has confirmed anything yet", "start processes of the other roles")
    for name, lag in sorted(lags.items()):
        if lag > LAG_MAX:
            yield warn(f"reaction {name}", f"{lag} facts behind", "start more processes of its role")
        else:
            yield ok(f"reaction {name}", f"{lag} facts behind")


async def _redis(file: ClusterFile, stack: AsyncExitStack) -> AsyncIterator[Check]:
    link = redis_link(file.redis, SystemClock())
    stack.push_async_callback(link.close)
    advice = "start it; see [cluster.redis]. Until then cold timelines and cached rows come from the store"
    try:
        primaries = await link.primaries(link.deadline_s())
        for address in primaries:
            await link.ask(address, [["PING"]], link.deadline_s())
    except RoostError as error:
        yield fail("redis", str(error), advice)
        return
    yield ok("redis", f"{len(primaries)} primaries answer" if file.redis.is_cluster else "it answers")


async def _solr(file: ClusterFile, stack: AsyncExitStack) -> AsyncIterator[Check]:
    async def looked(nodes: SolrNodes) -> str:
        status = (await nodes.administer("/admin/collections", {"action": "CLUSTERSTATUS"}))["cluster"]
        collections = sorted(name for name in status["collections"] if name.startswith(f"{file.solr.prefix}_"))
        return f"{len(status['live_nodes'])} nodes live; collections {', '.join(collections) or 'none yet'}"

    nodes = SolrNodes(split(file.solr.servers))
    stack.push_async_callback(nodes.close)
    advice = "start it; see [cluster.solr]. Until then searches are answered 503"
    yield await _tried("solr", lambda: looked(nodes), advice)


async def _s3(file: ClusterFile, stack: AsyncExitStack) -> AsyncIterator[Check]:
    async def looked(stored: ObstoreBytes) -> str:
        await stored.looked_at()
        return f"bucket {file.s3.bucket} answers"

    advice = "start it, make the bucket; see [cluster.s3]. Until then contents are answered 503"
    yield await _tried("s3", lambda: looked(s3_content(file.s3)), advice)


async def _tried(name: str, look: Callable[[], Awaitable[str]], advice: str) -> Check:
    try:
        return ok(name, await look())
    except RoostError as error:
        return fail(name, str(error), advice)
