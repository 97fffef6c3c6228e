"""Tweets and their counts, read through."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.domain.ids import TweetId
from roost.domain.tweet import NO_COUNTS, Tweet, TweetCounts
from roost.ports.cache import ReadThrough
from roost.ports.counts import CountStore
from roost.ports.tweets import TweetStore


@dataclass(frozen=True, slots=True)
class TweetView:
    """`get_many` includes tombstones: whether a tweet may be shown is the business of sight."""

    store: TweetStore
    cache: ReadThrough[TweetId, Tweet]
    count_store: CountStore
    count_cache: ReadThrough[TweetId, TweetCounts]

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        return await self.cache.get_many(ids, self.store.get_many)

    async def get(self, id: TweetId) -> Tweet | None:
        return (await self.get_many([id])).get(id)

    async def counts(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        """Counts of all `ids`: those never counted have none."""
        return await self.count_cache.get_many(ids, self._load_counts)

    async def _load_counts(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        kept = await self.count_store.tweets(ids)
        return {id: kept.get(id, NO_COUNTS) for id in ids}
