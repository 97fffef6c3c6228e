"""Follows, requests, blocks and mutes in Cassandra.

commands/* -> (here) -> adapters/store/cassandra/relation_chain (what holds), relation_lists (what names it)
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.relation_chain import BLOCKED_BY, Chain, Plan, RelationChains
from roost.adapters.store.cassandra.relation_lists import RelationLists
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.walking import Walk
from roost.domain.errors import Invalid
from roost.domain.events import Event, RelationChanged
from roost.domain.ids import Position, UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations

ERASED_A_CHANGE = 20

_ALL = Cql("SELECT kind, other FROM relations WHERE user_id = ? AND kind > '' LIMIT 2000000")
_ONE = Cql("SELECT version FROM relations WHERE user_id = ? AND kind = ? AND other = ?")
_OWN = Cql("SELECT kind, other FROM relations WHERE user_id = ? AND kind = ? LIMIT ?")
_COLUMNS = "SELECT user_id, kind, other, version FROM relations"
_WALK = Walk(
    begin=Cql(f"{_COLUMNS} LIMIT ?", walks=True),
    rest=Cql(f"{_COLUMNS} WHERE user_id = ? AND (kind, other) > (?, ?) LIMIT ?"),
    beyond=Cql(f"{_COLUMNS} WHERE token(user_id) > token(?) LIMIT ?", walks=True),
    partition_width=1,
    key_width=3,
)


class CassandraRelationStore:
    def __init__(self, session: CassandraSession, outbox: CassandraOutbox) -> None:
        self._session = session
        self._outbox = outbox
        self._lists = RelationLists(session)
        self._chains = RelationChains(session, outbox, self._lists)
        outbox.mend_by(self._mend)

    async def relations(self, viewer: UserId) -> Relations:
        of_kind: dict[str, set[UserId]] = {kind: set() for kind in (*RelationKind, BLOCKED_BY)}
        for kind, other in await self._session.rows(_ALL, viewer):
            of_kind[kind].add(other)
        return Relations(
            viewer,
            follows=frozenset(of_kind[RelationKind.FOLLOW]),
            blocks=frozenset(of_kind[RelationKind.BLOCK]),
            blocked_by=frozenset(of_kind[BLOCKED_BY]),
            mutes=frozenset(of_kind[RelationKind.MUTE]),
            requested=frozenset(of_kind[RelationKind.REQUEST]),
        )

    async def add(self, relation: Relation, following_max: int) -> Position | None:
        """A follow or request that meets a block, or a request that meets a follow, keeps nothing: what came
        first stands, as if this had come just before it and been ended by it.
        """
        left = await self._chains.change(
            relation.subject, [relation.object], lambda chain: _plan_to_add(chain, relation, following_max)
        )
        if relation.kind is RelationKind.BLOCK:
            await self._mark_blocked(relation.object, relation.subject, by=relation.version)
        return None if left is None else await self._outbox.tell(left)

    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        """`version` decides nothing here, where the order of decisions does."""

        def plan(chain: Chain) -> Plan:
            plan = Plan.of(chain)
            plan.drop(kind, object)
            return plan

        left = await self._chains.change(subject, [object], plan)
        if kind is RelationKind.BLOCK:
            await self._mark_blocked(object, subject, by=None)
        return None if left is None else await self._outbox.tell(left)

    async def accept(self, requests: Collection[Relation]) -> Position | None:
        position: Position | None = None
        for request in requests:
            left = await self._chains.change(request.subject, [request.object], _plan_to_accept(request))
            if left is not None:
                position = await self._outbox.tell(left)
        return position

    async def holds(self, kind: RelationKind, subject: UserId, object: UserId) -> Relation | None:
        row = await self._session.row(_ONE, subject, kind.value, object)
        return None if row is None else Relation(kind, subject, object, Version(row[0]))

    async def of_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return await self._lists.by_subject(kind, subject, before, limit)

    async def of_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return await self._lists.by_object(kind, object, before, limit)

    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        rows = await self._lists.rising(RelationKind.FOLLOW, user, after, limit)
        return [row.subject for row in rows]

    async def follower_counts(self, users: Collection[UserId]) -> Mapping[UserId, int]:
        some = list(dict.fromkeys(users))
        counts = await each_of(lambda user: self._lists.count_to(RelationKind.FOLLOW, user), some)
        return dict(zip(some, counts, strict=True))

    async def erase(self, user: UserId, limit: int) -> int:
        erased = await self._erase_own(user, limit)
        for kind in RelationKind:
            if erased >= limit:
                break
            aimed = await self._lists.rising(kind, user, UserId(0), limit - erased)
            gone = await each_of(lambda row: self.remove(row.kind, row.subject, row.object, row.version), aimed)
            erased += sum(position is not None for position in gone)
        return erased

    async def scan(self, after: Relation | None, limit: int) -> Sequence[Relation]:
        key = None if after is None else (after.subject, after.kind.value, after.object)
        rows = await _WALK.rows(self._session, key, limit, _is_of_subject)
        return [
            Relation(RelationKind(kind), UserId(user), UserId(other), Version(version))
            for user, kind, other, version in rows
        ]

    async def _erase_own(self, user: UserId, limit: int) -> int:
        """Drop what the user does to others, some in a change."""
        erased = 0
        for kind in RelationKind:
            while erased < limit:
                rows = await self._session.rows(_OWN, user, kind.value, min(ERASED_A_CHANGE, limit - erased))
                others = [UserId(other) for _, other in rows]
                left = await self._chains.change(user, others, _plan_to_drop(kind, others)) if others else None
                if left is None:
                    break
                if kind is RelationKind.BLOCK:
                    await each_of(lambda other: self._mark_blocked(other, user, by=None), others)
                await self._outbox.tell(left)
                erased += len(left.events)
        return erased

    async def _mark_blocked(self, user: UserId, blocker: UserId, *, by: Version | None) -> None:
        """Make the other's partition know of a block (`by` is its version), and end what it forbids; or forget it."""
        mark = (BLOCKED_BY, blocker)

        def plan(chain: Chain) -> Plan:
            plan = Plan.of(chain)
            if by is None:
                plan.drops += [mark] if mark in chain.held else []
                return plan
            if mark not in chain.held:
                plan.puts[mark] = by
            plan.drop(RelationKind.FOLLOW, blocker)
            plan.drop(RelationKind.REQUEST, blocker)
            return plan

        left = await self._chains.change(user, [blocker], plan)
        if left is not None:
            await self._outbox.tell(left)

    async def _mend(self, event: Event) -> bool:
        """Bring lists and the other's mark to what holds, before a fact is repeated that was perhaps never so."""
        if not isinstance(event, RelationChanged):
            return True
        kind, subject, object_ = RelationKind(event.kind), event.subject, event.object
        chain = await self._chains.read(subject, [object_])
        version = chain.held.get((kind.value, object_))
        gone = RelationChanged(subject, object_, kind.value, now=False, version=event.version)
        facts = [gone] if version != event.version else []
        if version is not None:
            facts.append(RelationChanged(subject, object_, kind.value, now=True, version=version))
        # The row that holds is written last: of one stamp, and a deletion wins over a write of the same time.
        stamp = chain.stamp or 1
        if version is not None and len(facts) > 1:
            await self._lists.follow(facts[:1], stamp - 1)
        await self._lists.follow(facts[-1:], stamp)
        if kind is RelationKind.BLOCK:
            await self._mark_blocked(object_, subject, by=version)
        return event.now == (version == event.version)


