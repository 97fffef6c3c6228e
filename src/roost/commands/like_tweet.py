"""Like a tweet, or take it back. A like aimed at a retweet goes to the original.

edge.native.tweets -> LikeTweet, UnlikeTweet -> LikeStore (with the announcement) -> reactions
"""

from dataclasses import dataclass

from roost.domain.ids import TweetId, UserId
from roost.ports.ids import IdSource
from roost.ports.likes import Like, LikeStore
from roost.ports.log import NodeProgress
from roost.views.sight import Sight


@dataclass(frozen=True, slots=True)
class LikeTweet:
    likes: LikeStore
    ids: IdSource
    sight: Sight
    progress: NodeProgress

    async def __call__(self, user: UserId, id: TweetId) -> None:
        """Liking again changes nothing. Raises NotFound for what may not be seen."""
        seen = await self.sight.one(id, user)
        if seen.tweet.retweet_of is not None:
            seen = await self.sight.one(seen.tweet.retweet_of, user)
        like = Like(user, seen.tweet.id, seen.tweet.author, self.ids.next_version())
        position = await self.likes.add(like)
        if position is not None:
            await self.progress.reached(position)


@dataclass(frozen=True, slots=True)
class UnlikeTweet:
    likes: LikeStore
    sight: Sight
    progress: NodeProgress

    async def __call__(self, user: UserId, id: TweetId) -> None:
        """Taking back what is not there changes nothing, also where the tweet can no longer be seen."""
        tweet = await self.sight.tweets.get(id)
        target = id if tweet is None or tweet.retweet_of is None else tweet.retweet_of
        position = await self.likes.remove(user, target)
        if position is None:
            await self.sight.one(id, user)  # nothing was there: say so as any reader would be told
            return
        await self.progress.reached(position)
