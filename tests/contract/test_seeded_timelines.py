"""Timelines of edges that are seeded from Redis: what every edge shows is complete, whatever the others did."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

from contract import redis_servers
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.cache.redis_timelines import RedisTimelines
from roost.adapters.cache.seeded_timelines import HEARD_MS_MAX, OVERLAP_MS, SETTLED_MS, SeededTimelines
from roost.adapters.clock.manual import ManualClock
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList
from roost.ports.cache import TimelineCache

ANA, BEN = UserId(1), UserId(2)
LENGTH_MAX = 24
LONG_MS = 2 * (OVERLAP_MS + SETTLED_MS)


@dataclass
class Edge:
    """Its own timelines, and whether it has heard the log lately."""

    cache: TimelineCache
    is_current: bool = True

    def shown(self, owner: UserId) -> list[int] | None:
        timeline = self.cache.peek(owner)
        return None if timeline is None else list(timeline.older(None, 1_000))

    async def read(self, owner: UserId, *stored: int, floor: int = 0) -> list[int] | None:
        """As views do: begin, and read the store where nothing was seeded."""
        ticket = await self.cache.begin(owner)
        if self.cache.peek(owner) is None:
            await self.cache.finish(owner, ticket, tweets(*stored), floor)
        return self.shown(owner)


@dataclass
class Bench:
    """Some edges and the fan_out role, over one Redis."""

    make: type[SeededTimelines] = SeededTimelines
    clock: ManualClock = field(default_factory=ManualClock)
    prefix: str = field(default_factory=redis_servers.fresh_prefix)

    def __post_init__(self) -> None:
        self.shared = self.far()

    def far(self, kind: type[RedisTimelines] = RedisTimelines) -> RedisTimelines:
        link = redis_servers.link("redis-single")
        return kind(link, self.prefix, LENGTH_MAX, redis_servers.RANDOMNESS, self.clock.monotonic_s)

    def edge(self, kind: type[RedisTimelines] = RedisTimelines) -> Edge:
        near = MemoryTimelines(LENGTH_MAX, 100, 1e6, self.clock.monotonic_s)
        edge = Edge(near)
        edge.cache = self.make(near, self.far(kind), self.clock.now_ms, lambda: edge.is_current)
        return edge

    async def all_is_pushed(self) -> None:
        """The fan_out role is where the log is, and has been for long."""
        self.clock.advance(LONG_MS)
        assert await self.shared.note_pushed(0, self.clock.now_ms())

    async def tell(self, id: int, owners: Sequence[UserId], *edges: Edge, is_pushed: bool = True) -> None:
        """All hear of a tweet; the fan_out role perhaps not yet."""
        for edge in edges:
            await edge.cache.push(TweetId(id), owners)
        if is_pushed:
            await self.shared.push(TweetId(id), owners)


def tweets(*ids: int) -> Sequence[TweetId]:
    return [TweetId(id) for id in ids]


@pytest.fixture(params=["redis-single"])
def bench() -> Bench:
    return Bench()


async def test_what_an_edge_rebuilt_another_is_seeded_with(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    assert await here.read(ANA, 3, 1) == [3, 1]
    await bench.all_is_pushed()
    await bench.tell(5, (ANA, BEN), here, there)
    assert await there.read(ANA) == [5, 3, 1]
    await bench.tell(6, (ANA,), here, there)
    assert (here.shown(ANA), there.shown(ANA)) == ([6, 5, 3, 1], [6, 5, 3, 1])


async def test_a_seed_keeps_its_floor(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 9, 8, floor=8)
    await bench.all_is_pushed()
    assert await there.read(ANA) == [9, 8]
    timeline = there.cache.peek(ANA)
    assert timeline is not None
    assert timeline.floor == 8


async def test_nothing_is_seeded_where_nobody_tells_until_when_all_is_pushed(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    bench.clock.advance(LONG_MS)
    assert await there.read(ANA, 2) == [2]


async def test_nothing_is_seeded_that_lacks_what_was_pushed_before_the_edge_began(bench: Bench) -> None:
    here = bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    await bench.tell(5, (ANA,), here, is_pushed=False)
    bench.clock.advance(LONG_MS)
    there = bench.edge()
    assert await there.read(ANA, 5, 1) == [5, 1]


async def test_what_an_edge_heard_before_it_was_pushed_is_in_its_seed(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    bench.clock.advance(1_000)
    await bench.tell(5, (BEN, ANA), here, there, is_pushed=False)
    await bench.tell(6, (BEN,), here, there, is_pushed=False)
    assert await there.read(ANA) == [5, 1]


async def test_nothing_is_seeded_that_lacks_more_than_an_edge_remembers(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    bench.clock.advance(1_000)
    await bench.tell(5, (ANA,), here, there, is_pushed=False)
    bench.clock.advance(HEARD_MS_MAX + 1_000)
    await bench.tell(6, (ANA,), here, there, is_pushed=False)
    assert await there.read(ANA, 6, 5, 1) == [6, 5, 1]


async def test_what_an_edge_forgot_it_is_not_seeded_with_until_all_have_heard_why(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    await there.cache.forget(ANA)  # a follow: here has not heard of it, nor has the fan_out role
    assert await there.read(ANA, 2, 1) == [2, 1]
    await there.cache.forget(ANA)
    bench.clock.advance(OVERLAP_MS)
    await bench.shared.note_pushed(0, bench.clock.now_ms() + OVERLAP_MS)
    await bench.shared.forget(ANA)
    await here.cache.begin(ANA)
    await here.cache.finish(ANA, await here.cache.begin(ANA), tweets(1), 0)  # built without the follow, and shared
    assert await there.read(ANA, 2, 1) == [2, 1]


async def test_what_was_forgotten_long_ago_is_seeded_again(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await there.cache.forget(ANA)
    await bench.all_is_pushed()
    assert await there.read(ANA) == [1]


async def test_who_forgets_what_it_holds_forgets_it_for_all(bench: Bench) -> None:
    here = bench.edge()
    await here.read(ANA, 1)
    await here.read(BEN, 1)
    await here.cache.forget(ANA)
    assert await bench.shared.read(ANA) is None
    await here.cache.forget_where(lambda owner: owner == BEN)
    assert await bench.shared.read(BEN) is None
    assert (here.shown(ANA), here.shown(BEN)) == (None, None)


@pytest.mark.parametrize("way", ["where", "clear"])
async def test_nothing_is_seeded_soon_after_many_were_made_cold(bench: Bench, way: str) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    if way == "where":
        await there.cache.forget_where(lambda _: True)
    else:
        await there.cache.clear()
    assert await there.read(ANA, 2, 1) == [2, 1]
    await bench.all_is_pushed()
    await bench.edge().cache.forget(BEN)
    assert await there.read(ANA) is not None


async def test_an_edge_that_is_behind_neither_shares_nor_is_seeded(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    here.is_current = False
    assert await here.read(ANA, 1) == [1]
    assert await bench.shared.read(ANA) is None
    await there.read(BEN, 1)
    await bench.all_is_pushed()
    assert await here.read(BEN, 2, 1) == [2, 1]


async def test_an_edge_that_falls_behind_while_it_rebuilds_does_not_share(bench: Bench) -> None:
    here = bench.edge()
    ticket = await here.cache.begin(ANA)
    here.is_current = False
    assert await here.cache.finish(ANA, ticket, tweets(1), 0) is not None
    assert await bench.shared.read(ANA) is None


async def test_what_the_store_had_joins_a_seed(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 7, 5, floor=5)
    await bench.all_is_pushed()
    ticket = await there.cache.begin(ANA)
    timeline = await there.cache.finish(ANA, ticket, tweets(8, 7, 6, 5, 3), 0)
    assert timeline is not None
    assert timeline is there.cache.peek(ANA)
    assert there.shown(ANA) == [8, 7, 6, 5]
    assert timeline.floor == 5


async def test_a_rebuild_that_was_seeded_is_void_once_forgotten_or_begun_anew(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge()
    await here.read(ANA, 1)
    await bench.all_is_pushed()
    early = await there.cache.begin(ANA)
    late = await there.cache.begin(ANA)
    assert await there.cache.finish(ANA, early, tweets(1), 0) is None
    assert await there.cache.finish(ANA, late, tweets(1), 0) is not None
    ticket = await there.cache.begin(ANA)
    await there.cache.forget(ANA)
    assert await there.cache.finish(ANA, ticket, tweets(1), 0) is None
    assert there.shown(ANA) is None


class SlowRedis(RedisTimelines):
    """Something happens between the reading of a timeline and its answer."""

    edge: Edge

    async def read(self, owner: UserId) -> IdList | None:
        found = await super().read(owner)
        await self.edge.cache.push(TweetId(5), (owner,))
        if owner == BEN:
            await self.edge.cache.forget(owner)
        return found


async def test_what_happens_while_redis_is_read_counts(bench: Bench) -> None:
    here, there = bench.edge(), bench.edge(SlowRedis)
    SlowRedis.edge = there
    await here.read(ANA, 1)
    await here.read(BEN, 1)
    await bench.all_is_pushed()
    assert await there.read(ANA) == [5, 1]
    ticket = await there.cache.begin(BEN)
    assert there.shown(BEN) is None
    assert await there.cache.finish(BEN, ticket, tweets(1), 0) is None


class SharesAtOnce(SeededTimelines):
    """Trusts what is shared whatever it may lack."""

    async def _complete_since(self, owner: UserId) -> int | None:
        return self._now_ms() if self._is_current() else None


class RemembersNothing(SeededTimelines):
    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        return await self._near.push(id, owners)


class ForgetsWhatItForgot(SeededTimelines):
    def _void(self, owner: UserId) -> None:
        super()._void(owner)
        self._forgotten._at_ms.clear()  # noqa: SLF001 - what a saboteur is for

    async def clear(self) -> None:
        await self._near.clear()


class KeepsToItself(SeededTimelines):
    async def forget(self, owner: UserId) -> None:
        self._void(owner)
        await self._near.forget(owner)


class IsAlwaysCurrent(SeededTimelines):
    async def begin(self, owner: UserId) -> int:
        self._is_current = lambda: True
        return await super().begin(owner)


class NeverShares(SeededTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        self._begun.clear()
        return await super().finish(owner, ticket, ids, floor)


class LosesTheStore(SeededTimelines):
    async def _add(self, owner: UserId, timeline: IdList, ids: Sequence[TweetId]) -> IdList | None:
        return timeline


class DropsTheFloor(SeededTimelines):
    async def _seed(self, owner: UserId, ticket: int) -> IdList | None:
        timeline = await super()._seed(owner, ticket)
        if timeline is not None:
            timeline.floor = 0
        return timeline


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (SharesAtOnce, test_nothing_is_seeded_where_nobody_tells_until_when_all_is_pushed),
        (SharesAtOnce, test_nothing_is_seeded_that_lacks_what_was_pushed_before_the_edge_began),
        (SharesAtOnce, test_nothing_is_seeded_that_lacks_more_than_an_edge_remembers),
        (RemembersNothing, test_what_an_edge_heard_before_it_was_pushed_is_in_its_seed),
        (ForgetsWhatItForgot, test_what_an_edge_forgot_it_is_not_seeded_with_until_all_have_heard_why),
        (KeepsToItself, test_who_forgets_what_it_holds_forgets_it_for_all),
        (IsAlwaysCurrent, test_an_edge_that_is_behind_neither_shares_nor_is_seeded),
        (NeverShares, test_what_an_edge_rebuilt_another_is_seeded_with),
        (LosesTheStore, test_what_the_store_had_joins_a_seed),
        (DropsTheFloor, test_a_seed_keeps_its_floor),
    ],
    ids=lambda value: f"redis-{value.__name__}",
)
async def test_a_wrong_seeding_is_caught(saboteur: type[SeededTimelines], promise: object) -> None:
    with pytest.raises((AssertionError, TypeError)):
        await promise(Bench(saboteur))  # type: ignore[operator]  # one of the tests above


async def test_clearing_is_caught_too_where_it_is_forgotten(bench: Bench) -> None:
    with pytest.raises(AssertionError):
        await test_nothing_is_seeded_soon_after_many_were_made_cold(Bench(ForgetsWhatItForgot), "clear")
