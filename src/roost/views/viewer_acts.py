"""Which tweets a viewer likes and retweets, for the flags of a page.

The newest liked and retweeted of a viewer are kept; ids older than that window are asked for in the store.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.domain.ids import TweetId, UserId
from roost.ports.cache import ReadThrough
from roost.ports.likes import LikeStore
from roost.ports.tweets import TweetStore

WINDOW_MAX = 800
"""Likes and retweets kept of a viewer, by the greatest tweet ids: as long as a home timeline."""


@dataclass(frozen=True, slots=True)
class Acts:
    """All that the viewer liked at or above `liked_floor`, and retweeted at or above `retweeted_floor`."""

    liked: frozenset[TweetId]
    liked_floor: int
    retweeted: frozenset[TweetId]
    retweeted_floor: int

    @property
    def weight(self) -> int:
        return 16 + len(self.liked) + len(self.retweeted)


@dataclass(frozen=True, slots=True)
class Flags:
    """What of a page's tweets the viewer liked and retweeted."""

    liked: Collection[TweetId]
    retweeted: Collection[TweetId]


NO_FLAGS = Flags(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class ViewerActs:
    likes: LikeStore
    tweets: TweetStore
    cache: ReadThrough[UserId, Acts]

    async def flags(self, viewer: UserId | None, ids: Collection[TweetId]) -> Flags:
        """Flags for these tweets; a stranger has none."""
        if viewer is None or not ids:
            return NO_FLAGS
        acts = self.cache.peek(viewer)
        if acts is None:
            acts = (await self.cache.get_many([viewer], self._load))[viewer]
        lowest = min(ids)
        liked: Collection[TweetId] = acts.liked
        retweeted: Collection[TweetId] = acts.retweeted
        if lowest < acts.liked_floor:
            liked = await self.likes.liked_among(viewer, ids)
        if lowest < acts.retweeted_floor:
            retweeted = await self.tweets.retweeted_by(viewer, ids)
        return Flags(liked, retweeted)

    async def _load(self, viewers: Collection[UserId]) -> Mapping[UserId, Acts]:
        return {viewer: await self._load_one(viewer) for viewer in viewers}

    async def _load_one(self, viewer: UserId) -> Acts:
        liked = await self.likes.newest_liked(viewer, WINDOW_MAX)
        retweeted = await self.tweets.retweets_by(viewer, WINDOW_MAX)
        return Acts(
            frozenset(liked),
            min(liked) if len(liked) >= WINDOW_MAX else 0,
            frozenset(retweeted),
            min(retweeted) if len(retweeted) >= WINDOW_MAX else 0,
        )

    async def forget(self, viewer: UserId) -> None:
        await self.cache.forget(viewer)
