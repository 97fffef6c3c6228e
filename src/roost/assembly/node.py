"""One running node: its views, the reactions that keep them, and the housekeeping.

serving -> running_node -> Node (views, progress, reactors)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from roost.assembly.engines import Engines
from roost.assembly.reactor import Progress, Reactor, keep_house, of_event
from roost.assembly.settings import Settings
from roost.assembly.views import Views, build_views
from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.cache import TimelineCache
from roost.ports.log import EventLog, Logged, Subscription
from roost.reactions.celebrate import Celebrate
from roost.reactions.count import Count
from roost.reactions.fan_out import FanOut, OwnRests
from roost.reactions.index_documents import IndexDocuments
from roost.reactions.notify import Notify

COUNT_EVERY_S = 1.0
LINGER_S = 0.05
"""Durable reactions look at the log at most 20 times a second: nobody sees a notification or a result 50 ms earlier."""
SWEEP_EVERY_S = 60.0
FORGET_EVERY_S = 6 * 3_600.0
TRIM_EVERY_S = 60.0

log = structlog.get_logger("roost.node")


@dataclass(slots=True)
class Node:
    """What a running node is made of. `reactors` by name, `room_reactor` among them once a room is added."""

    engines: Engines
    settings: Settings
    views: Views
    progress: Progress
    fan_out: FanOut
    rests: OwnRests
    index: IndexDocuments
    count: Count
    notify: Notify
    celebrate: Celebrate
    # What looks at facts on this node right after its views: before anybody waits on them, and without waiting.
    on_refreshed: list[Callable[[Event], None]] = field(default_factory=list)
    reactors: dict[str, Reactor] = field(default_factory=dict)
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def start(self, reactor: Reactor) -> None:
        """Run a reaction until the log is closed."""
        self.reactors[reactor.name] = reactor
        self.tasks.append(asyncio.create_task(reactor.run(), name=reactor.name))

    def keep(self, seconds: float, act: Callable[[], Awaitable[object]], name: str) -> None:
        """Do some housekeeping every so often."""
        self.tasks.append(asyncio.create_task(keep_house(seconds, act, name), name=name))

    def listen(self, react: Callable[[Logged], Awaitable[None]], position: Position, name: str) -> None:
        """Give all facts after `position` to one more reader of this node, once its views have them."""
        self.start(Reactor(name, self.engines.log.tail(position), react, after=self.progress))

    def react(
        self,
        group: str,
        reaction: Callable[[Event], Awaitable[None]],
        flush: Callable[[Position], Awaitable[None]] | None = None,
        flush_every_s: float = 0.0,
    ) -> None:
        """Run a durable reaction: it goes on after a restart where it left off."""
        subscription = self.engines.log.subscribe(group)
        self.start(Reactor(group, subscription, of_event(reaction), self.progress, flush, flush_every_s, LINGER_S))

    async def refresh(self, event: Event) -> None:
        """Apply a fact to the views of this node, and to what is derived from them."""
        await self.views.refresh(event)
        for note in self.on_refreshed:
            note(event)

    async def lag(self) -> dict[str, int]:
        """Facts not yet confirmed, by durable reaction."""
        return await self.engines.log.lag()

    async def sweep(self) -> None:
        dropped = self.views.caches.sweep()
        if dropped:
            log.debug("caches swept", dropped=dropped)


@dataclass(frozen=True, slots=True)
class _TailAs:
    """Reads after a position of its own, and confirms under a group's name, so that the log is kept for it."""

    tail: Subscription
    group: Subscription

    async def batch(self) -> Sequence[Logged]:
        return await self.tail.batch()

    async def confirm(self, position: Position) -> None:
        await self.group.confirm(position)


