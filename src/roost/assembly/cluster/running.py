"""The roles that a process of a cluster may take, and what runs in each.

ClusterEngines -> cluster_node -> Node -> edges of the role edge; reactors of the others
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

import structlog

from roost.adapters.cache.pushed_timelines import PushedTimelines
from roost.adapters.cache.redis_timelines import RedisTimelines
from roost.adapters.cache.repeated_pushes import RepeatedPushes
from roost.adapters.cache.seeded_timelines import SeededTimelines
from roost.adapters.log.kafka.group import GroupMember
from roost.assembly.accounts import erase_user
from roost.assembly.cluster.announcer import beat, relay
from roost.assembly.cluster.caches import HOMES, SharedCaches
from roost.assembly.cluster.engines import ClusterEngines
from roost.assembly.cluster.trust import BEAT_EVERY_S
from roost.assembly.contents import clean_contents, start_content_work
from roost.assembly.node import (
    COUNT_EVERY_S,
    FORGET_EVERY_S,
    Node,
    ended,
    make_node,
    start_fan_out,
    start_views,
)
from roost.assembly.reactor import Progress, Reactor, of_event
from roost.assembly.settings import BadSetting, Settings
from roost.assembly.views import build_views
from roost.ports.cache import TimelineCache
from roost.reactions.fan_out import FanOut, OwnRests
from roost.reactions.share_timelines import ShareTimelines

ROLES = ("edge", "fan_out", "index", "notify", "count", "outbox")
NOTE_PUSHED_EVERY_S = 1.0
INDEX_LINGER_S = 0.5
"""Each batch ends with a commit of Solr's, which opens its index anew in every replica."""
FAN_OUT_AT_ONCE = 1_000_000_000
"""All of it: what is pushed up to a moment can only be told where nothing is left for later. The celebrity threshold
bounds how long one author holds up the others of the same partition."""

log = structlog.get_logger("roost.cluster")


def read_roles(text: str) -> tuple[str, ...]:
    """Of names separated by commas; all where none is named. Raises BadSetting."""
    named = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in named if name not in ROLES]
    if unknown:
        raise BadSetting(f"role: {', '.join(unknown)} is none of {', '.join(ROLES)}")
    return named or ROLES


@asynccontextmanager
async def cluster_node(cluster: ClusterEngines, settings: Settings, roles: Collection[str]) -> AsyncIterator[Node]:
    """A node whose views follow the log and whose roles' reactions run; its edges are built by the caller."""
    engines = cluster.engines
    shared = _shared_timelines(cluster, settings)
    caches = SharedCaches(
        settings,
        cluster.redis,
        engines.clock,
        engines.randomness,
        cluster.is_current,
        partial(_seeded, cluster, shared) if "edge" in roles else lambda near: near,
    )
    views = build_views(engines, settings, caches)
    position = await engines.log.end()
    await views.celebrities.load()
    pushes = RepeatedPushes(shared, engines.clock.monotonic_s)
    pushed = PushedTimelines(pushes)
    node = make_node(engines, settings, views, Progress(engines.log, position), retired=pushed)
    cluster.announcer.apply = node.refresh
    start_views(node, position)
    if "edge" in roles:
        start_fan_out(node, position)
        await clean_contents(engines, settings).sweep_uploads()  # what a killed process left in this folder
    async with ended(node):
        await _start(node, cluster, roles, pushes, pushed)
        yield node


async def _start(
    node: Node, cluster: ClusterEngines, roles: Collection[str], pushes: RepeatedPushes, pushed: TimelineCache
) -> None:
    if "fan_out" in roles:
        _share(node, cluster, pushes, pushed)
    if "index" in roles:
        await _index(node, cluster)
    if "notify" in roles:
        node.react("notify", node.notify, lambda _: node.notify.flush())
        node.react("erase", erase_user(node))
    if "count" in roles:
        node.react("celebrate", node.celebrate)
        node.react("count", node.count, lambda _: node.count.flush(), COUNT_EVERY_S)
    if "outbox" in roles:
        node.tasks.append(asyncio.create_task(relay(cluster.stores.outbox, cluster.log), name="relay"))
        node.tasks.append(asyncio.create_task(beat(cluster.log, BEAT_EVERY_S), name="beat"))
        await start_content_work(node)


def _share(node: Node, cluster: ClusterEngines, pushes: RepeatedPushes, pushed: TimelineCache) -> None:
    """Push onto the timelines that all share, and tell the edges how far that is done."""
    views = node.views
    fan_out = FanOut(views.followers, pushed, views.celebrities, OwnRests(), at_once=FAN_OUT_AT_ONCE)
    member = cluster.log.subscribe("fan_out")
    reaction = ShareTimelines(fan_out, pushed, views.celebrities)
    node.start(Reactor("fan_out_shared", member, of_event(reaction), node.progress))
    node.keep(NOTE_PUSHED_EVERY_S, partial(_note_pushed, member, pushes), "note_pushed")


async def _note_pushed(member: GroupMember, pushes: RepeatedPushes) -> None:
    for partition, until_ms in member.dealt_with_ms.items():
        await pushes.note_pushed(partition, until_ms)


async def _index(node: Node, cluster: ClusterEngines) -> None:
    """Members share the work; whoever finds the index empty fills it from the stores first."""
    await cluster.tweet_index.open()
    await cluster.user_index.open()
    if await node.index.applied() is None:
        async for done in node.index.rebuild(await node.engines.log.end()):
            log.info("indexing", rows=done)
    subscription = node.engines.log.subscribe("index")
    node.start(
        Reactor("index", subscription, of_event(node.index), node.progress, node.index.flush, linger_s=INDEX_LINGER_S)
    )
    node.keep(FORGET_EVERY_S, node.engines.tweet_index.forget_removed, "forget_removed")


def _shared_timelines(cluster: ClusterEngines, settings: Settings) -> RedisTimelines:
    engines = cluster.engines
    return RedisTimelines(
        cluster.redis,
        HOMES,
        settings.timeline_length,
        engines.randomness,
        engines.clock.monotonic_s,
        parts=cluster.log.partitions,
        ttl_s=settings.cache_ttl_s,
    )


def _seeded(cluster: ClusterEngines, shared: RedisTimelines, near: TimelineCache) -> TimelineCache:
    return SeededTimelines(near, shared, cluster.engines.clock.now_ms, cluster.is_current)
