"""The rows that name a tweet: among its author's tweets, and by what it answers, retweets or quotes.

adapters/store/cassandra/tweets -> (here)
"""

from collections.abc import Sequence

from roost.adapters.store.cassandra.buckets import Buckets, bucket_of, buckets_of
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.spans import Span, month_of
from roost.domain.tweet import Tweet

AUTHORED, RETWEETED = "user_tweets", "retweet_by"
"""Lists that lie in months."""
REPLIES, RETWEETS, QUOTES = "replies", "retweets_of", "quotes_of"
"""Lists that lie in buckets."""

_ADD_AUTHORED = Cql("INSERT INTO user_tweets (user_id, month, tweet_id) VALUES (?, ?, ?)")
_ADD_RETWEETED = Cql("INSERT INTO retweet_by (user_id, month, tweet_id, retweet_id) VALUES (?, ?, ?, ?)")
_ADD = {
    REPLIES: Cql("INSERT INTO replies (tweet_id, bucket, reply_id) VALUES (?, ?, ?)"),
    RETWEETS: Cql("INSERT INTO retweets_of (tweet_id, bucket, retweet_id) VALUES (?, ?, ?)"),
    QUOTES: Cql("INSERT INTO quotes_of (tweet_id, bucket, quote_id) VALUES (?, ?, ?)"),
}
_REMOVE_AUTHORED = Cql("DELETE FROM user_tweets WHERE user_id = ? AND month = ? AND tweet_id = ?")
_REMOVE_RETWEETED = Cql("DELETE FROM retweet_by WHERE user_id = ? AND month = ? AND tweet_id = ?")
_REMOVE = {
    REPLIES: Cql("DELETE FROM replies WHERE tweet_id = ? AND bucket = ? AND reply_id = ?"),
    RETWEETS: Cql("DELETE FROM retweets_of WHERE tweet_id = ? AND bucket = ? AND retweet_id = ?"),
    QUOTES: Cql("DELETE FROM quotes_of WHERE tweet_id = ? AND bucket = ? AND quote_id = ?"),
}


class Places:
    def __init__(self, session: CassandraSession) -> None:
        self._buckets = Buckets(session)

    async def added(self, tweet: Tweet) -> tuple[Sequence[Bound], Sequence[Span]]:
        """What puts the tweet into its places, and the spans that these are in; nothing for a tombstone."""
        if tweet.deleted:
            return (), ()
        month = month_of(tweet.id)
        rows = [_ADD_AUTHORED(tweet.author, month, tweet.id)]
        spans = [(AUTHORED, int(tweet.author), month)]
        if tweet.retweet_of is not None:
            month = month_of(tweet.retweet_of)
            rows.append(_ADD_RETWEETED(tweet.author, month, tweet.retweet_of, tweet.id))
            spans.append((RETWEETED, int(tweet.author), month))
        for list, aim in _aims(tweet):
            count = await self._buckets.count(list, aim)
            rows.append(_ADD[list](aim, bucket_of(tweet.id, count), tweet.id))
        return rows, spans

    async def removed(self, tweet: Tweet) -> Sequence[Bound]:
        """What takes the tweet out of its places, wherever it may lie."""
        rows = [_REMOVE_AUTHORED(tweet.author, month_of(tweet.id), tweet.id)]
        if tweet.retweet_of is not None:
            rows.append(_REMOVE_RETWEETED(tweet.author, month_of(tweet.retweet_of), tweet.retweet_of))
        for list, aim in _aims(tweet):
            count = await self._buckets.count(list, aim)
            rows += [_REMOVE[list](aim, bucket, tweet.id) for bucket in buckets_of(tweet.id, count)]
        return rows


def _aims(tweet: Tweet) -> list[tuple[str, int]]:
    """The lists in buckets that name the tweet, each with the tweet whose list it is."""
    aims = ((REPLIES, tweet.reply_to), (RETWEETS, tweet.retweet_of), (QUOTES, tweet.quote_of))
    return [(list, aim) for list, aim in aims if aim is not None]
