"""The views of one node over its caches, with their bounds from the settings."""

from collections.abc import Callable
from dataclasses import dataclass

from roost.adapters.cache.memory import MemoryReadThrough, MemoryTimelines
from roost.assembly.engines import Engines
from roost.assembly.settings import Settings
from roost.domain.content import Content
from roost.domain.ids import ContentId, TweetId, UserId
from roost.domain.relation import Relations
from roost.domain.tweet import Tweet, TweetCounts
from roost.domain.user import Session, User, UserCounts
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


@dataclass(frozen=True, slots=True)
class Views:
    """Views of one node, the reaction that keeps them true, and what drops what is unused."""

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
    home_cache: MemoryTimelines
    user_cache: MemoryTimelines
    sweeps: tuple[Callable[[], int], ...]

    def sweep(self) -> int:
        """Drop all that is unused for the time-to-live; how many entries went."""
        return sum(sweep() for sweep in self.sweeps)


def build_views(engines: Engines, settings: Settings) -> Views:
    """Empty caches and the views over them; `celebrities` is still to be loaded."""
    stores, now, ttl = engines.stores, engines.clock.monotonic_s, settings.cache_ttl_s
    tweets_max, users_max = settings.tweets_cached_max, settings.users_cached_max
    tweets: MemoryReadThrough[TweetId, Tweet] = MemoryReadThrough(tweets_max, ttl, now)
    tweet_counts: MemoryReadThrough[TweetId, TweetCounts] = MemoryReadThrough(tweets_max, ttl, now)
    users: MemoryReadThrough[UserId, User] = MemoryReadThrough(users_max, ttl, now)
    names: MemoryReadThrough[str, UserId] = MemoryReadThrough(users_max, ttl, now)
    user_counts: MemoryReadThrough[UserId, UserCounts] = MemoryReadThrough(users_max, ttl, now)
    relations: MemoryReadThrough[UserId, Relations] = MemoryReadThrough(RELATION_IDS_MAX, ttl, now, _relations_weight)
    followers: MemoryReadThrough[UserId, CachedFollowers] = MemoryReadThrough(
        settings.follower_ids_cached_max, ttl, now, lambda kept: kept.weight
    )
    acts: MemoryReadThrough[UserId, Acts] = MemoryReadThrough(ACT_IDS_MAX, ttl, now, lambda kept: kept.weight)
    contents: MemoryReadThrough[ContentId, Content] = MemoryReadThrough(tweets_max, ttl, now)
    sessions: MemoryReadThrough[str, Session] = MemoryReadThrough(users_max, ttl, now)
    home_segments: MemoryReadThrough[UserId, Segment] = MemoryReadThrough(SEGMENT_IDS_MAX, ttl, now, _segment_weight)
    user_segments: MemoryReadThrough[UserId, Segment] = MemoryReadThrough(SEGMENT_IDS_MAX, ttl, now, _segment_weight)
    homes = MemoryTimelines(settings.timeline_length, settings.timelines_cached_max, ttl, now)
    uts = MemoryTimelines(settings.timeline_length, settings.timelines_cached_max, ttl, now)

    tweet_view = TweetView(stores.tweets, tweets, stores.counts, tweet_counts)
    user_view = UserView(stores.accounts, users, names, stores.counts, user_counts)
    relation_view = RelationView(stores.relations, relations)
    celebrities = CelebrityView(stores.celebrities)
    session_view = SessionView(stores.sessions, sessions, engines.clock)
    acts_view = ViewerActs(stores.likes, stores.tweets, acts)
    length = settings.timeline_length
    user_timelines = UserTimelines(uts, user_segments, stores.tweets, length)
    return Views(
        tweets=tweet_view,
        users=user_view,
        relations=relation_view,
        followers=FollowerView(stores.relations, followers),
        celebrities=celebrities,
        contents=ContentView(stores.contents, contents),
        sessions=session_view,
        acts=acts_view,
        user_timelines=user_timelines,
        home_timelines=HomeTimelines(
            homes, home_segments, stores.tweets, relation_view, celebrities, user_timelines, length
        ),
        sight=Sight(tweet_view, user_view, relation_view),
        refresh=Refresh(
            tweets=tweets,
            tweet_counts=tweet_counts,
            users=users,
            user_counts=user_counts,
            relations=relations,
            followers=followers,
            homes=homes,
            home_segments=home_segments,
            user_timelines=uts,
            user_segments=user_segments,
            celebrities=celebrities,
            sessions=session_view,
            acts=acts_view,
        ),
        home_cache=homes,
        user_cache=uts,
        sweeps=tuple(
            cache.sweep
            for cache in (
                *(tweets, tweet_counts, users, names, user_counts, relations, followers, acts, contents, sessions),
                *(home_segments, user_segments, homes, uts),
            )
        ),
    )


def _relations_weight(kept: Relations) -> int:
    return 16 + sum(map(len, (kept.follows, kept.blocks, kept.blocked_by, kept.mutes, kept.requested)))


def _segment_weight(kept: Segment) -> int:
    return 16 + len(kept.ids)
