"""All engines of one process of a cluster, opened in the order in which they need one another.

serving -> open_cluster -> ClusterEngines -> running
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from roost.adapters.clock.system import SystemClock, SystemRandomness
from roost.adapters.content.obstore_bytes import ObstoreBytes, s3_bytes
from roost.adapters.content.upload_folder import UploadFolder
from roost.adapters.errands.in_process import InProcessErrands
from roost.adapters.index.solr.collection import Layout
from roost.adapters.index.solr.http import SolrNodes
from roost.adapters.index.solr.tweets import SolrTweetIndex
from roost.adapters.index.solr.users import SolrUserIndex
from roost.adapters.language.fasttext_detector import FastTextLanguageDetector
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.servers import KafkaServers
from roost.adapters.log.kafka.topic import Topic
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.adapters.redis_link import RedisLink
from roost.adapters.store.cassandra.leases import CassandraNodeLeases
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.signing_in import SigningIn
from roost.adapters.store.cassandra.stores import CassandraStores, cassandra_stores
from roost.assembly.cluster.announcer import Announcer
from roost.assembly.cluster.file import CassandraPlace, ClusterFile, KafkaPlace, RedisPlace, S3Place, addresses
from roost.assembly.cluster.lease import LeasedMint, leased_mint
from roost.assembly.cluster.trust import Trust
from roost.assembly.data_folder import DataFolder
from roost.assembly.embedded import mailer, passwords
from roost.assembly.engines import Engines, Stores
from roost.assembly.settings import Settings
from roost.domain.events import Event, TweetPosted

REDIS_PORT = 6_379


@dataclass(frozen=True, slots=True)
class ClusterEngines:
    """The ports, and what only a cluster has."""

    engines: Engines
    log: KafkaEventLog
    redis: RedisLink
    stores: CassandraStores
    tweet_index: SolrTweetIndex
    user_index: SolrUserIndex
    announcer: Announcer
    is_current: Trust


@asynccontextmanager
async def open_cluster(
    settings: Settings, file: ClusterFile, folder: DataFolder, on_lost: Callable[[str], None]
) -> AsyncIterator[ClusterEngines]:
    """`on_lost` is called, with the reason, where this process has to end and begin anew. Raises Unavailable, in one
    sentence for who operates it, where a server cannot be used.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        session = await open_session(file.cassandra)
        stack.push_async_callback(session.close)
        ids = await stack.enter_async_context(
            leased_mint(CassandraNodeLeases(session), clock, lambda: on_lost("its node number went to another process"))
        )
        log = await _open_log(file.kafka, clock, ids, on_lost)
        stack.push_async_callback(log.close)
        announcer = Announcer(log)
        stores = await stack.enter_async_context(cassandra_stores(session, clock.now_ms, announcer))
        catching_up = asyncio.create_task(announcer.catch_up(stores.outbox), name="announce")
        stack.push_async_callback(asyncio.wait, [catching_up])
        stack.callback(catching_up.cancel)
        redis = redis_link(file.redis, clock)
        stack.push_async_callback(redis.close)
        solr = SolrNodes(split(file.solr.servers))
        stack.push_async_callback(solr.close)
        layout = Layout(file.solr.prefix, file.solr.shards, file.solr.replicas)
        indexes = SolrTweetIndex(solr, layout), SolrUserIndex(solr, layout, clock)
        is_current = Trust(clock, lambda: log.heard_ms)
        shared = _Shared(stores, log, indexes, s3_content(file.s3), ids, file.key, is_current)
        engines = await _with_own(stack, settings, folder, clock, shared)
        yield ClusterEngines(engines, log, redis, stores, *indexes, announcer, is_current)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What this process shares with others."""

    stores: CassandraStores
    log: KafkaEventLog
    indexes: tuple[SolrTweetIndex, SolrUserIndex]
    content_bytes: ObstoreBytes
    ids: LeasedMint
    signing_key: bytes
    is_current: Trust


async def _with_own(
    stack: AsyncExitStack, settings: Settings, folder: DataFolder, clock: SystemClock, shared: _Shared
) -> Engines:
    """All ports, with those that every process has for itself."""
    randomness, hasher, media = SystemRandomness(), passwords(settings), ChildProcessor()
    errands = await stack.enter_async_context(InProcessErrands())
    stack.callback(hasher.close)
    stack.push_async_callback(media.close)
    language = FastTextLanguageDetector()
    loading = asyncio.ensure_future(asyncio.to_thread(language.load))
    stack.push_async_callback(asyncio.wait, [loading])
    return Engines(
        stores=stores_over(shared.stores),
        log=shared.log,
        tweet_index=shared.indexes[0],
        user_index=shared.indexes[1],
        content_bytes=shared.content_bytes,
        uploads=UploadFolder(folder.uploads),
        media=media,
        mailer=mailer(settings, folder, clock, randomness),
        passwords=hasher,
        language=language,
        clock=clock,
        randomness=randomness,
        errands=errands,
        ids=shared.ids,
        signing_key=shared.signing_key,
        used_tickets=shared.stores.used_tickets,
        is_current=shared.is_current,
    )


async def _open_log(
    place: KafkaPlace, clock: SystemClock, ids: LeasedMint, on_lost: Callable[[str], None]
) -> KafkaEventLog:
    log = KafkaEventLog(
        kafka_servers(place),
        clock.now_ms,
        Topic(place.topic, place.partitions),
        note=_noter(ids),
        on_gap=lambda: on_lost("the log no longer has what comes next"),
    )
    return await log.open()


async def open_session(place: CassandraPlace) -> CassandraSession:
    """Raises DependencyDown."""
    session = CassandraSession(
        split(place.servers),
        place.port,
        place.keyspace,
        datacenter=place.datacenter,
        replicas=place.replicas,
        signing_in=SigningIn(place.username, place.password, place.tls, _path(place.ca_file)),
    )
    return await session.open()


def kafka_servers(place: KafkaPlace) -> KafkaServers:
    return KafkaServers(place.servers, place.username, place.password, place.tls, _path(place.ca_file))


def redis_link(place: RedisPlace, clock: SystemClock) -> RedisLink:
    return RedisLink(
        addresses(place.servers, REDIS_PORT, "[cluster.redis] servers"),
        clock.monotonic_s,
        is_cluster=place.is_cluster,
        username=place.username or None,
        password=place.password or None,
        tls=place.tls,
        ca_file=place.ca_file or None,
    )


def s3_content(place: S3Place) -> ObstoreBytes:
    return s3_bytes(
        place.endpoint,
        place.bucket,
        place.access_key_id,
        place.secret_access_key,
        region=place.region,
        prefix=place.prefix,
    )


def stores_over(stores: CassandraStores) -> Stores:
    """The system of record in Cassandra."""
    return Stores(
        accounts=stores.accounts,
        sessions=stores.sessions,
        tokens=stores.tokens,
        tweets=stores.tweets,
        relations=stores.relations,
        likes=stores.likes,
        notifications=stores.notifications,
        counts=stores.counts,
        celebrities=stores.celebrities,
        contents=stores.contents,
        reports=stores.reports,
    )


def _noter(ids: LeasedMint) -> Callable[[Event], None]:
    def note(event: Event) -> None:
        if isinstance(event, TweetPosted):
            ids.mint.heard(event.author_id, event.tweet_id)

    return note


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def split(servers: str) -> list[str]:
    """Of names separated by commas."""
    return [one.strip() for one in servers.split(",") if one.strip()]
