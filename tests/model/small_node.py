"""A node with the real commands, queries, views and reactions, everything small, whose log is told by hand.

Only the node's own views (`refresh`) follow the log by themselves, before a command returns, as in the product.
Every other reaction is told when a test says so: late, out of order, and again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar, cast

from model.interleaving import Interleaving, watch
from model.small_stores import Ground
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.clock.mint import Mint
from roost.assembly.engines import Stores
from roost.commands.delete_tweet import DeleteTweet
from roost.commands.like_tweet import LikeTweet, UnlikeTweet
from roost.commands.post_tweet import PostTweet
from roost.commands.relate import Relate
from roost.commands.update_profile import UpdateProfile
from roost.domain.events import Event, FanOutRest, TweetPosted
from roost.domain.ids import Position, UserId
from roost.edge.cells import CellShelf
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.edge.settled_homes import SettledHomes
from roost.queries.home_timeline import HomeTimeline
from roost.queries.notifications import Notifications
from roost.queries.thread import Thread
from roost.queries.tweet_lists import TweetLists
from roost.queries.user_timeline import UserTimeline
from roost.reactions.celebrate import Celebrate
from roost.reactions.count import Count
from roost.reactions.fan_out import FOLLOWERS_AT_ONCE, FanOut, LoggedRests
from roost.reactions.notify import Notify
from roost.reactions.refresh import Refresh
from roost.views.celebrities import CelebrityView
from roost.views.contents import ContentView
from roost.views.relations import FollowerView, RelationView
from roost.views.sessions import SessionView
from roost.views.sight import Sight
from roost.views.timelines import HomeTimelines, Segment, UserTimelines
from roost.views.tweets import TweetView
from roost.views.users import UserView
from roost.views.viewer_acts import ViewerActs

K = TypeVar("K")
V = TypeVar("V")

TIMELINE_LENGTH = 8
SEGMENT_LENGTH = 12
OWNERS_MAX = 8
"""More than there are users: a test that wants evictions asks for less."""
ENTRIES_MAX = 12
TWEETS_MAX = 60
TTL_S = 1_000.0
CELEBRITY_THRESHOLD = 3
CELEBRITIES_MAX = 3
FOLLOWING_MAX = 1_000
EVENTS_A_READ = 1_000
REMEMBERED = 30
"""Events that were told lately and may be told again."""


@dataclass
class Way:
    """A reaction's way along the log."""

    react: Callable[[Event], Awaitable[None]]
    pending: list[Event] = field(default_factory=list)
    under_way: list[Event] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)

    async def tell(self, nth: int = 0) -> None:
        """Tell one of the pending events, if there is any; by default the oldest."""
        if not self.pending:
            return
        event = self.pending.pop(nth % len(self.pending))
        self.under_way.append(event)
        await self.react(event)
        self.under_way.remove(event)
        self.told = [*self.told, event][-REMEMBERED:]

    async def repeat(self, nth: int) -> None:
        if self.told:
            await self.react(self.told[nth % len(self.told)])

    async def catch_up(self) -> None:
        while self.pending:
            await self.tell()


class _Following:
    """Tells the node's views all that is on the log, in some order. Implements ports.log.NodeProgress."""

    def __init__(self, node: "SmallNode") -> None:
        self._node = node
        self.deaf = False

    async def reached(self, position: Position) -> bool:
        if self.deaf:
            return False
        await self._node.catch_up_views()
        return True


