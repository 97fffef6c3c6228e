"""The system of record: likes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from roost.domain.ids import Position, TweetId, UserId, Version


@dataclass(frozen=True, slots=True)
class Like:
    """`version` orders lists of likes, newest first."""

    user_id: UserId
    tweet_id: TweetId
    tweet_author: UserId
    version: Version


class LikeStore(Protocol):
    """Partitions: by (tweet, bucket), and by (user, month). Changes are announced as LikeChanged in the same
    durable write; adding what is there and removing what is not changes nothing and answers None.
    """

    async def add(self, like: Like) -> Position | None: ...

    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None: ...

    async def holds(self, user_id: UserId, tweet_id: TweetId) -> Like | None: ...

    async def liked_among(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> set[TweetId]: ...

    async def of_tweet(self, tweet_id: TweetId, before: Version | None, limit: int) -> Sequence[Like]:
        """Newest like first."""
        ...

    async def by_user(self, user_id: UserId, before: Version | None, limit: int) -> Sequence[Like]:
        """Newest like first."""
        ...

    async def newest_liked(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        """The liked tweets with the greatest ids, greatest first: the window of a warm home."""
        ...

    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        """All likes, in an order of the store's own, after that one: for rebuilds. A walk over partitions, not for
        requests; what is given or taken back meanwhile may be missing or be there.
        """
        ...
