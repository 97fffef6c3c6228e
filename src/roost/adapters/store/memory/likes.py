"""Likes in a dictionary."""

from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import nlargest, nsmallest

from roost.domain.events import Event, LikeChanged
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.ports.likes import Like


class MemoryLikeStore:
    def __init__(self, leave: Callable[[Sequence[Event]], Position]) -> None:
        self._leave = leave
        self._by_tweet: dict[TweetId, dict[UserId, Like]] = {}
        self._by_user: dict[UserId, dict[TweetId, Like]] = {}

    async def add(self, like: Like) -> Position | None:
        if like.tweet_id in self._by_user.get(like.user_id, {}):
            return None
        self._by_tweet.setdefault(like.tweet_id, {})[like.user_id] = like
        self._by_user.setdefault(like.user_id, {})[like.tweet_id] = like
        return self._leave([_changed(like, now=True)])

    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None:
        like = self._by_user.get(user_id, {}).pop(tweet_id, None)
        if like is None:
            return None
        del self._by_tweet[tweet_id][user_id]
        return self._leave([_changed(like, now=False)])

    async def holds(self, user_id: UserId, tweet_id: TweetId) -> Like | None:
        return self._by_user.get(user_id, {}).get(tweet_id)

    async def liked_among(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> set[TweetId]:
        return self._by_user.get(user_id, {}).keys() & set(tweet_ids)

    async def of_tweet(self, tweet_id: TweetId, before: Version | None, limit: int) -> Sequence[Like]:
        return _newest(self._by_tweet.get(tweet_id, {}).values(), before, limit)

    async def by_user(self, user_id: UserId, before: Version | None, limit: int) -> Sequence[Like]:
        return _newest(self._by_user.get(user_id, {}).values(), before, limit)

    async def newest_liked(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        return nlargest(limit, self._by_user.get(user_id, {}))

    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        all_likes = (like for by_user in self._by_tweet.values() for like in by_user.values())
        later = (like for like in all_likes if after is None or _place(like) > _place(after))
        return nsmallest(limit, later, key=_place)

    def count_of(self, tweet_id: TweetId) -> int:
        """How many likes the tweet has now."""
        return len(self._by_tweet.get(tweet_id, {}))


def _place(like: Like) -> tuple[TweetId, UserId]:
    """Where a walk over all likes meets it."""
    return like.tweet_id, like.user_id


def _newest(likes: Iterable[Like], before: Version | None, limit: int) -> list[Like]:
    older = (like for like in likes if before is None or like.version < before)
    return nlargest(limit, older, key=lambda like: (like.version, like.user_id, like.tweet_id))


def _changed(like: Like, *, now: bool) -> LikeChanged:
    return LikeChanged(like.user_id, like.tweet_id, like.tweet_author, now, like.version)
