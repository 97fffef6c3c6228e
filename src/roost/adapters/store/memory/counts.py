"""Counts in dictionaries, taken from the other memory stores."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from roost.domain.events import Counted, Event
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.tweet import TweetCounts
from roost.domain.user import UserCounts


class CountedTweets(Protocol):
    def counts(self, tweet_id: TweetId) -> tuple[int, int, int]:
        """Replies, retweets and quotes of it."""
        ...

    def count_by(self, author: UserId) -> int: ...


class CountedLikes(Protocol):
    def count_of(self, tweet_id: TweetId) -> int: ...


class CountedRelations(Protocol):
    def follower_count(self, user: UserId) -> int: ...

    def following_count(self, user: UserId) -> int: ...


class MemoryCountStore:
    def __init__(
        self,
        leave: Callable[[Sequence[Event]], Position],
        tweets: CountedTweets,
        likes: CountedLikes,
        relations: CountedRelations,
    ) -> None:
        self._leave = leave
        self._tweets = tweets
        self._likes = likes
        self._relations = relations
        self._tweet_counts: dict[TweetId, tuple[Version, TweetCounts]] = {}
        self._user_counts: dict[UserId, tuple[Version, UserCounts]] = {}

    async def tweets(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        return {id: self._tweet_counts.get(id, (0, TweetCounts()))[1] for id in ids}

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        return {id: self._user_counts.get(id, (0, UserCounts()))[1] for id in ids}

    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        counted = Counted(
            tuple((id, self._of_tweet(id)) for id in set(tweets)),
            tuple((id, self._of_user(id)) for id in set(users)),
            version,
        )
        for tweet, tweet_counts in counted.tweets:
            if self._tweet_counts.get(tweet, (-1,))[0] < version:
                self._tweet_counts[tweet] = (version, tweet_counts)
        for user, user_counts in counted.users:
            if self._user_counts.get(user, (-1,))[0] < version:
                self._user_counts[user] = (version, user_counts)
        if counted.tweets or counted.users:
            self._leave([counted])

    def _of_tweet(self, id: TweetId) -> TweetCounts:
        replies, retweets, quotes = self._tweets.counts(id)
        return TweetCounts(replies, retweets, self._likes.count_of(id), quotes)

    def _of_user(self, id: UserId) -> UserCounts:
        followers, following = self._relations.follower_count(id), self._relations.following_count(id)
        return UserCounts(self._tweets.count_by(id), followers, following)
