"""Any course of follows, requests, blocks, mutes and erasures leaves the same relations in every adapter."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contract.account_store_adapters import STORES, Stores
from roost.domain.errors import Invalid
from roost.domain.events import Event
from roost.domain.ids import Position, UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations
from roost.ports.relations import RelationStore

T = TypeVar("T")

USERS = [UserId(id) for id in range(1, 5)]
FOLLOWING_MAX = 2
ALL_ROWS_MAX = 1_000

users, kinds = st.sampled_from(USERS), st.sampled_from(RelationKind)
pairs = st.permutations(USERS).map(lambda order: (order[0], order[1]))
cursors = st.none() | st.integers(0, 60).map(Version)


class RelationStoresAgree(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.exits = AsyncExitStack()
        self.stores = self.runner.run(self.opened())
        self.version = 0
        self.told = 0

    async def opened(self) -> list[Stores]:
        folder = Path(self.folder.name)
        return [await self.exits.enter_async_context(adapter(folder)) for adapter in STORES.values()]

    def teardown(self) -> None:
        self.runner.run(self.exits.aclose())
        self.runner.close()
        self.folder.cleanup()

    def next_version(self) -> Version:
        self.version += 1
        return Version(self.version)

    def agreed(self, ask: Callable[[RelationStore], Awaitable[T]]) -> T:
        """The answer, when all adapters give the same."""

        async def asked() -> list[T]:
            return [await ask(stores.relations) for stores in self.stores]

        first, *others = self.runner.run(asked())
        assert others == [first] * len(others)
        return first

    def newly_told(self) -> Counter[Event]:
        first, *others = (Counter(stores.left()[self.told :]) for stores in self.stores)
        assert others == [first] * len(others)
        self.told += first.total()
        return first

    @rule(kind=kinds, pair=pairs)
    def add(self, kind: RelationKind, pair: tuple[UserId, UserId]) -> None:
        row = Relation(kind, pair[0], pair[1], self.next_version())
        follow_or_request = kind in {RelationKind.FOLLOW, RelationKind.REQUEST}

        async def added(store: RelationStore) -> bool | None:
            try:
                return changed(await store.add(row, FOLLOWING_MAX))
            except Invalid:
                return None

        held = self.agreed(lambda store: store.holds(kind, *pair))
        outcome = self.agreed(added)
        assert outcome is not None or follow_or_request
        assert not (held and outcome)
        assert bool(self.newly_told()) is bool(outcome)
        assert self.agreed(lambda store: store.holds(kind, *pair)) == (row if outcome else held)

    @rule(kind=kinds, pair=pairs)
    def remove(self, kind: RelationKind, pair: tuple[UserId, UserId]) -> None:
        version = self.next_version()
        held = self.agreed(lambda store: store.holds(kind, *pair))

        async def removed(store: RelationStore) -> bool:
            return changed(await store.remove(kind, pair[0], pair[1], version))

        assert self.agreed(removed) is (held is not None)
        assert self.newly_told().total() == (held is not None)

    @rule(asked=users, askers=st.lists(users, unique=True))
    def accept(self, asked: UserId, askers: list[UserId]) -> None:
        requests = [Relation(RelationKind.REQUEST, asker, asked, self.next_version()) for asker in askers]

        async def accepted(store: RelationStore) -> bool:
            return changed(await store.accept(requests))

        outcome = self.agreed(accepted)
        told = self.newly_told().total()
        assert bool(told) is outcome
        assert told % 2 == 0

    @rule(user=users)
    def erase(self, user: UserId) -> None:
        erased = self.agreed(lambda store: store.erase(user, ALL_ROWS_MAX))
        assert self.newly_told().total() == erased
        assert self.agreed(lambda store: store.erase(user, ALL_ROWS_MAX)) == 0

    @rule(kind=kinds, user=users, before=cursors, limit=st.integers(1, 4))
    def page(self, kind: RelationKind, user: UserId, before: Version | None, limit: int) -> None:
        self.agreed(lambda store: listed(store.of_subject(kind, user, before, limit)))
        self.agreed(lambda store: listed(store.of_object(kind, user, before, limit)))

    @rule(user=users, after=users, limit=st.integers(1, 4))
    def page_of_followers(self, user: UserId, after: UserId, limit: int) -> None:
        page = self.agreed(lambda store: listed(store.followers(user, after, limit)))
        assert page == sorted(page)

    @invariant()
    def all_stand_the_same_way_to_each_other(self) -> None:
        counts = self.agreed(lambda store: store.follower_counts(USERS))
        standing = {user: self.agreed(relations_of(user)) for user in USERS}
        for user, relations in standing.items():
            assert not relations.follows & relations.requested
            assert not (relations.follows | relations.requested) & (relations.blocks | relations.blocked_by)
            assert len(relations.follows) + len(relations.requested) <= FOLLOWING_MAX
            assert relations.blocked_by == {other for other in USERS if user in standing[other].blocks}
            assert counts[user] == sum(user in each.follows for each in standing.values())


def relations_of(user: UserId) -> Callable[[RelationStore], Awaitable[Relations]]:
    return lambda store: store.relations(user)


def changed(position: Position | None) -> bool:
    """Whether there is something to wait for: positions themselves are each log's own."""
    return position is not None


async def listed(answer: Awaitable[Sequence[T]]) -> list[T]:
    return list(await answer)


RelationStoresAgree.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestRelationStoresAgree = RelationStoresAgree.TestCase
