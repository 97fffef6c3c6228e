"""The TimelineCache contract, over every adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cache_adapters import TIMELINES, MakeTimelines
from roost.adapters.clock.manual import ManualClock
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList, longest
from roost.ports.cache import TimelineCache

ANA, BEN, CEM, DEE = (UserId(id) for id in (1, 2, 3, 4))
LENGTH_MAX = 24
OWNERS_MAX = 3
TTL_S = 100.0


@dataclass
class Bench:
    make: MakeTimelines
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.cache: TimelineCache = self.make(LENGTH_MAX, OWNERS_MAX, TTL_S, self.clock.monotonic_s)

    async def warm(self, owner: UserId, *ids: int, floor: int = 0) -> IdList:
        """A rebuild with nothing in its way."""
        timeline = await self.cache.finish(owner, await self.cache.begin(owner), tweets(*ids), floor)
        assert timeline is not None
        return timeline

    async def push(self, id: int, *owners: UserId) -> int:
        return await self.cache.push(TweetId(id), owners)

    def shown(self, owner: UserId) -> list[int] | None:
        timeline = self.cache.peek(owner)
        return None if timeline is None else list(timeline.older(None, 1_000))


def tweets(*ids: int) -> Sequence[TweetId]:
    return [TweetId(id) for id in ids]


@pytest.fixture(params=TIMELINES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(TIMELINES[request.param])


async def test_a_cold_timeline_stays_cold_whatever_is_pushed(bench: Bench) -> None:
    assert await bench.push(5, ANA) == 0
    assert bench.cache.peek(ANA) is None
    assert list(bench.cache.warm_owners()) == []


async def test_a_rebuilt_timeline_is_warm_and_takes_pushes(bench: Bench) -> None:
    await bench.warm(ANA, 3, 1)
    assert await bench.push(5, ANA, BEN) == 1
    assert bench.shown(ANA) == [5, 3, 1]
    assert list(bench.cache.warm_owners()) == [ANA]


async def test_pushing_twice_changes_nothing_and_late_pushes_find_their_place(bench: Bench) -> None:
    await bench.warm(ANA, 10)
    for id in (30, 20, 30, 5, 20, 10):
        await bench.push(id, ANA)
    assert bench.shown(ANA) == [30, 20, 10, 5]


async def test_a_timeline_that_is_empty_takes_pushes(bench: Bench) -> None:
    await bench.warm(ANA)
    await bench.push(5, ANA)
    assert bench.shown(ANA) == [5]


async def test_what_is_pushed_during_a_rebuild_is_in_it(bench: Bench) -> None:
    ticket = await bench.cache.begin(ANA)
    assert await bench.push(5, ANA) == 1
    await bench.push(2, ANA)
    assert bench.cache.peek(ANA) is None
    timeline = await bench.cache.finish(ANA, ticket, tweets(4, 2), 0)
    assert timeline is not None
    assert bench.shown(ANA) == [5, 4, 2]


async def test_what_was_pushed_below_the_floor_of_a_rebuild_is_not(bench: Bench) -> None:
    ticket = await bench.cache.begin(ANA)
    await bench.push(2, ANA)
    await bench.push(3, ANA)
    await bench.push(9, ANA)
    timeline = await bench.cache.finish(ANA, ticket, tweets(4, 3), 3)
    assert timeline is not None
    assert bench.shown(ANA) == [9, 4, 3]
    assert timeline.floor <= 3


async def test_a_rebuild_of_many_owners_collects_for_each_his_own(bench: Bench) -> None:
    tickets = {owner: await bench.cache.begin(owner) for owner in (ANA, BEN)}
    await bench.push(5, ANA, CEM, DEE)
    await bench.push(6, BEN)
    for owner, ticket in tickets.items():
        await bench.cache.finish(owner, ticket, [], 0)
    assert (bench.shown(ANA), bench.shown(BEN)) == ([5], [6])


async def test_a_rebuild_is_void_once_the_timeline_was_forgotten(bench: Bench) -> None:
    ticket = await bench.cache.begin(ANA)
    await bench.cache.forget(ANA)
    assert await bench.cache.finish(ANA, ticket, tweets(1), 0) is None
    assert bench.cache.peek(ANA) is None


async def test_a_rebuild_is_void_once_all_were_cleared(bench: Bench) -> None:
    ticket = await bench.cache.begin(ANA)
    await bench.cache.clear()
    assert await bench.cache.finish(ANA, ticket, tweets(1), 0) is None
    assert bench.cache.peek(ANA) is None


async def test_of_two_rebuilds_the_later_one_counts(bench: Bench) -> None:
    early = await bench.cache.begin(ANA)
    late = await bench.cache.begin(ANA)
    assert await bench.cache.finish(ANA, early, tweets(1), 0) is None
    assert await bench.cache.finish(ANA, late, tweets(2), 0) is not None
    assert bench.shown(ANA) == [2]


async def test_a_rebuild_begun_after_the_forgetting_is_not_void(bench: Bench) -> None:
    early = await bench.cache.begin(ANA)
    await bench.cache.forget(ANA)
    late = await bench.cache.begin(ANA)
    assert await bench.cache.finish(ANA, early, tweets(1), 0) is None
    assert await bench.cache.finish(ANA, late, tweets(2), 0) is not None


async def test_what_is_forgotten_is_cold(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    await bench.warm(BEN, 2)
    await bench.cache.forget(ANA)
    assert (bench.shown(ANA), bench.shown(BEN)) == (None, [2])
    assert await bench.push(5, ANA) == 0
    await bench.cache.clear()
    assert bench.shown(BEN) is None


async def test_those_who_are_stale_are_cold_and_their_rebuilds_void(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    await bench.warm(BEN, 2)
    tickets = {owner: await bench.cache.begin(owner) for owner in (CEM, DEE)}
    await bench.cache.forget_where(lambda owner: owner in (ANA, CEM))
    assert (bench.shown(ANA), bench.shown(BEN)) == (None, [2])
    assert await bench.cache.finish(CEM, tickets[CEM], tweets(1), 0) is None
    assert await bench.cache.finish(DEE, tickets[DEE], tweets(1), 0) is not None


async def test_beyond_the_bound_the_timeline_that_is_unread_longest_goes(bench: Bench) -> None:
    for owner in (ANA, BEN, CEM):
        await bench.warm(owner, 1)
    bench.cache.peek(ANA)
    await bench.push(2, BEN)  # a push is no use
    await bench.warm(DEE, 1)
    assert set(bench.cache.warm_owners()) == {ANA, CEM, DEE}


async def test_what_is_unread_for_the_time_to_live_goes_whatever_was_pushed(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    bench.clock.advance(int(TTL_S * 900))
    await bench.push(2, ANA)
    bench.clock.advance(int(TTL_S * 900))
    assert bench.shown(ANA) is None


async def test_what_is_read_stays_longer_than_the_time_to_live(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    for _ in range(5):
        bench.clock.advance(int(TTL_S * 600))
        assert bench.shown(ANA) == [1]


async def test_each_of_a_crowd_takes_what_is_pushed_to_all_however_much_it_is(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    await bench.warm(CEM, 1)
    crowd = tuple(UserId(id) for id in range(1, 1_000))
    newest = 1
    for more in (1, 62, 63, 64, 65, 200):  # around and beyond what a cache may gather before it puts it in its place
        for id in range(newest + 1, newest + more + 1):
            assert await bench.push(id, *crowd) == 2
        newest += more
        expected = list(range(newest, max(newest - LENGTH_MAX, 0), -1))
        assert [(bench.shown(owner) or [])[:LENGTH_MAX] for owner in (ANA, CEM)] == [expected, expected]
    assert bench.shown(BEN) is None


async def test_who_becomes_warm_between_two_pushes_takes_the_second(bench: Bench) -> None:
    crowd = tuple(UserId(id) for id in range(1, 1_000))
    await bench.warm(ANA)
    await bench.cache.push(TweetId(1), crowd)
    await bench.warm(CEM)
    assert await bench.cache.push(TweetId(2), crowd) == 2
    assert (bench.shown(ANA), bench.shown(CEM)) == ([2, 1], [2])
    await bench.cache.forget(ANA)
    assert await bench.cache.push(TweetId(3), crowd) == 1
    assert (bench.shown(ANA), bench.shown(CEM)) == (None, [3, 2])


PEOPLE = st.integers(1, 60).map(UserId)
GROUPS = [tuple(UserId(id) for id in ids) for ids in (range(1, 61), range(20, 50), (5,), range(1, 40, 3), (7, 9), ())]


@pytest.mark.parametrize("adapter", TIMELINES)
@given(
    acts=st.lists(
        st.one_of(
            st.tuples(st.just("push"), st.integers(1, 90), st.sampled_from(GROUPS)),
            st.tuples(st.just("push"), st.integers(1, 90), st.sampled_from(GROUPS)),
            st.tuples(st.sampled_from(["warm", "begin", "forget", "read"]), st.just(0), PEOPLE.map(lambda one: (one,))),
        ),
        max_size=120,
    )
)
async def test_pushes_to_crowds_reach_whoever_is_warm_or_warming_then_and_nobody_else(
    adapter: str, acts: list[tuple[str, int, tuple[UserId, ...]]]
) -> None:
    cache = TIMELINES[adapter](1_000, 1_000, TTL_S, ManualClock().monotonic_s)
    warm: dict[UserId, set[int]] = {}
    warming: dict[UserId, tuple[int, set[int]]] = {}

    def check(owner: UserId) -> None:
        timeline = cache.peek(owner)
        shown = None if timeline is None else timeline.older(None, 1_000)
        assert shown == (sorted(warm[owner], reverse=True) if owner in warm else None)

    for act, id, owners in acts:
        if act == "push":
            taking = [warm[owner] for owner in owners if owner in warm]
            collecting = [warming[owner][1] for owner in owners if owner in warming]
            assert await cache.push(TweetId(id), owners) == len(taking) + len(collecting)
            for ids in (*taking, *collecting):
                ids.add(id)
            continue
        (owner,) = owners
        if act == "begin" and owner not in warm:
            warming[owner] = (await cache.begin(owner), set())
        elif act == "warm" and owner not in warm:
            ticket, pushed = warming.pop(owner) if owner in warming else (await cache.begin(owner), set())
            assert await cache.finish(owner, ticket, [], 0) is not None
            warm[owner] = pushed
        elif act == "forget":
            await cache.forget(owner)
            warm.pop(owner, None)
            warming.pop(owner, None)
        else:
            check(owner)
    for owner in GROUPS[0]:
        check(owner)


@pytest.mark.parametrize("adapter", TIMELINES)
@given(
    kept=st.sets(st.integers(1, 200), max_size=LENGTH_MAX),
    floor=st.integers(0, 60),
    early=st.lists(st.integers(1, 200), max_size=40),
    late=st.lists(st.integers(1, 200), max_size=80),
)
async def test_all_at_or_above_the_floor_is_there_and_no_more_than_the_bound_allows(
    adapter: str, kept: set[int], floor: int, early: list[int], late: list[int]
) -> None:
    bench = Bench(TIMELINES[adapter])
    ticket = await bench.cache.begin(ANA)
    for id in early:
        await bench.push(id, ANA)
    stored = sorted((id for id in kept if id >= floor), reverse=True)
    await bench.cache.finish(ANA, ticket, tweets(*stored), floor)
    for id in late:
        await bench.push(id, ANA)
    timeline = bench.cache.peek(ANA)
    assert timeline is not None
    belonging = {id for id in (*stored, *early, *late) if id >= timeline.floor}
    shown = timeline.older(None, 1_000)
    assert shown == sorted(belonging, reverse=True)
    assert timeline.floor >= floor
    assert len(shown) <= longest(LENGTH_MAX)
    assert timeline.floor == floor or len(shown) >= LENGTH_MAX, "nothing falls off a list that has room"
