"""Counts, taken anew from the rows: a view."""

from collections.abc import Collection, Mapping
from typing import Protocol

from roost.domain.ids import TweetId, UserId, Version
from roost.domain.tweet import TweetCounts
from roost.domain.user import UserCounts


class CountStore(Protocol):
    async def tweets(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        """Kept counts; a tweet that was never counted has none of anything."""
        ...

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]: ...

    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        """Count these anew from the rows, keep and announce the counts as Counted. Repeatable."""
