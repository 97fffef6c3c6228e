"""The RelationStore contract."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.account_store_adapters import ANA, BEN, CEM, DEE, STORES, Stores
from roost.domain.errors import Invalid
from roost.domain.events import RelationChanged
from roost.domain.ids import UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations

FOLLOW, REQUEST, BLOCK, MUTE = RelationKind
FOLLOWING_MAX = 7_500


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def row(kind: RelationKind, subject: UserId, object: UserId, version: int) -> Relation:
    return Relation(kind, subject, object, Version(version))


def told(kind: RelationKind, subject: UserId, object: UserId, version: int, *, now: bool) -> RelationChanged:
    return RelationChanged(subject, object, kind.value, now, Version(version))


async def keep(stores: Stores, *rows: Relation) -> None:
    for each in rows:
        assert await stores.relations.add(each, FOLLOWING_MAX) is not None


@pytest.mark.parametrize("kind", RelationKind)
async def test_what_is_added_holds_one_way_and_is_announced(stores: Stores, kind: RelationKind) -> None:
    await keep(stores, row(kind, ANA, BEN, 1))
    assert await stores.relations.holds(kind, ANA, BEN) == row(kind, ANA, BEN, 1)
    assert await stores.relations.holds(kind, BEN, ANA) is None
    assert [each for each in RelationKind if await stores.relations.holds(each, ANA, BEN)] == [kind]
    assert stores.left() == [told(kind, ANA, BEN, 1, now=True)]


@pytest.mark.parametrize("kind", RelationKind)
async def test_adding_again_changes_and_announces_nothing(stores: Stores, kind: RelationKind) -> None:
    await keep(stores, row(kind, ANA, BEN, 1))
    assert await stores.relations.add(row(kind, ANA, BEN, 2), FOLLOWING_MAX) is None
    assert await stores.relations.holds(kind, ANA, BEN) == row(kind, ANA, BEN, 1)
    assert len(stores.left()) == 1


@pytest.mark.parametrize("kind", RelationKind)
async def test_what_is_removed_holds_no_more_and_is_announced_with_the_rows_version(
    stores: Stores, kind: RelationKind
) -> None:
    await keep(stores, row(kind, ANA, BEN, 1))
    assert await stores.relations.remove(kind, ANA, BEN, Version(2)) is not None
    assert await stores.relations.remove(kind, ANA, BEN, Version(3)) is None
    assert await stores.relations.holds(kind, ANA, BEN) is None
    assert await stores.relations.of_object(kind, BEN, None, 10) == []
    assert stores.left()[1:] == [told(kind, ANA, BEN, 1, now=False)]


async def test_removing_one_kind_leaves_the_others(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1), row(MUTE, ANA, BEN, 2), row(FOLLOW, BEN, ANA, 3))
    await stores.relations.remove(FOLLOW, ANA, BEN, Version(4))
    assert await stores.relations.holds(MUTE, ANA, BEN) is not None
    assert await stores.relations.holds(FOLLOW, BEN, ANA) is not None


async def test_all_relations_of_a_viewer_are_answered_at_once(stores: Stores) -> None:
    await keep(
        stores,
        row(FOLLOW, ANA, BEN, 1),
        row(MUTE, ANA, BEN, 2),
        row(REQUEST, ANA, CEM, 3),
        row(BLOCK, ANA, DEE, 4),
        row(BLOCK, UserId(9), ANA, 5),
        row(FOLLOW, BEN, ANA, 6),
        row(MUTE, CEM, ANA, 7),
        row(REQUEST, CEM, ANA, 8),
    )
    assert await stores.relations.relations(ANA) == Relations(
        ANA,
        follows=frozenset({BEN}),
        blocks=frozenset({DEE}),
        blocked_by=frozenset({UserId(9)}),
        mutes=frozenset({BEN}),
        requested=frozenset({CEM}),
    )
    assert await stores.relations.relations(UserId(77)) == Relations(UserId(77))


async def test_relations_beyond_a_few_hundred_are_whole(stores: Stores) -> None:
    follows = [stores.relations.add(row(FOLLOW, ANA, UserId(1_000 + n), n), FOLLOWING_MAX) for n in range(1, 1_201)]
    await asyncio.gather(*follows)
    await keep(stores, row(BLOCK, BEN, ANA, 5_000), row(MUTE, ANA, CEM, 5_001))
    relations = await stores.relations.relations(ANA)
    assert relations.follows == set(range(1_001, 2_201))
    assert (relations.blocked_by, relations.mutes) == ({BEN}, {CEM})
    listed = await stores.relations.of_subject(FOLLOW, ANA, Version(1_101), 1_000)
    assert [each.version for each in listed] == list(range(1_100, 100, -1))


async def test_a_follow_takes_the_place_of_the_request(stores: Stores) -> None:
    await keep(stores, row(REQUEST, ANA, BEN, 1), row(FOLLOW, ANA, BEN, 2))
    assert await stores.relations.holds(REQUEST, ANA, BEN) is None
    assert sorted(stores.left()[1:], key=str) == sorted(
        [told(REQUEST, ANA, BEN, 1, now=False), told(FOLLOW, ANA, BEN, 2, now=True)], key=str
    )


async def test_a_follow_leaves_the_request_the_other_way(stores: Stores) -> None:
    await keep(stores, row(REQUEST, BEN, ANA, 1), row(FOLLOW, ANA, BEN, 2))
    assert await stores.relations.holds(REQUEST, BEN, ANA) is not None


async def test_a_request_to_whom_one_follows_changes_nothing(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1))
    assert await stores.relations.add(row(REQUEST, ANA, BEN, 2), FOLLOWING_MAX) is None
    assert await stores.relations.holds(REQUEST, ANA, BEN) is None
    assert len(stores.left()) == 1


async def test_a_block_ends_follows_and_requests_both_ways_and_announces_each(stores: Stores) -> None:
    await keep(
        stores,
        row(FOLLOW, ANA, BEN, 1),
        row(REQUEST, BEN, ANA, 2),
        row(FOLLOW, CEM, ANA, 3),
        row(MUTE, ANA, BEN, 4),
        row(REQUEST, DEE, BEN, 5),
        row(BLOCK, ANA, BEN, 6),
    )
    assert {str(event) for event in stores.left()[5:]} == {
        str(told(FOLLOW, ANA, BEN, 1, now=False)),
        str(told(REQUEST, BEN, ANA, 2, now=False)),
        str(told(BLOCK, ANA, BEN, 6, now=True)),
    }
    assert [await stores.relations.holds(FOLLOW, *pair) for pair in ((ANA, BEN), (BEN, ANA))] == [None, None]
    assert [await stores.relations.holds(REQUEST, *pair) for pair in ((ANA, BEN), (BEN, ANA))] == [None, None]
    for kind, subject, object in ((FOLLOW, CEM, ANA), (MUTE, ANA, BEN), (REQUEST, DEE, BEN)):
        assert await stores.relations.holds(kind, subject, object) is not None


async def test_a_block_ends_the_follow_of_the_blocker_by_the_blocked(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, BEN, ANA, 1), row(REQUEST, ANA, BEN, 2), row(BLOCK, ANA, BEN, 3))
    assert await stores.relations.holds(FOLLOW, BEN, ANA) is None
    assert await stores.relations.holds(REQUEST, ANA, BEN) is None
    assert len(stores.left()) == 5


@pytest.mark.parametrize("kind", [FOLLOW, REQUEST])
@pytest.mark.parametrize("blocker", [ANA, BEN])
async def test_a_follow_that_meets_a_block_is_ended_by_it(stores: Stores, kind: RelationKind, blocker: UserId) -> None:
    await keep(stores, row(BLOCK, blocker, BEN if blocker == ANA else ANA, 1))
    assert await stores.relations.add(row(kind, ANA, BEN, 2), FOLLOWING_MAX) is None
    assert await stores.relations.holds(kind, ANA, BEN) is None
    assert len(stores.left()) == 1


async def test_a_block_and_follows_at_once_leave_no_follow_behind(stores: Stores) -> None:
    changes = [
        row(FOLLOW, ANA, BEN, 1),
        row(FOLLOW, BEN, ANA, 2),
        row(BLOCK, ANA, BEN, 3),
        row(FOLLOW, ANA, BEN, 4),
        row(REQUEST, BEN, ANA, 5),
    ]
    await asyncio.gather(*(stores.relations.add(each, FOLLOWING_MAX) for each in changes))
    assert await stores.relations.relations(ANA) == Relations(ANA, blocks=frozenset({BEN}))
    assert await stores.relations.relations(BEN) == Relations(BEN, blocked_by=frozenset({ANA}))


async def test_follows_and_requests_count_together_towards_the_bound(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1), row(REQUEST, ANA, CEM, 2), row(FOLLOW, BEN, ANA, 3))
    for kind in (FOLLOW, REQUEST):
        with pytest.raises(Invalid):
            await stores.relations.add(row(kind, ANA, DEE, 4), 2)
        assert await stores.relations.holds(kind, ANA, DEE) is None
    assert len(stores.left()) == 3
    for kind in (BLOCK, MUTE):
        assert await stores.relations.add(row(kind, ANA, DEE, 5), 2) is not None


async def test_the_last_one_below_the_bound_is_kept(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1))
    assert await stores.relations.add(row(REQUEST, ANA, CEM, 2), 2) is not None


async def test_at_the_bound_what_holds_may_be_repeated_and_a_request_may_become_a_follow(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1), row(REQUEST, ANA, CEM, 2))
    assert await stores.relations.add(row(FOLLOW, ANA, BEN, 3), 2) is None
    assert await stores.relations.add(row(FOLLOW, ANA, CEM, 4), 2) is not None
    assert (await stores.relations.relations(ANA)).follows == {BEN, CEM}


async def test_a_request_stays_when_its_follow_is_refused(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1), row(REQUEST, ANA, CEM, 2))
    with pytest.raises(Invalid):
        await stores.relations.add(row(FOLLOW, ANA, CEM, 3), 1)
    assert await stores.relations.holds(REQUEST, ANA, CEM) == row(REQUEST, ANA, CEM, 2)
    assert len(stores.left()) == 2


async def test_follows_at_once_do_not_pass_the_bound_together(stores: Stores) -> None:
    follows = [stores.relations.add(row(FOLLOW, ANA, UserId(200 + n), n), 3) for n in range(1, 9)]
    outcomes = await asyncio.gather(*follows, return_exceptions=True)
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 5
    assert len((await stores.relations.relations(ANA)).follows) == 3


async def test_accepted_requests_become_follows_and_the_gone_are_passed_over(stores: Stores) -> None:
    await keep(stores, row(REQUEST, ANA, DEE, 1), row(REQUEST, BEN, DEE, 2))
    asked = [row(REQUEST, ANA, DEE, 11), row(REQUEST, CEM, DEE, 12), row(REQUEST, BEN, DEE, 13)]
    assert await stores.relations.accept(asked) is not None
    assert await stores.relations.of_object(FOLLOW, DEE, None, 10) == [
        row(FOLLOW, BEN, DEE, 13),
        row(FOLLOW, ANA, DEE, 11),
    ]
    assert await stores.relations.of_object(REQUEST, DEE, None, 10) == []
    assert {str(event) for event in stores.left()[2:]} == {
        str(told(REQUEST, ANA, DEE, 1, now=False)),
        str(told(FOLLOW, ANA, DEE, 11, now=True)),
        str(told(REQUEST, BEN, DEE, 2, now=False)),
        str(told(FOLLOW, BEN, DEE, 13, now=True)),
    }
    assert await stores.relations.accept(asked) is None
    assert len(stores.left()) == 6


async def test_lists_are_pages_newest_first_strictly_below_the_cursor(stores: Stores) -> None:
    for version, other in ((3, BEN), (1, CEM), (2, DEE)):
        await keep(stores, row(FOLLOW, ANA, other, version), row(FOLLOW, other, ANA, 10 + version))
    await keep(stores, row(MUTE, ANA, BEN, 20), row(BLOCK, UserId(9), ANA, 21))
    of_subject = await stores.relations.of_subject(FOLLOW, ANA, None, 2)
    assert of_subject == [row(FOLLOW, ANA, BEN, 3), row(FOLLOW, ANA, DEE, 2)]
    assert await stores.relations.of_subject(FOLLOW, ANA, Version(2), 2) == [row(FOLLOW, ANA, CEM, 1)]
    of_object = await stores.relations.of_object(FOLLOW, ANA, None, 2)
    assert of_object == [row(FOLLOW, BEN, ANA, 13), row(FOLLOW, DEE, ANA, 12)]
    assert await stores.relations.of_object(FOLLOW, ANA, Version(12), 2) == [row(FOLLOW, CEM, ANA, 11)]


async def test_followers_are_paged_by_rising_id_whatever_the_order_of_follows(stores: Stores) -> None:
    for version, follower in enumerate((5, 1, 4, 2, 3), start=1):
        await keep(stores, row(FOLLOW, UserId(follower), ANA, version))
    await keep(stores, row(REQUEST, UserId(6), ANA, 9), row(FOLLOW, ANA, UserId(7), 10))
    assert await stores.relations.followers(ANA, UserId(0), 2) == [1, 2]
    assert await stores.relations.followers(ANA, UserId(2), 2) == [3, 4]
    assert await stores.relations.followers(ANA, UserId(4), 2) == [5]


async def test_a_long_page_of_followers_is_whole(stores: Stores) -> None:
    follows = [stores.relations.add(row(FOLLOW, UserId(n), ANA, n), FOLLOWING_MAX) for n in range(1_001, 2_301)]
    await asyncio.gather(*follows)
    assert await stores.relations.followers(ANA, UserId(0), 10_000) == list(range(1_001, 2_301))
    assert await stores.relations.followers(ANA, UserId(1_100), 1_000) == list(range(1_101, 2_101))
    assert await stores.relations.follower_counts([ANA, BEN]) == {ANA: 1_300, BEN: 0}


async def test_followers_are_counted_without_those_who_wait(stores: Stores) -> None:
    await keep(stores, row(FOLLOW, ANA, BEN, 1), row(FOLLOW, CEM, BEN, 2), row(REQUEST, DEE, BEN, 3))
    await keep(stores, row(FOLLOW, BEN, CEM, 4))
    assert await stores.relations.follower_counts([ANA, BEN, CEM]) == {ANA: 0, BEN: 2, CEM: 1}
    assert await stores.relations.follower_counts([]) == {}


async def test_erasing_drops_all_that_names_the_user_in_bounded_steps_and_announces_each(stores: Stores) -> None:
    naming = [
        row(FOLLOW, ANA, BEN, 1),
        row(FOLLOW, CEM, ANA, 2),
        row(BLOCK, ANA, DEE, 3),
        row(MUTE, BEN, ANA, 4),
        row(REQUEST, ANA, CEM, 5),
    ]
    await keep(stores, *naming, row(FOLLOW, BEN, CEM, 6))
    assert [await stores.relations.erase(ANA, 3) for _ in range(3)] == [3, 2, 0]
    assert {str(event) for event in stores.left()[6:]} == {
        str(told(each.kind, each.subject, each.object, each.version, now=False)) for each in naming
    }
    assert await stores.relations.relations(ANA) == Relations(ANA)
    assert await stores.relations.holds(MUTE, BEN, ANA) is None
    assert await stores.relations.holds(FOLLOW, BEN, CEM) is not None