@asynccontextmanager
async def running_node(engines: Engines, settings: Settings, *, leads: bool = True) -> AsyncIterator[Node]:
    """Views loaded and reactions running. On leaving, the reactions end with what they have read.

    Where it does not lead, `lead` is for later.
    """
    views = build_views(engines, settings)
    position = await engines.log.end()
    await views.celebrities.load()
    node = make_node(engines, settings, views, Progress(engines.log, position))
    start_views(node, position)
    start_fan_out(node, position)
    if leads:
        await lead(node)
    async with ended(node):
        yield node


@asynccontextmanager
async def ended(node: Node) -> AsyncIterator[None]:
    """End its reactions on leaving."""
    try:
        yield
    finally:
        for task in node.tasks:
            task.cancel()
        await asyncio.gather(*node.tasks, return_exceptions=True)


async def idle_node(engines: Engines, settings: Settings) -> Node:
    """A node whose reactions do not run: for work on a folder that nobody serves."""
    views = build_views(engines, settings)
    await views.celebrities.load()
    return make_node(engines, settings, views, Progress(engines.log, await engines.log.end()))


async def lead(node: Node) -> None:
    """Run what writes: one process a folder at a time. Each reaction goes on where the last leader's left off."""
    events, settings, clock = node.engines.log, node.settings, node.engines.clock
    node.react("celebrate", node.celebrate)
    node.react("notify", node.notify, lambda _: node.notify.flush())
    node.react("count", node.count, lambda _: node.count.flush(), COUNT_EVERY_S)
    node.start(
        Reactor(
            "index",
            await _index_subscription(node, events),
            of_event(node.index),
            after=node.progress,
            flush=node.index.flush,
            linger_s=LINGER_S,
        )
    )
    kept_ms = 1_000 * max(settings.log_kept_s, settings.resume_window_s)
    node.keep(TRIM_EVERY_S, lambda: events.drop_before(clock.now_ms() - kept_ms), "trim_log")
    # The words of deleted tweets leave the index's file for good, not only its answers.
    node.keep(FORGET_EVERY_S, node.engines.tweet_index.forget_removed, "forget_removed")


def make_node(
    engines: Engines, settings: Settings, views: Views, progress: Progress, retired: TimelineCache | None = None
) -> Node:
    """A node of which nothing runs yet. `retired` are the home timelines that a demotion forgets, if not its own."""
    stores, ids, rests = engines.stores, engines.ids, OwnRests(is_writing=engines.is_writing)
    return Node(
        engines=engines,
        settings=settings,
        views=views,
        progress=progress,
        fan_out=FanOut(views.followers, views.caches.homes, views.celebrities, rests, tweets=views.tweets),
        rests=rests,
        index=IndexDocuments(
            engines.tweet_index,
            engines.user_index,
            views.tweets,
            views.users,
            stores.tweets,
            stores.accounts,
            engines.log,
        ),
        count=Count(stores.counts, ids),
        notify=Notify(stores.notifications, views.tweets, stores.likes, stores.relations),
        celebrate=Celebrate(
            stores.celebrities,
            views.celebrities,
            views.followers,
            views.caches.homes if retired is None else retired,
            ids,
            settings.celebrity_threshold,
            settings.celebrity_count_max,
        ),
    )


def start_views(node: Node, position: Position) -> None:
    """Keep this node's own views."""
    tail = node.engines.log.tail(position)
    node.start(Reactor("refresh", tail, of_event(node.refresh), on_batch=node.progress.advance))
    node.keep(SWEEP_EVERY_S, node.sweep, "sweep")


def start_fan_out(node: Node, position: Position) -> None:
    """Push onto the home timelines of this process."""
    node.listen(of_event(node.fan_out), position, "fan_out")
    node.start(Reactor("fan_out_rests", node.rests, of_event(node.fan_out)))


async def _index_subscription(node: Node, events: EventLog) -> Subscription:
    applied = await node.index.applied()
    if applied is None or await events.read(applied, 1) is None:
        # New, lost, or older than the log reaches: everything is indexed anew, from the stores.
        applied = await events.end()
        async for done in node.index.rebuild(applied):
            log.info("indexing", rows=done)
    return _TailAs(events.tail(applied), events.subscribe("index"))
