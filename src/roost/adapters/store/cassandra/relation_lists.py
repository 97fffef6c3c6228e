"""The lists that name relations: by whom they aim at, and newest first from both ends.

adapters/store/cassandra/relation_chain -> (here)

They follow the partitions of relation_chain.py, with its stamps as timestamps: so however late a write comes, what
was decided last stands.
"""

from collections.abc import Collection, Sequence

from roost.adapters.store.cassandra.buckets import Buckets, bucket_of, buckets_of
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.merging import Read, Stretch, foremost
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.domain.events import RelationChanged
from roost.domain.ids import UserId, Version
from roost.domain.relation import Relation, RelationKind

FACTS_A_BATCH = 20

_BY_SUBJECT = Cql("SELECT version, other FROM relations_newest WHERE user_id = ? AND kind = ? AND version < ? LIMIT ?")
_BY_OBJECT = Cql(
    "SELECT version, other FROM relations_to_newest WHERE user_id = ? AND kind = ? AND bucket = ? AND version < ?"
    " LIMIT ?"
)
_RISING = Cql(
    "SELECT other, version FROM relations_to WHERE user_id = ? AND kind = ? AND bucket = ? AND other > ? LIMIT ?"
)
_COUNT = Cql("SELECT count(*) FROM relations_to WHERE user_id = ? AND kind = ? AND bucket = ?")

_PUT_NEWEST = Cql("INSERT INTO relations_newest (user_id, kind, version, other) VALUES (?, ?, ?, ?)")
_PUT_TO = Cql("INSERT INTO relations_to (user_id, kind, bucket, other, version) VALUES (?, ?, ?, ?, ?)")
_PUT_TO_NEWEST = Cql("INSERT INTO relations_to_newest (user_id, kind, bucket, version, other) VALUES (?, ?, ?, ?, ?)")
_DROP_NEWEST = Cql("DELETE FROM relations_newest WHERE user_id = ? AND kind = ? AND version = ? AND other = ?")
_DROP_TO = Cql("DELETE FROM relations_to WHERE user_id = ? AND kind = ? AND bucket = ? AND other = ?")
_DROP_TO_NEWEST = Cql(
    "DELETE FROM relations_to_newest WHERE user_id = ? AND kind = ? AND bucket = ? AND version = ? AND other = ?"
)


class RelationLists:
    def __init__(self, session: CassandraSession) -> None:
        self._session = session
        self._buckets = Buckets(session)

    async def by_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        rows = await self._session.rows(_BY_SUBJECT, subject, kind.value, Stretch.below(before).before, limit)
        return [Relation(kind, subject, UserId(other), Version(version)) for version, other in rows]

    async def by_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        def of(bucket: int) -> Read:
            async def read(stretch: Stretch, size: int) -> Sequence[Row]:
                return await self._session.rows(_BY_OBJECT, object, kind.value, bucket, stretch.before, size)

            return read

        lists = [of(bucket) for bucket in range(await self._buckets.count(kind.value, object))]
        rows = await foremost(lists, Stretch.below(before), limit)
        return [Relation(kind, UserId(other), object, Version(version)) for version, other in rows]

    async def rising(self, kind: RelationKind, object: UserId, after: UserId, limit: int) -> Sequence[Relation]:
        """Those that aim at the user, by rising subject."""

        def of(bucket: int) -> Read:
            async def read(stretch: Stretch, size: int) -> Sequence[Row]:
                return await self._session.rows(_RISING, object, kind.value, bucket, stretch.after, size)

            return read

        lists = [of(bucket) for bucket in range(await self._buckets.count(kind.value, object))]
        rows = await foremost(lists, Stretch.above(after), limit)
        return [Relation(kind, UserId(other), object, Version(version)) for other, version in rows]

    async def count_to(self, kind: RelationKind, object: UserId) -> int:
        """How many aim at the user; sees to it that there are buckets enough for them."""
        buckets = await self._buckets.count(kind.value, object)
        counts = await each_of(lambda bucket: self._session.row(_COUNT, object, kind.value, bucket), range(buckets))
        rows = sum(int(row[0]) for row in counts if row is not None)
        await self._buckets.fit(kind.value, object, rows, buckets)
        return rows

    async def follow(self, facts: Collection[RelationChanged], stamp: int) -> None:
        """Write what these facts change, as of the stamp."""
        some: list[Bound] = []
        for number, fact in enumerate(facts, start=1):
            some += await self._rows(fact)
            if number % FACTS_A_BATCH == 0:
                await self._session.write_together(some, stamp)
                some = []
        await self._session.write_together(some, stamp)

    async def _rows(self, fact: RelationChanged) -> Sequence[Bound]:
        subject, object_, kind, version = fact.subject, fact.object, fact.kind, fact.version
        count = await self._buckets.count(kind, object_)
        if fact.now:
            bucket = bucket_of(subject, count)
            return [
                _PUT_NEWEST(subject, kind, version, object_),
                _PUT_TO(object_, kind, bucket, subject, version),
                _PUT_TO_NEWEST(object_, kind, bucket, version, subject),
            ]
        rows = [_DROP_NEWEST(subject, kind, version, object_)]
        for bucket in buckets_of(subject, count):
            rows.append(_DROP_TO(object_, kind, bucket, subject))
            rows.append(_DROP_TO_NEWEST(object_, kind, bucket, version, subject))
        return rows
