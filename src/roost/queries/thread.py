"""Read a thread: what a tweet answers, and what answers it.

edge.native.tweets -> Thread -> TweetStore (replies), Sight (visible)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import CANDIDATES_PER_ITEM
from roost.domain.visibility import Place
from roost.ports.tweets import TweetStore
from roost.views.sight import Seen, Sight
from roost.views.tweets import TweetView

ANCESTORS_MAX = 100


@dataclass(frozen=True, slots=True)
class Hidden:
    """An ancestor that is deleted or not for this viewer: only its place in the chain is shown."""

    tweet_id: TweetId


@dataclass(frozen=True, slots=True)
class SeenThread:
    """`ancestors` root first; `replies` oldest first, `after` to go on with more of them."""

    ancestors: Sequence[Seen | Hidden]
    tweet: Seen
    replies: Sequence[Seen]
    after: TweetId | None


@dataclass(frozen=True, slots=True)
class Thread:
    store: TweetStore
    tweets: TweetView
    sight: Sight

    async def __call__(self, id: TweetId, viewer: UserId | None, limit: int, after: TweetId | None) -> SeenThread:
        """Raises NotFound where the tweet itself may not be seen."""
        tweet = await self.sight.one(id, viewer)
        replies, more_after = await self._replies(id, viewer, limit, after)
        return SeenThread(await self._ancestors(tweet, viewer), tweet, replies, more_after)

    async def _ancestors(self, tweet: Seen, viewer: UserId | None) -> list[Seen | Hidden]:
        chain: list[Seen | Hidden] = []
        above = tweet.tweet.reply_to
        while above is not None and len(chain) < ANCESTORS_MAX:
            seen = await self.sight.of([above], viewer, Place.LISTED)
            chain.append(seen[0] if seen else Hidden(above))
            # The row of a hidden ancestor, tombstones included, still knows what it answered.
            row = await self.tweets.get(above)
            above = None if row is None else row.reply_to
        return chain[::-1]

    async def _replies(
        self, id: TweetId, viewer: UserId | None, limit: int, after: TweetId | None
    ) -> tuple[list[Seen], TweetId | None]:
        seen: list[Seen] = []
        budget = limit * CANDIDATES_PER_ITEM
        while budget > 0:
            ids = await self.store.replies_to(id, after, limit + 1)
            seen += await self.sight.of(ids, viewer, Place.LISTED)
            if len(seen) > limit:
                return seen[:limit], seen[limit - 1].tweet.id
            if len(ids) <= limit:
                return seen, None
            after = ids[-1]
            budget -= len(ids)
        return seen, after
