"""What a user does to others, in one partition whose changes come one after the other.

adapters/store/cassandra/relations -> (here)

Bounds and blocks hold against whatever happens at the same time, so each change is a decision on the whole
partition: its row of kind '' has a stamp, microseconds that only ever rise, and a change applies only where the
stamp is still the one that it read. A block lies in both users' partitions, the blocked one's as `blocked_by`.
Follows are some thousand times rarer than reads of timelines: a decision is a price that they can pay.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox, Left
from roost.adapters.store.cassandra.relation_lists import RelationLists
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import Overloaded
from roost.domain.events import RelationChanged
from roost.domain.ids import UserId, Version
from roost.domain.relation import Relation, RelationKind

BLOCKED_BY = "blocked_by"
TURNS_MAX = 40
"""Tries against other processes that change the same user's relations; within this one they queue."""
TURN_S_MAX = 0.05

_SEEN = Cql(
    "SELECT kind, other, version, stamp, writer, following FROM relations WHERE user_id = ?"
    " AND kind IN ('', 'follow', 'request', 'block', 'mute', 'blocked_by') AND other IN ?"
)
_STEP = Cql(
    "UPDATE relations SET stamp = ?, writer = ?, following = ? WHERE user_id = ? AND kind = '' AND other = 0"
    " IF stamp = ? AND writer = ?"
)
_PUT = Cql("INSERT INTO relations (user_id, kind, other, version) VALUES (?, ?, ?, ?)")
_DROP = Cql("DELETE FROM relations WHERE user_id = ? AND kind = ? AND other = ?")

Held = tuple[str, UserId]
"""A kind, or BLOCKED_BY, and the other user."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A user's partition as it was read: some of its rows, and what orders its changes."""

    user: UserId
    stamp: int | None = None
    writer: int | None = None
    following: int = 0
    """Follows and requests."""
    held: dict[Held, Version] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Changes of one partition that belong together, and the facts to be told of them."""

    chain: Chain
    following: int
    puts: dict[Held, Version] = field(default_factory=dict)
    drops: list[Held] = field(default_factory=list)
    facts: list[RelationChanged] = field(default_factory=list)

    @classmethod
    def of(cls, chain: Chain) -> "Plan":
        return cls(chain, chain.following)

    def put(self, relation: Relation) -> None:
        self.puts[relation.kind.value, relation.object] = relation.version
        self.following += _counts(relation.kind)
        self._tell(relation, now=True)

    def drop(self, kind: RelationKind, other: UserId) -> None:
        """Drop the row if it is there."""
        version = self.chain.held.get((kind.value, other))
        if version is not None:
            self.drops.append((kind.value, other))
            self.following -= _counts(kind)
            self._tell(Relation(kind, self.chain.user, other, version), now=False)

    @property
    def is_empty(self) -> bool:
        return not (self.puts or self.drops)

    def _tell(self, relation: Relation, *, now: bool) -> None:
        facts = RelationChanged(relation.subject, relation.object, relation.kind.value, now, relation.version)
        self.facts.append(facts)


class RelationChains:
    def __init__(self, session: CassandraSession, outbox: CassandraOutbox, lists: RelationLists) -> None:
        self._session = session
        self._outbox = outbox
        self._lists = lists
        self._writer = secrets.randbits(62)
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def read(self, user: UserId, others: Collection[UserId]) -> Chain:
        """What holds between the user and these."""
        rows = await self._session.rows(_SEEN, user, [0, *others])
        held = {(kind, UserId(other)): Version(version) for kind, other, version, *_ in rows if kind}
        head = next((row for row in rows if not row[0]), None)
        if head is None:
            return Chain(user, held=held)
        stamp, writer, following = head[3:]
        return Chain(user, stamp, writer, following, held)

    async def change(self, user: UserId, others: Collection[UserId], plan_for: Callable[[Chain], Plan]) -> Left | None:
        """Do what is planned for the partition as it stands, with the lists that name its rows; None where that is
        nothing. The facts are in the outbox and still to be told.

        Raises what `plan_for` raises, and Overloaded where others get in between TURNS_MAX times.
        """
        async with self._turn(user):
            for turn in range(TURNS_MAX):
                plan = plan_for(await self.read(user, others))
                if plan.is_empty:
                    return None
                left = await self._outbox.leave_before(plan.facts)
                stamp = max(self._outbox.now_ms() * 1_000, (plan.chain.stamp or 0) + 1)
                if await self._apply(plan, stamp):
                    # A crash before this is mended when the facts are repeated from the outbox.
                    await self._lists.follow(plan.facts, stamp)
                    return left
                self._outbox.withdraw(left)
                await asyncio.sleep(TURN_S_MAX * secrets.randbelow(turn + 1) / TURNS_MAX)
        raise Overloaded("too many changes of one user's relations at once")

    async def _apply(self, plan: Plan, stamp: int) -> bool:
        decision = await self._session.decide(self._statements(plan, stamp))
        kept = decision.kept
        return decision.applied or (kept.get("stamp"), kept.get("writer")) == (stamp, self._writer)

    def _statements(self, plan: Plan, stamp: int) -> Sequence[Bound]:
        chain = plan.chain
        return [
            _STEP(stamp, self._writer, plan.following, chain.user, chain.stamp, chain.writer),
            *(_PUT(chain.user, kind, other, version) for (kind, other), version in plan.puts.items()),
            *(_DROP(chain.user, kind, other) for kind, other in plan.drops),
        ]

    def _turn(self, user: UserId) -> AbstractAsyncContextManager[None]:
        return self._turns.setdefault(user, asyncio.Lock())


def _counts(kind: RelationKind) -> int:
    """What a row of this kind takes of the user's bound."""
    return 1 if kind in {RelationKind.FOLLOW, RelationKind.REQUEST} else 0
