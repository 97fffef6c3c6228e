"""What RedisTimelines promise, over a single server and over a cluster of three primaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import redis_servers
from roost.adapters.cache.redis_timelines import RedisTimelines
from roost.adapters.clock.manual import ManualClock
from roost.adapters.redis_link import RedisLink
from roost.domain.ids import ID_MAX, TweetId, UserId
from roost.domain.timeline import IdList, longest

ANA, BEN, CEM = (UserId(id) for id in (1, 2, 3))
LENGTH_MAX = 24
TTL_S = 100.0


@dataclass
class Bench:
    link: RedisLink
    make: type[RedisTimelines] = RedisTimelines
    parts: int = 1
    prefix: str = field(default_factory=redis_servers.fresh_prefix)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.timelines = self.another()

    def another(self) -> RedisTimelines:
        """The same timelines as another process has them."""
        random, now = redis_servers.RANDOMNESS, self.clock.monotonic_s
        return self.make(self.link, self.prefix, LENGTH_MAX, random, now, self.parts, TTL_S)

    async def warm(self, owner: UserId, *ids: int, floor: int = 0) -> IdList:
        timeline = await self.timelines.finish(owner, await self.timelines.begin(owner), tweets(*ids), floor)
        assert timeline is not None
        return timeline

    async def push(self, id: int, *owners: UserId) -> int:
        return await self.timelines.push(TweetId(id), owners)

    async def shown(self, owner: UserId) -> list[int] | None:
        timeline = await self.timelines.read(owner)
        return None if timeline is None else list(timeline.older(None, 1_000))

    async def ask(self, owner: UserId, command: str, *arguments: int) -> int:
        """Of the list itself."""
        key = f"{self.prefix}{owner}".encode()
        return int(await self.link.ask_owner(key, [command, key, *arguments], self.link.deadline_s()))


def tweets(*ids: int) -> Sequence[TweetId]:
    return [TweetId(id) for id in ids]


@pytest.fixture(params=redis_servers.KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(redis_servers.link(request.param))


async def test_a_cold_timeline_stays_cold_whatever_is_pushed(bench: Bench) -> None:
    assert await bench.push(5, ANA) == 0
    assert await bench.shown(ANA) is None
    assert await bench.ask(ANA, "EXISTS") == 0


async def test_a_rebuilt_timeline_is_warm_for_all_and_takes_pushes(bench: Bench) -> None:
    await bench.warm(ANA, 3, 1)
    assert await bench.push(5, ANA, BEN) == 1
    assert await bench.shown(ANA) == [5, 3, 1]
    timeline = await bench.another().read(ANA)
    assert timeline is not None
    assert (timeline.older(None, 9), timeline.floor) == ([5, 3, 1], 0)


async def test_pushing_twice_changes_nothing_and_late_pushes_find_their_place(bench: Bench) -> None:
    await bench.warm(ANA, 10)
    for id in (30, 20, 30, 5, 20, 10):
        await bench.push(id, ANA)
    assert await bench.shown(ANA) == [30, 20, 10, 5]


async def test_a_timeline_that_is_empty_takes_pushes(bench: Bench) -> None:
    await bench.warm(ANA)
    assert await bench.shown(ANA) == []
    await bench.push(5, ANA)
    assert await bench.shown(ANA) == [5]


async def test_what_is_pushed_during_a_rebuild_is_in_it(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    assert await bench.push(5, ANA) == 1
    await bench.push(2, ANA)
    assert await bench.shown(ANA) is None
    timeline = await bench.timelines.finish(ANA, ticket, tweets(4, 2), 0)
    assert timeline is not None
    assert timeline.older(None, 9) == [5, 4, 2]
    assert await bench.shown(ANA) == [5, 4, 2]


async def test_what_was_pushed_below_the_floor_of_a_rebuild_is_not(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    for id in (2, 3, 9):
        await bench.push(id, ANA)
    await bench.timelines.finish(ANA, ticket, tweets(4, 3), 3)
    await bench.push(1, ANA)
    timeline = await bench.timelines.read(ANA)
    assert timeline is not None
    assert (timeline.older(None, 9), timeline.floor) == ([9, 4, 3], 3)


async def test_a_rebuild_is_void_once_the_timeline_was_forgotten(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    await bench.another().forget(ANA)
    assert await bench.timelines.finish(ANA, ticket, tweets(1), 0) is None
    assert await bench.shown(ANA) is None


async def test_a_rebuild_is_void_once_all_were_cleared(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    assert await bench.another().clear()
    assert await bench.timelines.finish(ANA, ticket, tweets(1), 0) is None
    assert await bench.shown(ANA) is None


async def test_of_two_rebuilds_the_later_one_counts(bench: Bench) -> None:
    early = await bench.timelines.begin(ANA)
    late = await bench.another().begin(ANA)
    assert await bench.timelines.finish(ANA, early, tweets(1), 0) is None
    assert await bench.another().finish(ANA, late, tweets(2), 0) is not None
    assert await bench.shown(ANA) == [2]


async def test_a_rebuild_begun_after_the_forgetting_is_not_void(bench: Bench) -> None:
    early = await bench.timelines.begin(ANA)
    await bench.timelines.forget(ANA)
    late = await bench.timelines.begin(ANA)
    assert await bench.timelines.finish(ANA, early, tweets(1), 0) is None
    assert await bench.timelines.finish(ANA, late, tweets(2), 0) is not None


async def test_a_rebuild_finishes_once(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    assert await bench.timelines.finish(ANA, ticket, tweets(1), 0) is not None
    assert await bench.timelines.finish(ANA, ticket, tweets(7), 0) is None
    assert await bench.shown(ANA) == [1]


async def test_what_is_forgotten_is_cold_and_nothing_else(bench: Bench) -> None:
    for owner in (ANA, BEN, CEM):
        await bench.warm(owner, 1)
    await bench.timelines.forget_many((ANA, CEM))
    assert [await bench.shown(owner) for owner in (ANA, BEN, CEM)] == [None, [1], None]
    assert await bench.push(5, ANA) == 0


async def test_clearing_makes_all_cold_on_every_node_and_nothing_of_others(bench: Bench) -> None:
    others = Bench(bench.link, bench.make)
    await others.warm(ANA, 1)
    for id in range(1, 60):
        await bench.warm(UserId(id), 1)
    assert await bench.timelines.clear()
    assert [await bench.shown(UserId(id)) for id in range(1, 60)] == [None] * 59
    assert await others.shown(ANA) == [1]


async def test_each_of_a_crowd_takes_what_is_pushed_to_all(bench: Bench) -> None:
    crowd = tuple(UserId(id) for id in range(1, 2_500))
    warm = [UserId(id) for id in (1, 2, 999, 1_000, 1_001, 2_000, 2_499)]
    for owner in warm:
        await bench.warm(owner)
    assert await bench.push(7, *crowd) == len(warm)
    assert [await bench.shown(owner) for owner in warm] == [[7]] * len(warm)
    assert await bench.push(8, *crowd[:1]) == 1
    assert await bench.push(9) == 0


async def test_the_greatest_ids_keep_their_places(bench: Bench) -> None:
    """Lua's numbers end at 53 bits."""
    ids = [ID_MAX - number for number in range(2 * LENGTH_MAX)]
    await bench.warm(ANA, *ids[LENGTH_MAX:])
    for id in ids[:LENGTH_MAX]:
        await bench.push(id, ANA)
    assert (await bench.shown(ANA) or [])[:LENGTH_MAX] == ids[:LENGTH_MAX]