class SmallNode:
    """`deaf` commands return before the views know what they did: as those of another node would."""

    # Saboteurs bring their own.
    values: type[MemoryReadThrough[object, object]] = MemoryReadThrough
    timelines: type[MemoryTimelines] = MemoryTimelines
    celebrity_view: type[CelebrityView] = CelebrityView
    followers_at_once = FOLLOWERS_AT_ONCE

    def __init__(self, ground: Ground, seed: int = 0, owners_max: int = OWNERS_MAX) -> None:
        self.ground = ground
        self.owners_max = owners_max
        self.interleaving = Interleaving()
        self.stores = watch(ground.stores, self.interleaving)
        self.ids = Mint(ground.clock, node=1)
        self.progress = _Following(self)
        self.chance = Random(seed)
        self.position = Position("0")
        self.count = Count(self.stores.counts, self.ids)
        self.uncounted: list[Event] = []
        self._build_views()
        self.ways = {
            "refresh": Way(self._refresh),
            "fan_out": Way(self.fan_out),
            "notify": Way(self._notify),
            "count": Way(self._count),
            "celebrate": Way(self.celebrate),
        }

    async def restart(self) -> None:
        """Nothing but the stores, the log, and how far each reaction has come is left."""
        await self.pull()
        self.count = Count(self.stores.counts, self.ids)
        self._build_views()
        ways = self.ways
        ways["refresh"] = Way(self._refresh)  # views that are empty have nothing to catch up with
        ways["fan_out"].react, ways["notify"].react = self.fan_out, self._notify
        ways["celebrate"].react = self.celebrate
        ways["count"].pending[:0] = self.uncounted
        self.uncounted = []
        await self.celebrities.load()

    async def pull(self) -> None:
        """Hear of all that is on the log."""
        logged = await self.ground.log.read(self.position, EVENTS_A_READ)
        assert logged is not None
        if logged:
            self.position = logged[-1].position
            for way in self.ways.values():
                way.pending.extend(each.event for each in logged)

    async def catch_up_views(self) -> None:
        await self.pull()
        refresh = self.ways["refresh"]
        with self.interleaving.quiet():
            while refresh.pending:
                await refresh.tell(self.chance.randrange(len(refresh.pending)))
                if self.chance.random() < 0.2:
                    await refresh.repeat(self.chance.randrange(REMEMBERED))

    async def settle(self) -> None:
        """Everything is told and counted, until nothing more comes of it."""
        while True:
            await self.catch_up_views()
            for name in ("fan_out", "notify", "count", "celebrate"):
                await self.ways[name].catch_up()
            await self.flush_counts()
            await self.pull()
            if not any(way.pending for way in self.ways.values()):
                return

    async def flush_counts(self) -> None:
        await self.count.flush()
        self.uncounted = []

    def undelivered(self) -> set[int]:
        """Tweets that fan_out has yet to push to all followers."""
        way = self.ways["fan_out"]
        events = [*way.pending, *way.under_way]
        return {event.tweet_id for event in events if isinstance(event, TweetPosted | FanOutRest)}

    async def forget_all(self) -> None:
        """The caches are lost."""
        for cache in self.caches:
            await cache.clear()

    def sweep(self) -> None:
        for cache in self.caches:
            cache.sweep()

    async def _notify(self, event: Event) -> None:
        await self.notify(event)
        await self.notify.flush()

    async def _refresh(self, event: Event) -> None:
        await self.refresh(event)
        self.shelf.noted(event)

    async def _count(self, event: Event) -> None:
        self.uncounted.append(event)
        await self.count(event)

    def _cache(self, weight_max: int = ENTRIES_MAX, weigh: Callable[[V], int] = lambda _: 1) -> MemoryReadThrough[K, V]:
        cache = self.values(weight_max, TTL_S, self.ground.clock.monotonic_s, cast("Callable[[object], int]", weigh))
        self.caches.append(cache)
        return cast("MemoryReadThrough[K, V]", cache)

    def _timelines(self) -> MemoryTimelines:
        timelines = self.timelines(TIMELINE_LENGTH, self.owners_max, TTL_S, self.ground.clock.monotonic_s)
        self.caches.append(timelines)
        return timelines

    def _build_views(self) -> None:
        stores = self.stores
        self.caches: list[MemoryReadThrough[object, object] | MemoryTimelines] = []
        self.tweets = TweetView(stores.tweets, self._cache(TWEETS_MAX), stores.counts, self._cache(TWEETS_MAX))
        self.users = UserView(stores.accounts, self._cache(), self._cache(), stores.counts, self._cache())
        self.relations = RelationView(stores.relations, self._cache())
        self.followers = FollowerView(stores.relations, self._cache(), page_size=self.followers_at_once)
        self.celebrities = self.celebrity_view(stores.celebrities)
        self.acts = ViewerActs(stores.likes, stores.tweets, self._cache())
        self.sessions = SessionView(stores.sessions, self._cache(), self.ground.clock)
        self.homes, self.user_homes = self._timelines(), self._timelines()
        self.home_segments: MemoryReadThrough[UserId, Segment] = self._cache(self.owners_max)
        self.user_segments: MemoryReadThrough[UserId, Segment] = self._cache(self.owners_max)
        self.user_timelines = UserTimelines(
            self.user_homes, self.user_segments, stores.tweets, TIMELINE_LENGTH, SEGMENT_LENGTH
        )
        self.home_timelines = HomeTimelines(
            self.homes,
            self.home_segments,
            stores.tweets,
            self.relations,
            self.celebrities,
            self.user_timelines,
            TIMELINE_LENGTH,
            SEGMENT_LENGTH,
        )
        self.sight = Sight(self.tweets, self.users, self.relations)
        contents = ContentView(stores.contents, self._cache())
        addresses = ContentAddresses("", b"key", self.ground.clock)
        self.renderer = TweetRenderer(self.tweets, self.acts, contents, addresses, TWEETS_MAX)
        self.shelf = CellShelf(self.renderer, self.tweets.count_cache, TWEETS_MAX)
        self.settled_homes = SettledHomes(
            self.home_timelines, self.sight, self.acts, contents, self.shelf, self.owners_max
        )
        self._build_reactions(stores)
        self._build_acts(stores)

    def _build_reactions(self, stores: Stores) -> None:
        self.refresh = Refresh(
            tweets=self.tweets.cache,
            tweet_counts=self.tweets.count_cache,
            users=self.users.cache,
            user_counts=self.users.count_cache,
            relations=self.relations.cache,
            followers=self.followers.cache,
            homes=self.homes,
            home_segments=self.home_segments,
            user_timelines=self.user_homes,
            user_segments=self.user_segments,
            celebrities=self.celebrities,
            sessions=self.sessions,
            acts=self.acts,
        )
        rests = LoggedRests(self.ground.log, followers_a_turn=1)
        self.fan_out = FanOut(self.followers, self.homes, self.celebrities, rests, at_once=self.followers_at_once)
        self.notify = Notify(stores.notifications, self.tweets, stores.likes, stores.relations)
        self.celebrate = Celebrate(
            stores.celebrities,
            self.celebrities,
            self.followers,
            self.homes,
            self.ids,
            CELEBRITY_THRESHOLD,
            CELEBRITIES_MAX,
        )

    def _build_acts(self, stores: Stores) -> None:
        self.post = PostTweet(
            stores.tweets,
            stores.contents,
            self.ids,
            self.ground.clock,
            _Undetermined(),
            self.tweets,
            self.users,
            self.celebrities,
            self.sight,
            self.progress,
        )
        self.delete = DeleteTweet(stores.tweets, self.ids, self.sight, self.progress)
        self.like = LikeTweet(stores.likes, self.ids, self.sight, self.progress)
        self.unlike = UnlikeTweet(stores.likes, self.sight, self.progress)
        self.relate = Relate(stores.relations, self.ids, self.users, self.relations, self.progress, FOLLOWING_MAX)
        self.update_profile = UpdateProfile(stores.accounts, stores.contents, stores.relations, self.ids, self.progress)
        self.home_timeline = HomeTimeline(self.home_timelines, self.sight)
        self.user_timeline = UserTimeline(self.user_timelines, self.users, self.relations, self.sight)
        self.thread = Thread(stores.tweets, self.tweets, self.sight)
        self.tweet_lists = TweetLists(stores.tweets, stores.likes, self.users, self.relations, self.sight)
        self.notifications = Notifications(stores.notifications, self.users, self.relations, self.sight)


class _Undetermined:
    """Tells no language: that is another's business. Implements ports.language.LanguageDetector."""

    def detect(self, text: str) -> str:
        return "und"


class NodeInTurns(SmallNode):
    """Its fan-outs take one follower at a time: between two turns anything may happen."""

    followers_at_once = 1
