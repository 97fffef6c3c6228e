"""The rows of tweets, by the shard and day that their ids carry."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.adapters.tweet_rows import decode_tweet, encode_tweet
from roost.domain.ids import TweetId, day_of, shard_in
from roost.domain.tweet import Tweet

IDS_A_READ = 100

_AMONG = Cql("SELECT tweet_id, body FROM tweets WHERE shard = ? AND day = ? AND tweet_id IN ?")
_ONE = Cql("SELECT body, writetime(body) FROM tweets WHERE shard = ? AND day = ? AND tweet_id = ?")
_IS_DELETED = Cql("SELECT deleted FROM tweets WHERE shard = ? AND day = ? AND tweet_id = ?")
_PUT = Cql("INSERT INTO tweets (shard, day, tweet_id, deleted, body) VALUES (?, ?, ?, ?, ?)")


@dataclass(frozen=True, slots=True)
class Kept:
    """A tweet and when its row was written: what replaces it must be later, by whatever clock."""

    tweet: Tweet
    written_us: int


class Bodies:
    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        """Those that are there, in the order of `ids`."""
        partitions: dict[tuple[int, int], list[TweetId]] = {}
        for id in dict.fromkeys(ids):
            if id >= 0:
                partitions.setdefault((shard_in(id), day_of(id)), []).append(id)
        reads = [
            (*partition, some[at : at + IDS_A_READ])
            for partition, some in partitions.items()
            for at in range(0, len(some), IDS_A_READ)
        ]
        answers = await each_of(lambda read: self._session.rows(_AMONG, *read), reads)
        bodies = {id: body for rows in answers for id, body in rows}
        return {id: decode_tweet(bytes(bodies[id])) for id in ids if id in bodies}

    async def get(self, id: TweetId) -> Kept | None:
        row = await self._session.row(_ONE, shard_in(id), day_of(id), id)
        return None if row is None else Kept(decode_tweet(bytes(row[0])), row[1])

    async def is_kept(self, id: int) -> bool | None:
        """Whether the tweet is there and no tombstone; None where it is not there."""
        row = await self._session.row(_IS_DELETED, shard_in(TweetId(id)), day_of(TweetId(id)), id)
        return None if row is None else not row[0]

    async def is_there(self, id: int) -> bool | None:
        """True for tombstones too; None where there is nothing."""
        return None if await self.is_kept(id) is None else True


def put(tweet: Tweet) -> Bound:
    return _PUT(shard_in(tweet.id), day_of(tweet.id), tweet.id, tweet.deleted, encode_tweet(tweet))
