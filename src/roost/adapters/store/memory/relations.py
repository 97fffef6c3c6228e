"""Follows, requests, blocks and mutes in dictionaries: by what a user does, and by whom it is done to."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from heapq import nsmallest
from itertools import chain

from roost.domain.errors import Invalid
from roost.domain.events import Event, RelationChanged
from roost.domain.ids import Position, UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations

Rows = dict[UserId, Relation]


class MemoryRelationStore:
    """No method waits for anything before it is done: so each is one step, as a transaction is."""

    def __init__(self, leave: Callable[[Sequence[Event]], Position]) -> None:
        self._leave = leave
        self._by_subject: dict[tuple[RelationKind, UserId], Rows] = {}
        self._by_object: dict[tuple[RelationKind, UserId], Rows] = {}

    async def relations(self, viewer: UserId) -> Relations:
        return Relations(
            viewer,
            follows=frozenset(self._of(RelationKind.FOLLOW, viewer)),
            blocks=frozenset(self._of(RelationKind.BLOCK, viewer)),
            blocked_by=frozenset(self._to(RelationKind.BLOCK, viewer)),
            mutes=frozenset(self._of(RelationKind.MUTE, viewer)),
            requested=frozenset(self._of(RelationKind.REQUEST, viewer)),
        )

    async def add(self, relation: Relation, following_max: int) -> Position | None:
        """A follow or request that meets a block, or a request that meets a follow, keeps nothing: what came
        first stands, as if this had come just before it and been ended by it.
        """
        subject, object_ = relation.subject, relation.object
        if self._row(relation.kind, subject, object_) is not None:
            return None
        facts: list[RelationChanged] = []
        match relation.kind:
            case RelationKind.FOLLOW | RelationKind.REQUEST:
                if self._stands_in_the_way(relation):
                    return None
                self._check_following(subject, object_, following_max)
                facts += self._drop(RelationKind.REQUEST, subject, object_)
            case RelationKind.BLOCK:
                for one, other in ((subject, object_), (object_, subject)):
                    facts += self._drop(RelationKind.FOLLOW, one, other)
                    facts += self._drop(RelationKind.REQUEST, one, other)
            case RelationKind.MUTE:
                pass
        return self._leave([*facts, self._insert(relation)])

    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        """`version` decides nothing here, where one step follows the other."""
        facts = self._drop(kind, subject, object)
        return self._leave(facts) if facts else None

    async def accept(self, requests: Collection[Relation]) -> Position | None:
        facts: list[RelationChanged] = []
        for request in requests:
            dropped = self._drop(RelationKind.REQUEST, request.subject, request.object)
            if dropped:
                follow = Relation(RelationKind.FOLLOW, request.subject, request.object, request.version)
                facts += [*dropped, self._insert(follow)]
        return self._leave(facts) if facts else None

    async def holds(self, kind: RelationKind, subject: UserId, object: UserId) -> Relation | None:
        return self._row(kind, subject, object)

    async def of_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return _newest(self._of(kind, subject).values(), before, limit)

    async def of_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return _newest(self._to(kind, object).values(), before, limit)

    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        return sorted(follower for follower in self._to(RelationKind.FOLLOW, user) if follower > after)[:limit]

    async def follower_counts(self, users: Collection[UserId]) -> Mapping[UserId, int]:
        return {user: self.follower_count(user) for user in users}

    async def erase(self, user: UserId, limit: int) -> int:
        naming = [
            row
            for kind in RelationKind
            for row in chain(
                self._of(kind, user).values(), (row for row in self._to(kind, user).values() if row.subject != user)
            )
        ][:limit]
        self._leave([fact for row in naming for fact in self._drop(row.kind, row.subject, row.object)])
        return len(naming)

    async def scan(self, after: Relation | None, limit: int) -> Sequence[Relation]:
        rows = (row for of_subject in self._by_subject.values() for row in of_subject.values())
        return nsmallest(limit, (row for row in rows if after is None or _place(row) > _place(after)), key=_place)

    def follower_count(self, user: UserId) -> int:
        """How many follow the user."""
        return len(self._to(RelationKind.FOLLOW, user))

    def following_count(self, user: UserId) -> int:
        """How many the user follows."""
        return len(self._of(RelationKind.FOLLOW, user))

    def _of(self, kind: RelationKind, subject: UserId) -> Rows:
        return self._by_subject.get((kind, subject), {})

    def _to(self, kind: RelationKind, object_: UserId) -> Rows:
        return self._by_object.get((kind, object_), {})

    def _row(self, kind: RelationKind, subject: UserId, object_: UserId) -> Relation | None:
        return self._of(kind, subject).get(object_)

    def _insert(self, relation: Relation) -> RelationChanged:
        kind, subject, object_ = relation.kind, relation.subject, relation.object
        self._by_subject.setdefault((kind, subject), {})[object_] = relation
        self._by_object.setdefault((kind, object_), {})[subject] = relation
        return RelationChanged(subject, object_, kind.value, now=True, version=relation.version)

    def _drop(self, kind: RelationKind, subject: UserId, object_: UserId) -> list[RelationChanged]:
        row = self._of(kind, subject).pop(object_, None)
        if row is None:
            return []
        del self._by_object[kind, object_][subject]
        return [RelationChanged(subject, object_, kind.value, now=False, version=row.version)]

    def _stands_in_the_way(self, asked: Relation) -> bool:
        subject, object_ = asked.subject, asked.object
        return (
            self._row(RelationKind.BLOCK, subject, object_) is not None
            or self._row(RelationKind.BLOCK, object_, subject) is not None
            or (asked.kind is RelationKind.REQUEST and self._row(RelationKind.FOLLOW, subject, object_) is not None)
        )

    def _check_following(self, subject: UserId, object_: UserId, following_max: int) -> None:
        others = self._of(RelationKind.FOLLOW, subject).keys() | self._of(RelationKind.REQUEST, subject).keys()
        count = len(others - {object_})
        if count >= following_max:
            raise Invalid(f"{count} users followed or asked, at most {following_max} allowed")


def _place(row: Relation) -> tuple[str, UserId, UserId]:
    """Where a walk over all rows meets it."""
    return row.kind.value, row.subject, row.object


def _newest(rows: Iterable[Relation], before: Version | None, limit: int) -> list[Relation]:
    older = [row for row in rows if before is None or row.version < before]
    return sorted(older, key=lambda row: row.version, reverse=True)[:limit]
