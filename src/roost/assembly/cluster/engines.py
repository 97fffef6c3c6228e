"""All engines of one process of a cluster, opened in the order in which they need one another.

serving -> open_cluster -> ClusterEngines -> running
"""

import asyncio
import os
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
    """The ports, and what only a cluster has. `partitions` are those of the log."""

    engines: Engines
    log: KafkaEventLog
    redis: RedisLink
    stores: CassandraStores
    tweet_index: SolrTweetIndex
    user_index: SolrUserIndex
    announcer: Announcer
    is_current: Trust
    partitions: int


@asynccontextmanager
async def open_cluster(
    settings: Settings, file: ClusterFile, folder: DataFolder, on_lost: Callable[[str], None]
) -> AsyncIterator[ClusterEngines]:
    """`on_lost` is called, with the reason, where this process has to end and begin anew. Raises Unavailable, in one
    sentence for who operates it, where a server cannot be used.
    """
    clock, randomness = SystemClock(), SystemRandomness()
    async with AsyncExitStack() as stack:
        session = await open_session(file.cassandra)
        stack.push_async_callback(session.close)
        ids = await stack.enter_async_context(
            leased_mint(CassandraNodeLeases(session), clock, lambda: on_lost("its node number went to another process"))
        )
        log = KafkaEventLog(
            kafka_servers(file.kafka),
            clock.now_ms,
            Topic(file.kafka.topic, file.kafka.partitions),
            note=_noter(ids),
            on_gap=lambda: on_lost("the log no longer has what comes next"),
        )
        await log.open()
        stack.push_async_callback(log.close)
        announcer = Announcer(log)
        stack.push_async_callback(announcer.close)
        stores = await stack.enter_async_context(cassandra_stores(session, clock.now_ms, announcer))
        redis = redis_link(file.redis, clock)
        stack.push_async_callback(redis.close)
        solr = SolrNodes(_split(file.solr.servers))
        stack.push_async_callback(solr.close)
        layout = Layout(file.solr.prefix, file.solr.shards, file.solr.replicas)
        errands = await stack.enter_async_context(InProcessErrands())
        hasher = passwords(settings)
        stack.callback(hasher.close)
        media = ChildProcessor()
        stack.push_async_callback(media.close)
        language = FastTextLanguageDetector()
        loading = asyncio.ensure_future(asyncio.to_thread(language.load))
        stack.push_async_callback(asyncio.wait, [loading])
        tweet_index, user_index = SolrTweetIndex(solr, layout), SolrUserIndex(solr, layout, clock)
        is_current = Trust(clock, lambda: log.heard_ms)
        engines = Engines(
            stores=stores_over(stores),
            log=log,
            tweet_index=tweet_index,
            user_index=user_index,
            content_bytes=s3_content(file.s3),
            uploads=UploadFolder(folder.uploads / str(os.getpid())),
            media=media,
            mailer=mailer(settings, folder, clock, randomness),
            passwords=hasher,
            language=language,
            clock=clock,
            randomness=randomness,
            errands=errands,
            ids=ids,
            signing_key=file.key,
            used_tickets=stores.used_tickets,
            is_current=is_current,
        )
        yield ClusterEngines(
            engines, log, redis, stores, tweet_index, user_index, announcer, is_current, file.kafka.partitions
        )


async def open_session(place: CassandraPlace) -> CassandraSession:
    """Raises DependencyDown."""
    session = CassandraSession(
        _split(place.servers), place.port, place.keyspace, datacenter=place.datacenter, replicas=place.replicas
    )
    return await session.open()


def kafka_servers(place: KafkaPlace) -> KafkaServers:
    ca_file = Path(place.ca_file) if place.ca_file else None
    return KafkaServers(place.servers, place.username, place.password, place.tls, ca_file)


def redis_link(place: RedisPlace, clock: SystemClock) -> RedisLink:
    return RedisLink(
        addresses(place.servers, REDIS_PORT, "[cluster.redis] servers"),
        clock.monotonic_s,
        is_cluster=place.is_cluster,
        username=place.username or None,
        password=place.password or None,
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


def _split(servers: str) -> list[str]:
    return [one.strip() for one in servers.split(",") if one.strip()]