async def test_a_list_is_trimmed_now_and_then_and_its_floor_rises(bench: Bench) -> None:
    await bench.warm(ANA, *range(1, LENGTH_MAX + 1))
    for id in range(LENGTH_MAX + 1, 5 * LENGTH_MAX):
        await bench.push(id, ANA)
        assert await bench.ask(ANA, "LLEN") <= longest(LENGTH_MAX) + 1
    timeline = await bench.timelines.read(ANA)
    assert timeline is not None
    assert timeline.floor == timeline.ids[0]
    assert len(timeline.ids) == LENGTH_MAX


async def test_a_push_is_no_use_and_a_read_is(bench: Bench) -> None:
    await bench.warm(ANA, 1)
    await bench.ask(ANA, "PEXPIRE", 50_000)
    for id in range(2, 4 * LENGTH_MAX):
        await bench.push(id, ANA)
    assert 0 < await bench.ask(ANA, "PTTL") <= 50_000
    await bench.shown(ANA)
    assert await bench.ask(ANA, "PTTL") > 90_000


async def test_a_rebuild_that_nobody_finishes_goes_soon(bench: Bench) -> None:
    await bench.timelines.begin(ANA)
    for id in range(1, 4 * LENGTH_MAX):
        await bench.push(id, ANA)
    assert 0 < await bench.ask(ANA, "PTTL") <= 60_000
    assert await bench.ask(ANA, "LLEN") <= longest(LENGTH_MAX) + 1


