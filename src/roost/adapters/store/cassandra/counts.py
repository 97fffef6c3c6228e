"""Counts in Cassandra: counted by the lists' own partitions, then kept and announced.

What is counted also tells which lists have grown out of their buckets (buckets.py). To count a bucket is to read its
keys: some 50 ms for a full one, so a tweet with a million likes costs half a second of the cluster, once a second at
most.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest

from roost.adapters.store.cassandra.buckets import Buckets
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.likes import OF_TWEET
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.places import AUTHORED, QUOTES, REPLIES, RETWEETS
from roost.adapters.store.cassandra.relation_lists import RelationLists
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.adapters.store.cassandra.spans import Spans
from roost.domain.events import Counted
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.relation import RelationKind
from roost.domain.tweet import NO_COUNTS, TweetCounts
from roost.domain.user import UserCounts

COUNTED_MAX = 500
"""Tweets, and users, in one announcement: some 30 kB."""

_OF_TWEET = Cql("SELECT replies, retweets, likes, quotes FROM tweet_counts WHERE tweet_id = ?")
_OF_USER = Cql("SELECT tweets, followers, following FROM user_counts WHERE user_id = ?")
_TWEET_VERSION = Cql("SELECT version FROM tweet_counts WHERE tweet_id = ?")
_USER_VERSION = Cql("SELECT version FROM user_counts WHERE user_id = ?")
_KEEP_TWEET = Cql(
    "INSERT INTO tweet_counts (tweet_id, replies, retweets, likes, quotes, version) VALUES (?, ?, ?, ?, ?, ?)"
    " USING TIMESTAMP ?"
)
_KEEP_USER = Cql(
    "INSERT INTO user_counts (user_id, tweets, followers, following, version) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?"
)
_COUNT = {
    REPLIES: Cql("SELECT count(*) FROM replies WHERE tweet_id = ? AND bucket = ?"),
    RETWEETS: Cql("SELECT count(*) FROM retweets_of WHERE tweet_id = ? AND bucket = ?"),
    OF_TWEET: Cql("SELECT count(*) FROM likes WHERE tweet_id = ? AND bucket = ?"),
    QUOTES: Cql("SELECT count(*) FROM quotes_of WHERE tweet_id = ? AND bucket = ?"),
}
_AUTHORED = Cql("SELECT count(*) FROM user_tweets WHERE user_id = ? AND month = ?")
_FOLLOWING = Cql("SELECT count(*) FROM relations WHERE user_id = ? AND kind = 'follow'")
_NO_USER_COUNTS = UserCounts()


class CassandraCountStore:
    """Reads the tables of tweets, likes and relations."""

    def __init__(self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox) -> None:
        self._session = session
        self._spans = spans
        self._outbox = outbox
        self._buckets = Buckets(session)
        self._relations = RelationLists(session)

    async def tweets(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        some = list(dict.fromkeys(ids))
        rows = await each_of(lambda tweet: self._session.row(_OF_TWEET, tweet), some)
        return {id: NO_COUNTS if row is None else TweetCounts(*row) for id, row in zip(some, rows, strict=True)}

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        some = list(dict.fromkeys(ids))
        rows = await each_of(lambda user: self._session.row(_OF_USER, user), some)
        return {id: _NO_USER_COUNTS if row is None else UserCounts(*row) for id, row in zip(some, rows, strict=True)}

    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        """What changes between counting and keeping is told by a fact of its own, and counted again after it."""
        for some_tweets, some_users in zip_longest(_pieces(set(tweets)), _pieces(set(users)), fillvalue=()):
            await self._recount([TweetId(id) for id in some_tweets], [UserId(id) for id in some_users], version)

    async def _recount(self, tweets: Sequence[TweetId], users: Sequence[UserId], version: Version) -> None:
        of_tweets = await each_of(self._of_tweet, tweets)
        of_users = await each_of(self._of_user, users)
        counted = Counted(tuple(zip(tweets, of_tweets, strict=True)), tuple(zip(users, of_users, strict=True)), version)
        left = await self._outbox.leave_before([counted])
        await each_of(lambda pair: self._keep_tweet(*pair, version), counted.tweets)
        await each_of(lambda pair: self._keep_user(*pair, version), counted.users)
        await self._outbox.tell(left)

    async def _of_tweet(self, id: TweetId) -> TweetCounts:
        return TweetCounts(*await each_of(lambda name: self._count(name, id), tuple(_COUNT)))

    async def _count(self, list: str, id: TweetId) -> int:
        buckets = await self._buckets.count(list, id)
        counts = await each_of(lambda bucket: self._session.row(_COUNT[list], id, bucket), range(buckets))
        rows = sum(int(row[0]) for row in counts)
        await self._buckets.fit(list, id, rows, buckets)
        return rows

    async def _of_user(self, id: UserId) -> UserCounts:
        months = await self._spans.of(AUTHORED, id)
        authored = await each_of(lambda month: self._session.row(_AUTHORED, id, month), months)
        following = await self._session.row(_FOLLOWING, id)
        followers = await self._relations.count_to(RelationKind.FOLLOW, id)
        return UserCounts(sum(row[0] for row in authored), followers, 0 if following is None else following[0])

    async def _keep_tweet(self, id: TweetId, counts: TweetCounts, version: Version) -> None:
        kept = await self._session.row(_TWEET_VERSION, id)
        # Of one version the first is kept: two writes of one time would be mixed.
        if kept is None or kept[0] < version:
            row = (counts.replies, counts.retweets, counts.likes, counts.quotes)
            await self._session.write(_KEEP_TWEET, id, *row, version, version)

    async def _keep_user(self, id: UserId, counts: UserCounts, version: Version) -> None:
        kept = await self._session.row(_USER_VERSION, id)
        if kept is None or kept[0] < version:
            row = (counts.tweets, counts.followers, counts.following)
            await self._session.write(_KEEP_USER, id, *row, version, version)


def _pieces(ids: Collection[int]) -> list[list[int]]:
    in_order = list(ids)
    return [in_order[at : at + COUNTED_MAX] for at in range(0, len(in_order), COUNTED_MAX)]
