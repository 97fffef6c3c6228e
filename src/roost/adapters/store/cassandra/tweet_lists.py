"""Lists of tweets' ids, merged from the partitions that they lie in.

adapters/store/cassandra/tweets, counts -> (here)
"""

from collections.abc import Collection, Sequence

from roost.adapters.store.cassandra.buckets import Buckets
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.merging import Read, Stretch, foremost, through
from roost.adapters.store.cassandra.places import AUTHORED, QUOTES, REPLIES, RETWEETED, RETWEETS
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.domain.ids import TweetId, UserId

_AUTHORED = "SELECT tweet_id FROM user_tweets WHERE user_id = ? AND month = ? AND tweet_id > ? AND tweet_id < ?"
_AUTHORED_NEWEST = Cql(f"{_AUTHORED} LIMIT ?")
_AUTHORED_OLDEST = Cql(f"{_AUTHORED} ORDER BY tweet_id ASC LIMIT ?")
_RETWEETED = Cql(
    "SELECT tweet_id FROM retweet_by WHERE user_id = ? AND month = ? AND tweet_id > ? AND tweet_id < ? LIMIT ?"
)
_REPLIES = Cql(
    "SELECT reply_id FROM replies WHERE tweet_id = ? AND bucket = ? AND reply_id > ? AND reply_id < ? LIMIT ?"
)
_RETWEETS = Cql(
    "SELECT retweet_id FROM retweets_of WHERE tweet_id = ? AND bucket = ? AND retweet_id > ? AND retweet_id < ? LIMIT ?"
)
_QUOTES = Cql(
    "SELECT quote_id FROM quotes_of WHERE tweet_id = ? AND bucket = ? AND quote_id > ? AND quote_id < ? LIMIT ?"
)


class TweetLists:
    def __init__(self, session: CassandraSession, spans: Spans) -> None:
        self._session = session
        self._spans = spans
        self._buckets = Buckets(session)

    async def of_authors(self, authors: Collection[UserId], stretch: Stretch, limit: int) -> list[TweetId]:
        cql = _AUTHORED_NEWEST if stretch.newest_first else _AUTHORED_OLDEST
        some = list(dict.fromkeys(authors))
        months = await each_of(lambda author: self._spans.of(AUTHORED, author), some)
        lists = [self._in_months(cql, author, spans) for author, spans in zip(some, months, strict=True) if spans]
        return [TweetId(row[0]) for row in await foremost(lists, stretch, limit)]

    async def retweets_by(self, user: UserId, limit: int) -> list[TweetId]:
        """The originals."""
        months = self._in_months(_RETWEETED, user, await self._spans.of(RETWEETED, user))
        return [TweetId(row[0]) for row in await foremost([months], Stretch(), limit)]

    async def replies_to(self, tweet_id: TweetId, stretch: Stretch, limit: int) -> list[TweetId]:
        return await self._in_buckets(_REPLIES, REPLIES, tweet_id, stretch, limit)

    async def retweets_of(self, tweet_id: TweetId, stretch: Stretch, limit: int) -> list[TweetId]:
        return await self._in_buckets(_RETWEETS, RETWEETS, tweet_id, stretch, limit)

    async def quotes_of(self, tweet_id: TweetId, stretch: Stretch, limit: int) -> list[TweetId]:
        return await self._in_buckets(_QUOTES, QUOTES, tweet_id, stretch, limit)

    async def _in_buckets(
        self, cql: Cql, list: str, tweet_id: TweetId, stretch: Stretch, limit: int
    ) -> "list[TweetId]":
        count = await self._buckets.count(list, tweet_id)
        lists = [self._in_one(cql, tweet_id, bucket) for bucket in range(count)]
        return [TweetId(row[0]) for row in await foremost(lists, stretch, limit)]

    def _in_months(self, cql: Cql, user: UserId, months: Sequence[int]) -> Read:
        async def read(month: int, stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(cql, user, month, stretch.after, stretch.before, size)

        return through(months, month_of, read)

    def _in_one(self, cql: Cql, owner: int, part: int) -> Read:
        async def read(stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(cql, owner, part, stretch.after, stretch.before, size)

        return read