async def test_more_pushes_than_a_timeline_holds_during_a_rebuild_raise_its_floor(bench: Bench) -> None:
    ticket = await bench.timelines.begin(ANA)
    for id in range(100, 100 + 3 * LENGTH_MAX):
        await bench.push(id, ANA)
    timeline = await bench.timelines.finish(ANA, ticket, tweets(*range(1, 20)), 0)
    assert timeline is not None
    assert timeline.floor == timeline.ids[0] > 99
    assert len(timeline.ids) == LENGTH_MAX


async def test_all_is_pushed_until_the_part_that_is_behind(bench: Bench) -> None:
    bench = Bench(bench.link, bench.make, parts=2)
    assert await bench.timelines.pushed_until() is None
    assert await bench.timelines.note_pushed(0, 500)
    assert await bench.timelines.pushed_until() is None
    assert await bench.another().note_pushed(1, 400)
    assert await bench.timelines.pushed_until() == 400
    assert await bench.timelines.note_pushed(1, 600)
    assert await bench.timelines.pushed_until() == 500


# An example is some 100 round trips over the network; the interleavings that matter are short.
@pytest.mark.parametrize("kind", redis_servers.KINDS)
@settings(max_examples=25, deadline=None)
@given(
    kept=st.sets(st.integers(1, 200), max_size=LENGTH_MAX),
    floor=st.integers(0, 60),
    early=st.lists(st.integers(1, 200), max_size=40),
    late=st.lists(st.integers(1, 200), max_size=80),
)
async def test_all_at_or_above_the_floor_is_there_and_no_more_than_the_bound_allows(
    kind: str, kept: set[int], floor: int, early: list[int], late: list[int]
) -> None:
    bench = Bench(redis_servers.link(kind))
    ticket = await bench.timelines.begin(ANA)
    for id in early:
        await bench.push(id, ANA)
    stored = sorted((id for id in kept if id >= floor), reverse=True)
    await bench.timelines.finish(ANA, ticket, tweets(*stored), floor)
    for id in late:
        await bench.push(id, ANA)
        assert await bench.ask(ANA, "LLEN") <= longest(LENGTH_MAX) + 1
    timeline = await bench.timelines.read(ANA)
    assert timeline is not None
    belonging = {id for id in (*stored, *early, *late) if id >= timeline.floor}
    shown = timeline.older(None, 1_000)
    assert shown == sorted(belonging, reverse=True)
    assert timeline.floor >= floor or floor == 1, "there is no id below 1"
    assert len(shown) <= longest(LENGTH_MAX)
    assert timeline.floor <= max(floor, 1) or len(shown) >= LENGTH_MAX or len(early) > LENGTH_MAX, "nothing falls off"
