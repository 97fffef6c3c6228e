"""Notifications in Cassandra, by user and month."""

from collections.abc import Collection, Sequence

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.merging import Stretch, foremost, through
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.adapters.store.cassandra.walking import Walk
from roost.domain.events import Notified
from roost.domain.ids import TweetId, UserId
from roost.domain.notification import Notification, NotificationKind

LIST = "notifications"
ROWS_A_BATCH = 20
IDS_A_READ = 100

_AMONG = Cql("SELECT id FROM notifications WHERE user_id = ? AND month = ? AND id IN ?")
_ONE = Cql("SELECT id, kind, actor, tweet_id FROM notifications WHERE user_id = ? AND month = ? AND id = ?")
_PAGE = Cql(
    "SELECT id, kind, actor, tweet_id FROM notifications WHERE user_id = ? AND month = ? AND id > ? AND id < ? LIMIT ?"
)
_PUT = Cql("INSERT INTO notifications (user_id, month, id, kind, actor, tweet_id) VALUES (?, ?, ?, ?, ?, ?)")
_DROP = Cql("DELETE FROM notifications WHERE user_id = ? AND month = ? AND id = ?")
_CLEAR = Cql("TRUNCATE notifications", walks=True)

_COLUMNS = "SELECT user_id, month, id, kind, actor, tweet_id FROM notifications"
_WALK = Walk(
    begin=Cql(f"{_COLUMNS} LIMIT ?", walks=True),
    rest=Cql(f"{_COLUMNS} WHERE user_id = ? AND month = ? AND id < ? LIMIT ?"),
    beyond=Cql(f"{_COLUMNS} WHERE token(user_id, month) > token(?, ?) LIMIT ?", walks=True),
    partition_width=2,
    key_width=3,
)

Key = tuple[int, int]


class CassandraNotificationStore:
    def __init__(self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox) -> None:
        self._session = session
        self._spans = spans
        self._outbox = outbox

    async def add(self, notifications: Collection[Notification]) -> None:
        new = await self._missing(notifications)
        for at in range(0, len(new), ROWS_A_BATCH):
            some = new[at : at + ROWS_A_BATCH]
            left = self._outbox.leave([Notified(each.user_id, each.id) for each in some])
            await self._keep(some, left.rows)
            await self._outbox.tell(left)

    async def remove(self, user_id: int, ids: Collection[int]) -> None:
        drops = [_DROP(user_id, month_of(id), id) for id in ids]
        for at in range(0, len(drops), ROWS_A_BATCH):
            await self._session.write_together(drops[at : at + ROWS_A_BATCH])

    async def page(self, user_id: int, before: int | None, limit: int) -> Sequence[Notification]:
        async def read(month: int, stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(_PAGE, user_id, month, stretch.after, stretch.before, size)

        months = through(await self._spans.of(LIST, user_id), month_of, read)
        return [_notification(user_id, *row) for row in await foremost([months], Stretch.below(before), limit)]

    async def get(self, user_id: int, id: int) -> Notification | None:
        row = await self._session.row(_ONE, user_id, month_of(id), id)
        return None if row is None else _notification(user_id, *row)

    async def restore(self, notifications: Collection[Notification]) -> None:
        new = await self._missing(notifications)
        for at in range(0, len(new), ROWS_A_BATCH):
            await self._keep(new[at : at + ROWS_A_BATCH], ())

    async def scan(self, after: Notification | None, limit: int) -> Sequence[Notification]:
        key = None if after is None else (after.user_id, month_of(after.id), after.id)
        rows = await _WALK.rows(self._session, key, limit, lambda _: True)
        return [_notification(user, *rest) for user, _, *rest in rows]

    async def clear(self) -> None:
        """Needs all nodes of the cluster: raises DependencyDown where one is away. The spans stay, and are empty."""
        await self._session.write(_CLEAR)

    async def _missing(self, notifications: Collection[Notification]) -> list[Notification]:
        """Those that are not there yet, each once."""
        asked = {(each.user_id, each.id): each for each in reversed(list(notifications))}
        partitions: dict[Key, list[int]] = {}
        for user, id in asked:
            partitions.setdefault((user, month_of(id)), []).append(id)
        reads = [
            (*partition, ids[at : at + IDS_A_READ])
            for partition, ids in partitions.items()
            for at in range(0, len(ids), IDS_A_READ)
        ]
        answers = await each_of(lambda read: self._session.rows(_AMONG, *read), reads)
        there = {(read[0], id) for read, rows in zip(reads, answers, strict=True) for (id,) in rows}
        in_order = dict.fromkeys((each.user_id, each.id) for each in notifications)
        return [asked[key] for key in in_order if key not in there]

    async def _keep(self, notifications: Sequence[Notification], more: Sequence[Bound]) -> None:
        rows = [
            _PUT(each.user_id, month_of(each.id), each.id, each.kind.value, each.actor, each.tweet_id)
            for each in notifications
        ]
        spans = [(LIST, int(each.user_id), month_of(each.id)) for each in notifications]
        await self._spans.write([*rows, *more], spans)


def _notification(user_id: int, id: int, kind: str, actor: int, tweet_id: int | None) -> Notification:
    tweet = None if tweet_id is None else TweetId(tweet_id)
    return Notification(id, UserId(user_id), NotificationKind(kind), UserId(actor), tweet)
