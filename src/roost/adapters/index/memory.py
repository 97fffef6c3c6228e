"""Search in memory: every tweet is looked at. Slow, obvious, and what other indexes are compared with.

Nothing is evicted: it holds what it was given, for as long as its process lives.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from roost.domain.ids import Position, TweetId, UserId, Version, ms_of
from roost.domain.search.document import IndexedTweet
from roost.domain.search.people import IndexedUser, UserPrefix, ranked_users
from roost.domain.search.query import ResolvedQuery
from roost.domain.search.trending import (
    BUSIEST_MAX,
    TRENDS_MAX,
    Trend,
    hour_of,
    ranked,
    recent_hours,
    usual_hours,
)
from roost.domain.search.words import tag_key
from roost.ports.index import (
    AuthorPublic,
    TweetBatch,
    TweetIndex,
    UserBatch,
    UserIndex,
    checked_limit,
)


class MemoryTweetIndex(TweetIndex):
    def __init__(self) -> None:
        self._tweets: dict[TweetId, IndexedTweet] = {}
        self._ids: list[TweetId] = []  # of the same tweets, ascending
        self._removed: set[TweetId] = set()
        self._authors: dict[UserId, AuthorPublic] = {}
        self._position: Position | None = None

    async def apply(self, batch: TweetBatch, position: Position | None = None) -> None:
        for tweet in batch.added:
            self._add(tweet)
        for id in batch.removed:
            self._remove(id)
        for author in batch.authors:
            self._set_author(author)
        self._position = position or self._position

    async def applied(self) -> Position | None:
        return self._position

    async def clear(self) -> None:
        self._tweets.clear()
        self._ids.clear()
        self._removed.clear()
        self._authors.clear()
        self._position = None

    async def forget_removed(self) -> None:
        """Nothing is left to do: a removal takes the whole tweet."""

    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        found = (tweet.tweet_id for tweet in self._older(before) if query.matches(tweet))
        return list(islice(found, checked_limit(limit)))

    async def hashtag(self, tag: str, before: TweetId | None, limit: int) -> list[TweetId]:
        key = tag_key(tag)
        tagged = (t for t in self._older(before) if key in t.tags and not t.is_retweet)
        return [tweet.tweet_id for tweet in islice(tagged, checked_limit(limit))]

    async def trends(self, now_ms: int, limit: int) -> list[Trend]:
        recent, usual = recent_hours(now_ms), usual_hours(now_ms)
        authors: defaultdict[tuple[int, str], set[UserId]] = defaultdict(set)
        for tweet in self._tweets.values():
            hour = hour_of(ms_of(tweet.tweet_id))
            if self._counts(tweet) and (hour in recent or hour in usual):
                for tag in tweet.tags:
                    authors[hour, tag].add(tweet.author_id)
        uses: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for (hour, tag), users in authors.items():
            uses[tag][hour] = len(users)
        busiest = {tag for hour in recent for tag in _busiest(uses, hour)}
        candidates = {tag: uses[tag] for tag in busiest}
        return ranked(candidates, now_ms, min(checked_limit(limit), TRENDS_MAX))

    def _add(self, tweet: IndexedTweet) -> None:
        kept = self._tweets.get(tweet.tweet_id)
        if tweet.tweet_id in self._removed or (kept and kept.version >= tweet.version):
            return
        if kept is None:
            insort(self._ids, tweet.tweet_id)
        self._tweets[tweet.tweet_id] = tweet

    def _remove(self, id: TweetId) -> None:
        self._removed.add(id)
        if self._tweets.pop(id, None):
            del self._ids[bisect_left(self._ids, id)]

    def _set_author(self, author: AuthorPublic) -> None:
        kept = self._authors.get(author.author_id)
        if kept is None or kept.version < author.version:
            self._authors[author.author_id] = author

    def _older(self, before: TweetId | None) -> Iterator[IndexedTweet]:
        end = len(self._ids) if before is None else bisect_left(self._ids, before)
        return (self._tweets[self._ids[at]] for at in range(end - 1, -1, -1))

    def _counts(self, tweet: IndexedTweet) -> bool:
        author = self._authors.get(tweet.author_id)
        return tweet.public and not tweet.is_retweet and (author is None or author.public)


def _busiest(uses: dict[str, dict[int, int]], hour: int) -> list[str]:
    of_the_hour = [(-hours[hour], tag) for tag, hours in uses.items() if hour in hours]
    return [tag for _, tag in sorted(of_the_hour)[:BUSIEST_MAX]]


class MemoryUserIndex(UserIndex):
    def __init__(self) -> None:
        self._users: dict[UserId, IndexedUser] = {}
        self._removed: set[UserId] = set()
        self._position: Position | None = None

    async def apply(self, batch: UserBatch, position: Position | None = None) -> None:
        for user in batch.put:
            self._put(user)
        for id in batch.removed:
            self._removed.add(id)
            self._users.pop(id, None)
        self._position = position or self._position

    async def applied(self) -> Position | None:
        return self._position

    async def clear(self) -> None:
        self._users.clear()
        self._removed.clear()
        self._position = None

    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        found = (user for user in self._users.values() if prefix.matches(user))
        return ranked_users(prefix, found, checked_limit(limit))

    def _put(self, user: IndexedUser) -> None:
        kept = self._users.get(user.user_id)
        oldest = Version(0) if kept is None else kept.version
        if user.user_id not in self._removed and user.version >= oldest:
            self._users[user.user_id] = user
