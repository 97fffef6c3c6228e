"""Likes in Cassandra: by tweet and by user, each by whom or what, and newest first.

A like that two processes give at once is kept once, by the later of the two; the lists that are newest first may then
hold the other's row too, so what they name is looked up before it is answered.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence

from roost.adapters.store.cassandra.buckets import Buckets, bucket_of, buckets_of
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.merging import Read, Stretch, foremost, through
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.adapters.store.cassandra.walking import Walk
from roost.domain.events import LikeChanged
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.ports.likes import Like

BY_USER, BY_USER_NEWEST = "likes_by", "likes_by_newest"
"""Lists that lie in months: of the tweets, and of the likes."""
OF_TWEET = "likes"
"""The list that lies in buckets."""
IDS_A_READ = 100

_HELD = Cql("SELECT tweet_author, version FROM likes_by WHERE user_id = ? AND month = ? AND tweet_id = ?")
_WRITTEN = Cql(
    "SELECT tweet_author, version, writetime(version) FROM likes_by WHERE user_id = ? AND month = ? AND tweet_id = ?"
)
_AMONG = Cql("SELECT tweet_id, tweet_author, version FROM likes_by WHERE user_id = ? AND month = ? AND tweet_id IN ?")
_BY_TWEET = Cql(
    "SELECT tweet_id FROM likes_by WHERE user_id = ? AND month = ? AND tweet_id > ? AND tweet_id < ? LIMIT ?"
)
_BY_NEWEST = Cql(
    "SELECT version, tweet_id FROM likes_by_newest WHERE user_id = ? AND month = ? AND version > ? AND version < ?"
    " LIMIT ?"
)
_OF_TWEET = Cql(
    "SELECT version, user_id, bucket FROM likes_newest WHERE tweet_id = ? AND bucket = ? AND version < ? LIMIT ?"
)
_OF_TWEET_BY = Cql(
    "SELECT user_id, tweet_author, version FROM likes WHERE tweet_id = ? AND bucket = ? AND user_id IN ?"
)

_PUT = Cql("INSERT INTO likes (tweet_id, bucket, user_id, tweet_author, version) VALUES (?, ?, ?, ?, ?)")
_PUT_NEWEST = Cql("INSERT INTO likes_newest (tweet_id, bucket, version, user_id) VALUES (?, ?, ?, ?)")
_PUT_BY = Cql("INSERT INTO likes_by (user_id, month, tweet_id, tweet_author, version) VALUES (?, ?, ?, ?, ?)")
_PUT_BY_NEWEST = Cql("INSERT INTO likes_by_newest (user_id, month, version, tweet_id) VALUES (?, ?, ?, ?)")
_DROP = Cql("DELETE FROM likes WHERE tweet_id = ? AND bucket = ? AND user_id = ?")
_DROP_NEWEST = Cql("DELETE FROM likes_newest WHERE tweet_id = ? AND bucket = ? AND version = ? AND user_id = ?")
_DROP_BY = Cql("DELETE FROM likes_by WHERE user_id = ? AND month = ? AND tweet_id = ?")
_DROP_BY_NEWEST = Cql("DELETE FROM likes_by_newest WHERE user_id = ? AND month = ? AND version = ? AND tweet_id = ?")

_COLUMNS = "SELECT user_id, month, tweet_id, tweet_author, version FROM likes_by"
_WALK = Walk(
    begin=Cql(f"{_COLUMNS} LIMIT ?", walks=True),
    rest=Cql(f"{_COLUMNS} WHERE user_id = ? AND month = ? AND tweet_id < ? LIMIT ?"),
    beyond=Cql(f"{_COLUMNS} WHERE token(user_id, month) > token(?, ?) LIMIT ?", walks=True),
    partition_width=2,
    key_width=3,
)


class CassandraLikeStore:
    def __init__(self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox) -> None:
        self._session = session
        self._spans = spans
        self._outbox = outbox
        self._buckets = Buckets(session)

    async def add(self, like: Like) -> Position | None:
        if await self.holds(like.user_id, like.tweet_id) is not None:
            return None
        left = self._outbox.leave([_changed(like, now=True)])
        bucket = bucket_of(like.user_id, await self._buckets.count(OF_TWEET, like.tweet_id))
        of_tweet, of_like = month_of(like.tweet_id), month_of(like.version)
        rows = [
            _PUT(like.tweet_id, bucket, like.user_id, like.tweet_author, like.version),
            _PUT_NEWEST(like.tweet_id, bucket, like.version, like.user_id),
            _PUT_BY(like.user_id, of_tweet, like.tweet_id, like.tweet_author, like.version),
            _PUT_BY_NEWEST(like.user_id, of_like, like.version, like.tweet_id),
        ]
        spans = [(BY_USER, like.user_id, of_tweet), (BY_USER_NEWEST, like.user_id, of_like)]
        await self._spans.write([*rows, *left.rows], spans)
        return await self._outbox.tell(left)

    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None:
        row = await self._session.row(_WRITTEN, user_id, month_of(tweet_id), tweet_id)
        if row is None:
            return None
        author, version, written_us = row
        like = Like(user_id, tweet_id, author, version)
        left = self._outbox.leave([_changed(like, now=False)])
        rows = [*await self._rows_of(like), *left.rows]
        # Later than the like, also where the clock that gave it was ahead of this one.
        await self._session.write_together(rows, max(self._outbox.now_ms() * 1_000, written_us + 1))
        return await self._outbox.tell(left)

    async def holds(self, user_id: UserId, tweet_id: TweetId) -> Like | None:
        row = await self._session.row(_HELD, user_id, month_of(tweet_id), tweet_id)
        return None if row is None else Like(user_id, tweet_id, *row)

    async def liked_among(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> set[TweetId]:
        return set(await self._held(user_id, tweet_ids))

    async def of_tweet(self, tweet_id: TweetId, before: Version | None, limit: int) -> Sequence[Like]:
        buckets = range(await self._buckets.count(OF_TWEET, tweet_id))
        lists = [self._of_bucket(tweet_id, bucket) for bucket in buckets]

        async def judge(rows: Sequence[Row]) -> list[Like]:
            kept = await self._kept_of(tweet_id, rows)
            likes = [Like(user, tweet_id, kept[user][0], version) for version, user, _ in rows if user in kept]
            return [like for like in likes if kept[like.user_id][1] == like.version]

        return await _judged(lists, before, limit, judge)

    async def by_user(self, user_id: UserId, before: Version | None, limit: int) -> Sequence[Like]:
        months = await self._spans.of(BY_USER_NEWEST, user_id)

        async def judge(rows: Sequence[Row]) -> list[Like]:
            held = await self._held(user_id, [TweetId(tweet) for _, tweet in rows])
            likes = [held[tweet] for version, tweet in rows if tweet in held and held[tweet].version == version]
            return list(dict.fromkeys(likes))

        return await _judged([self._in_months(_BY_NEWEST, user_id, months)], before, limit, judge)

    async def newest_liked(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        months = await self._spans.of(BY_USER, user_id)
        rows = await foremost([self._in_months(_BY_TWEET, user_id, months)], Stretch(), limit)
        return [TweetId(row[0]) for row in rows]

    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        key = None if after is None else (after.user_id, month_of(after.tweet_id), after.tweet_id)
        rows = await _WALK.rows(self._session, key, limit, lambda _: True)
        return [Like(user, tweet, author, version) for user, _, tweet, author, version in rows]

    async def _rows_of(self, like: Like) -> Sequence[Bound]:
        """What drops the like, wherever it may lie."""
        rows = [
            _DROP_BY(like.user_id, month_of(like.tweet_id), like.tweet_id),
            _DROP_BY_NEWEST(like.user_id, month_of(like.version), like.version, like.tweet_id),
        ]
        for bucket in buckets_of(like.user_id, await self._buckets.count(OF_TWEET, like.tweet_id)):
            rows.append(_DROP(like.tweet_id, bucket, like.user_id))
            rows.append(_DROP_NEWEST(like.tweet_id, bucket, like.version, like.user_id))
        return rows

    async def _held(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> dict[TweetId, Like]:
        months: dict[int, list[TweetId]] = {}
        for id in dict.fromkeys(tweet_ids):
            months.setdefault(month_of(id), []).append(id)
        reads = [
            (user_id, month, ids[at : at + IDS_A_READ])
            for month, ids in months.items()
            for at in range(0, len(ids), IDS_A_READ)
        ]
        answers = await each_of(lambda read: self._session.rows(_AMONG, *read), reads)
        return {row[0]: Like(user_id, *row) for rows in answers for row in rows}

    async def _kept_of(self, tweet_id: TweetId, rows: Sequence[Row]) -> dict[UserId, tuple[UserId, Version]]:
        """Who of these likes the tweet now: its author, and the like's version."""
        buckets: dict[int, list[int]] = {}
        for _, user, bucket in rows:
            buckets.setdefault(bucket, []).append(user)
        reads = [
            (tweet_id, bucket, users[at : at + IDS_A_READ])
            for bucket, users in buckets.items()
            for at in range(0, len(users), IDS_A_READ)
        ]
        answers = await each_of(lambda read: self._session.rows(_OF_TWEET_BY, *read), reads)
        return {user: (author, version) for some in answers for user, author, version in some}

    def _of_bucket(self, tweet_id: TweetId, bucket: int) -> Read:
        async def read(stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(_OF_TWEET, tweet_id, bucket, stretch.before, size)

        return read

    def _in_months(self, cql: Cql, user_id: UserId, months: Sequence[int]) -> Read:
        async def read(month: int, stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(cql, user_id, month, stretch.after, stretch.before, size)

        return through(months, month_of, read)


async def _judged(
    lists: Sequence[Read], before: int | None, limit: int, judge: Callable[[Sequence[Row]], Awaitable[list[Like]]]
) -> list[Like]:
    """The newest likes below `before` that pass, as many as are wanted."""
    found: list[Like] = []
    stretch = Stretch(after=-1, before=Stretch.below(before).before)
    while len(found) < limit:
        rows = await foremost(lists, stretch, limit)
        found += await judge(rows)
        if len(rows) < limit:
            break
        stretch = stretch.beyond(rows[-1][0])
    return found[:limit]


def _changed(like: Like, *, now: bool) -> LikeChanged:
    return LikeChanged(like.user_id, like.tweet_id, like.tweet_author, now, like.version)
