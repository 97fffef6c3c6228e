"""All tweets by rising id, across all shards: for rebuilds, and for where a mint goes on.

adapters/store/cassandra/tweets -> (here)

Ids rise with days, and a day lies in the partitions of up to 4,096 shards. To ask all of them for each page would
cost more than the page, so ids are read ahead, a few a shard; the tweets themselves are read when they are wanted.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from roost.adapters.store.cassandra.bodies import Bodies
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.merging import BEYOND_ALL, Read, Stretch, foremost
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.spans import Span, Spans
from roost.domain.ids import TweetId, day_of, shard_in
from roost.domain.tweet import Tweet

DAYS, SHARDS_OF_DAY = "days", "shards of a day"
"""Lists of spans: on which days there are tweets, and in which shards on a day."""
AHEAD_A_SHARD = 4
AHEAD_MS_MAX = 30_000
"""Ids that were read ahead longer ago are read again: an import may have put others between them."""

_IDS = Cql("SELECT tweet_id FROM tweets WHERE shard = ? AND day = ? AND tweet_id > ? AND tweet_id < ? LIMIT ?")
_NEWEST = Cql("SELECT tweet_id FROM tweets WHERE shard = ? AND day = ? ORDER BY tweet_id DESC LIMIT 1")


def spans_of_body(id: TweetId) -> Sequence[Span]:
    """What is noted with a tweet's row, so that a walk meets it."""
    return ((DAYS, 0, day_of(id)), (SHARDS_OF_DAY, day_of(id), shard_in(id)))


@dataclass(slots=True)
class _Ahead:
    """Ids that come after one that was answered."""

    after: int = -1
    ids: Sequence[int] = field(default_factory=list)
    at_ms: int = 0


class TweetWalk:
    def __init__(self, session: CassandraSession, spans: Spans, bodies: Bodies, now_ms: Callable[[], int]) -> None:
        self._session = session
        self._spans = spans
        self._bodies = bodies
        self._now_ms = now_ms
        self._ahead = _Ahead()

    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        ids = await self._ids(after, limit)
        return list((await self._bodies.get_many([TweetId(id) for id in ids])).values())

    async def newest_id(self) -> TweetId:
        for day in reversed(await self._spans.of(DAYS, 0)):
            shards = await self._spans.of(SHARDS_OF_DAY, day)
            newest = await each_of(lambda shard, day=day: self._session.row(_NEWEST, shard, day), shards)  # type: ignore[misc]  # a default
            ids = [row[0] for row in newest if row is not None]
            if ids:
                return TweetId(max(ids))
        return TweetId(0)

    async def _ids(self, after: int, limit: int) -> Sequence[int]:
        ahead = self._ahead
        if ahead.after != after or len(ahead.ids) < limit or self._now_ms() - ahead.at_ms > AHEAD_MS_MAX:
            ahead = _Ahead(after, await self._read_ahead(after, limit), self._now_ms())
        ids, rest = ahead.ids[:limit], ahead.ids[limit:]
        if ids:
            self._ahead = _Ahead(ids[-1], rest, ahead.at_ms)
        return ids

    async def _read_ahead(self, after: int, limit: int) -> Sequence[int]:
        """At least `limit` ids, if there are so many: of one day, or of a few where a day has less."""
        found: list[int] = []
        for day in await self._spans.of(DAYS, 0):
            if day < day_of(TweetId(after)):
                continue
            shards = await self._spans.of(SHARDS_OF_DAY, day)
            wanted = max(limit - len(found), AHEAD_A_SHARD * len(shards))
            lists = [self._of_shard(shard, day) for shard in shards]
            found += [row[0] for row in await foremost(lists, Stretch.above(after), wanted)]
            if len(found) >= limit:
                break
        return found

    def _of_shard(self, shard: int, day: int) -> Read:
        async def read(stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(_IDS, shard, day, stretch.after, BEYOND_ALL, size)

        return read