def _plan_to_add(chain: Chain, relation: Relation, following_max: int) -> Plan:
    """Raises Invalid beyond the bound."""
    plan, other = Plan.of(chain), relation.object
    if (relation.kind.value, other) in chain.held or _stands_in_the_way(chain, relation):
        return plan
    if relation.kind in {RelationKind.FOLLOW, RelationKind.REQUEST}:
        plan.drop(RelationKind.REQUEST, other)
        if plan.following >= following_max:
            raise Invalid(f"{plan.following} users followed or asked, at most {following_max} allowed")
    elif relation.kind is RelationKind.BLOCK:
        plan.drop(RelationKind.FOLLOW, other)
        plan.drop(RelationKind.REQUEST, other)
    plan.put(relation)
    return plan


def _stands_in_the_way(chain: Chain, asked: Relation) -> bool:
    """A block between the two; for a request the follow too."""
    ends = {
        RelationKind.FOLLOW: (RelationKind.BLOCK, BLOCKED_BY),
        RelationKind.REQUEST: (RelationKind.BLOCK, BLOCKED_BY, RelationKind.FOLLOW),
    }
    return any((str(kind), asked.object) in chain.held for kind in ends.get(asked.kind, ()))


def _plan_to_accept(request: Relation) -> Callable[[Chain], Plan]:
    def plan(chain: Chain) -> Plan:
        plan = Plan.of(chain)
        if (RelationKind.REQUEST.value, request.object) in chain.held:
            plan.drop(RelationKind.REQUEST, request.object)
            plan.put(Relation(RelationKind.FOLLOW, request.subject, request.object, request.version))
        return plan

    return plan


def _plan_to_drop(kind: RelationKind, others: Sequence[UserId]) -> Callable[[Chain], Plan]:
    def plan(chain: Chain) -> Plan:
        plan = Plan.of(chain)
        for other in others:
            plan.drop(kind, other)
        return plan

    return plan


def _is_of_subject(row: Row) -> bool:
    """Not the row that orders a partition's changes, and not the other side of a block."""
    return row[1] not in {"", BLOCKED_BY}
