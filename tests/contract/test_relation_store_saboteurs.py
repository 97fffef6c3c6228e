"""The contract of relations must catch a wrong adapter: each saboteur breaks one promise."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

import pytest

from contract import test_relation_store as relations
from contract.account_store_adapters import BEN, Promise, Stores, is_caught, memory_stores
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.domain.ids import Position, UserId, Version
from roost.domain.relation import Relation, RelationKind


class AddsAgain(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        self._drop(relation.kind, relation.subject, relation.object)
        return await super().add(relation, following_max)


class HoldsBothWays(MemoryRelationStore):
    async def holds(self, kind: RelationKind, subject: UserId, object: UserId) -> Relation | None:
        return await super().holds(kind, subject, object) or await super().holds(kind, object, subject)


class TellsTheVersionOfTheRemoval(MemoryRelationStore):
    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        facts = self._drop(kind, subject, object)
        return self._leave([replace(fact, version=version) for fact in facts]) if facts else None


class RemovesWhatIsNotThere(MemoryRelationStore):
    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        return self._leave(self._drop(kind, subject, object))


class FollowKeepsTheRequest(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        waiting = self._row(RelationKind.REQUEST, relation.subject, relation.object)
        position = await super().add(relation, following_max)
        if relation.kind is RelationKind.FOLLOW and waiting is not None:
            self._insert(waiting)
        return position


class BlockEndsOneWay(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        back = self._row(RelationKind.FOLLOW, relation.object, relation.subject)
        position = await super().add(relation, following_max)
        if relation.kind is RelationKind.BLOCK and back is not None:
            self._insert(back)
        return position


class BlockKeepsRequests(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        asked = self._row(RelationKind.REQUEST, relation.object, relation.subject)
        position = await super().add(relation, following_max)
        if relation.kind is RelationKind.BLOCK and asked is not None:
            self._insert(asked)
        return position


class BlockTellsOfItselfOnly(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        leave = self._leave
        self._leave = lambda facts: leave(facts[-1:])
        try:
            return await super().add(relation, following_max)
        finally:
            self._leave = leave


class FollowsInSpiteOfABlock(MemoryRelationStore):
    def _stands_in_the_way(self, asked: Relation) -> bool:
        return False


class RequestsDoNotCount(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        waiting = self._of(RelationKind.REQUEST, relation.subject)
        return await super().add(relation, following_max + len(waiting))


class BoundIsOneTooHigh(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        return await super().add(relation, following_max + 1)


class BoundIsOneTooLow(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        return await super().add(relation, following_max - 1)


class CountsTheRequestTwice(MemoryRelationStore):
    def _check_following(self, subject: UserId, object_: UserId, following_max: int) -> None:
        super()._check_following(subject, UserId(0), following_max)


class DropsTheRequestOfTheRefused(MemoryRelationStore):
    async def add(self, relation: Relation, following_max: int) -> Position | None:
        if relation.kind is RelationKind.FOLLOW:
            self._drop(RelationKind.REQUEST, relation.subject, relation.object)
        return await super().add(relation, following_max)


class AcceptsWhatIsGone(MemoryRelationStore):
    async def accept(self, requests: Collection[Relation]) -> Position | None:
        for request in requests:
            if self._row(RelationKind.REQUEST, request.subject, request.object) is None:
                self._insert(replace(request, version=Version(1)))
        return await super().accept(requests)


class AcceptsWithTheRequestsVersion(MemoryRelationStore):
    async def accept(self, requests: Collection[Relation]) -> Position | None:
        kept = [self._row(RelationKind.REQUEST, each.subject, each.object) for each in requests]
        return await super().accept([row for row in kept if row is not None])


class CursorIsInclusive(MemoryRelationStore):
    async def of_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return await super().of_subject(kind, subject, None if before is None else Version(before + 1), limit)


class OldestFollowFirst(MemoryRelationStore):
    async def of_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        return list(reversed(await super().of_object(kind, object, before, limit)))


class FollowersInOrderOfFollowing(MemoryRelationStore):
    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        return [each for each in self._to(RelationKind.FOLLOW, user) if each > after][:limit]


class ShortPagesOfFollowers(MemoryRelationStore):
    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        return await super().followers(user, after, min(limit, 500))


class CountsThoseWhoWait(MemoryRelationStore):
    def follower_count(self, user: UserId) -> int:
        return super().follower_count(user) + len(self._to(RelationKind.REQUEST, user))


class ErasesOneSide(MemoryRelationStore):
    async def erase(self, user: UserId, limit: int) -> int:
        rows = [row for kind in RelationKind for row in self._of(kind, user).values()][:limit]
        self._leave([fact for row in rows for fact in self._drop(row.kind, row.subject, row.object)])
        return len(rows)


class ErasesSilently(MemoryRelationStore):
    async def erase(self, user: UserId, limit: int) -> int:
        leave, self._leave = self._leave, lambda _: Position("")
        erased = await super().erase(user, limit)
        self._leave = leave
        return erased


def of_kind(promise: Callable[[Stores, RelationKind], Awaitable[None]], kind: RelationKind) -> Promise:
    async def promised(stores: Stores) -> None:
        await promise(stores, kind)

    return promised


async def blocked_follow(stores: Stores) -> None:
    await relations.test_a_follow_that_meets_a_block_is_ended_by_it(stores, RelationKind.FOLLOW, BEN)


RELATIONS: list[tuple[type[MemoryRelationStore], Promise]] = [
    (AddsAgain, of_kind(relations.test_adding_again_changes_and_announces_nothing, RelationKind.FOLLOW)),
    (HoldsBothWays, of_kind(relations.test_what_is_added_holds_one_way_and_is_announced, RelationKind.MUTE)),
    (
        TellsTheVersionOfTheRemoval,
        of_kind(
            relations.test_what_is_removed_holds_no_more_and_is_announced_with_the_rows_version, RelationKind.FOLLOW
        ),
    ),
    (
        RemovesWhatIsNotThere,
        of_kind(
            relations.test_what_is_removed_holds_no_more_and_is_announced_with_the_rows_version, RelationKind.BLOCK
        ),
    ),
    (FollowKeepsTheRequest, relations.test_a_follow_takes_the_place_of_the_request),
    (BlockEndsOneWay, relations.test_a_block_ends_the_follow_of_the_blocker_by_the_blocked),
    (BlockKeepsRequests, relations.test_a_block_ends_follows_and_requests_both_ways_and_announces_each),
    (BlockTellsOfItselfOnly, relations.test_a_block_ends_follows_and_requests_both_ways_and_announces_each),
    (FollowsInSpiteOfABlock, blocked_follow),
    (FollowsInSpiteOfABlock, relations.test_a_block_and_follows_at_once_leave_no_follow_behind),
    (FollowsInSpiteOfABlock, relations.test_a_request_to_whom_one_follows_changes_nothing),
    (RequestsDoNotCount, relations.test_follows_and_requests_count_together_towards_the_bound),
    (BoundIsOneTooHigh, relations.test_follows_at_once_do_not_pass_the_bound_together),
    (BoundIsOneTooLow, relations.test_the_last_one_below_the_bound_is_kept),
    (
        CountsTheRequestTwice,
        relations.test_at_the_bound_what_holds_may_be_repeated_and_a_request_may_become_a_follow,
    ),
    (DropsTheRequestOfTheRefused, relations.test_a_request_stays_when_its_follow_is_refused),
    (AcceptsWhatIsGone, relations.test_accepted_requests_become_follows_and_the_gone_are_passed_over),
    (AcceptsWithTheRequestsVersion, relations.test_accepted_requests_become_follows_and_the_gone_are_passed_over),
    (CursorIsInclusive, relations.test_lists_are_pages_newest_first_strictly_below_the_cursor),
    (OldestFollowFirst, relations.test_lists_are_pages_newest_first_strictly_below_the_cursor),
    (FollowersInOrderOfFollowing, relations.test_followers_are_paged_by_rising_id_whatever_the_order_of_follows),
    (ShortPagesOfFollowers, relations.test_a_long_page_of_followers_is_whole),
    (CountsThoseWhoWait, relations.test_followers_are_counted_without_those_who_wait),
    (ErasesOneSide, relations.test_erasing_drops_all_that_names_the_user_in_bounded_steps_and_announces_each),
    (ErasesSilently, relations.test_erasing_drops_all_that_names_the_user_in_bounded_steps_and_announces_each),
]


@pytest.mark.parametrize(("saboteur", "promise"), RELATIONS)
async def test_a_wrong_relation_store_is_caught(saboteur: type[MemoryRelationStore], promise: Promise) -> None:
    await is_caught(memory_stores(relation_store=saboteur), promise)
