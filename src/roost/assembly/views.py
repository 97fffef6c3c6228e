"""The views of one node over its caches, with their bounds from the settings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.assembly.engines import Engines
from roost.assembly.settings import Settings
from roost.domain.content import Content
from roost.domain.ids import ContentId, TweetId, UserId
from roost.domain.relation import Relations
from roost.domain.tweet import Tweet, TweetCounts
from roost.domain.user import Session, User, UserCounts
from roost.ports.cache import ReadThrough, TimelineCache
from roost.reactions.refresh import Refresh
from roost.views.celebrities import CelebrityView
from roost.views.contents import ContentView
from roost.views.relations import CachedFollowers, FollowerView, RelationView
from roost.views.sessions import SessionView
from roost.views.sight import Sight
from roost.views.timelines import HomeTimelines, Segment, UserTimelines
from roost.views.tweets import TweetView
from roost.views.users import UserView
from roost.views.viewer_acts import Acts, ViewerActs

RELATION_IDS_MAX = 20_000_000
"""Ids in the relations of all viewers that are kept: some 60 bytes each in a set."""
ACT_IDS_MAX = 20_000_000
SEGMENT_IDS_MAX = 4_000_000
USER_INBOX_ROOM = 3
"""A user timeline is pushed to by its user alone: boxes would save nothing there."""


@dataclass(frozen=True, slots=True)
class Views:
    """Views of one node over its caches, and the reaction that keeps them true."""

    caches: "Caches"
    tweets: TweetView
    users: UserView
    relations: RelationView
    followers: FollowerView
    celebrities: CelebrityView
    contents: ContentView
    sessions: SessionView
    acts: ViewerActs
    user_timelines: UserTimelines
    home_timelines: HomeTimelines
    sight: Sight
    refresh: Refresh


K = TypeVar("K")
V = TypeVar("V")


class Swept(ReadThrough[K, V], Protocol):
    """A cache that is swept now and then."""

    def __len__(self) -> int: ...
    def sweep(self) -> int:
        """Drop what is unused for the time-to-live; how many entries went."""
        ...


class Caches:
    """Every cache of a node, empty, with its bound: in entries, or in ids where entries differ much in size.

    `homes` are what views and reactions use; `near_homes` are those of this process.
    """

    def __init__(self, settings: Settings, monotonic_s: Callable[[], float]) -> None:
        ttl, now = settings.cache_ttl_s, monotonic_s
        tweets_max, users_max, length = settings.tweets_cached_max, settings.users_cached_max, settings.timeline_length
        self.tweets: Swept[TweetId, Tweet] = MemoryReadThrough(tweets_max, ttl, now)
        self.tweet_counts: MemoryReadThrough[TweetId, TweetCounts] = MemoryReadThrough(tweets_max, ttl, now)
        self.contents: Swept[ContentId, Content] = MemoryReadThrough(tweets_max, ttl, now)
        self.users: Swept[UserId, User] = MemoryReadThrough(users_max, ttl, now)
        self.names: MemoryReadThrough[str, UserId] = MemoryReadThrough(users_max, ttl, now)
        self.user_counts: MemoryReadThrough[UserId, UserCounts] = MemoryReadThrough(users_max, ttl, now)
        self.sessions: Swept[str, Session] = MemoryReadThrough(users_max, ttl, now)
        self.relations: Swept[UserId, Relations] = MemoryReadThrough(RELATION_IDS_MAX, ttl, now, _relations_weight)
        self.followers: Swept[UserId, CachedFollowers] = MemoryReadThrough(
            settings.follower_ids_cached_max, ttl, now, lambda kept: kept.weight
        )
        self.acts: MemoryReadThrough[UserId, Acts] = MemoryReadThrough(ACT_IDS_MAX, ttl, now, lambda kept: kept.weight)
        self.home_segments: MemoryReadThrough[UserId, Segment] = MemoryReadThrough(
            SEGMENT_IDS_MAX, ttl, now, _segment_weight
        )
        self.user_segments: MemoryReadThrough[UserId, Segment] = MemoryReadThrough(
            SEGMENT_IDS_MAX, ttl, now, _segment_weight
        )
        self.near_homes = MemoryTimelines(length, settings.timelines_cached_max, ttl, now)
        self.homes: TimelineCache = self.near_homes
        self.user_timelines = MemoryTimelines(length, settings.timelines_cached_max, ttl, now, USER_INBOX_ROOM)

    def sweep(self) -> int:
        """Drop all that is unused for the time-to-live; how many entries went."""
        return sum(cache.sweep() for name, cache in vars(self).items() if name != "homes")


def build_views(engines: Engines, settings: Settings, caches: Caches | None = None) -> Views:
    """Views over these caches, or over empty ones; `celebrities` is still to be loaded."""
    stores = engines.stores
    if caches is None:
        caches = Caches(settings, engines.clock.monotonic_s)
    tweets = TweetView(stores.tweets, caches.tweets, stores.counts, caches.tweet_counts)
    users = UserView(stores.accounts, caches.users, caches.names, stores.counts, caches.user_counts)
    relations = RelationView(stores.relations, caches.relations)
    celebrities = CelebrityView(stores.celebrities)
    length = settings.timeline_length
    user_timelines = UserTimelines(caches.user_timelines, caches.user_segments, stores.tweets, length)
    sessions = SessionView(stores.sessions, caches.sessions, engines.clock)
    acts = ViewerActs(stores.likes, stores.tweets, caches.acts)
    return Views(
        caches=caches,
        tweets=tweets,
        users=users,
        relations=relations,
        followers=FollowerView(stores.relations, caches.followers),
        celebrities=celebrities,
        contents=ContentView(stores.contents, caches.contents),
        sessions=sessions,
        acts=acts,
        user_timelines=user_timelines,
        home_timelines=HomeTimelines(
            caches.homes, caches.home_segments, stores.tweets, relations, celebrities, user_timelines, length
        ),
        sight=Sight(tweets, users, relations),
        refresh=_refresh(caches, celebrities, sessions, acts),
    )


def _refresh(caches: Caches, celebrities: CelebrityView, sessions: SessionView, acts: ViewerActs) -> Refresh:
    return Refresh(
        tweets=caches.tweets,
        tweet_counts=caches.tweet_counts,
        users=caches.users,
        user_counts=caches.user_counts,
        relations=caches.relations,
        followers=caches.followers,
        homes=caches.homes,
        home_segments=caches.home_segments,
        user_timelines=caches.user_timelines,
        user_segments=caches.user_segments,
        celebrities=celebrities,
        sessions=sessions,
        acts=acts,
    )


def _relations_weight(kept: Relations) -> int:
    return 16 + sum(map(len, (kept.follows, kept.blocks, kept.blocked_by, kept.mutes, kept.requested)))


def _segment_weight(kept: Segment) -> int:
    return 16 + len(kept.ids)
