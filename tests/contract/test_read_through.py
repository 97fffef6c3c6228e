"""The ReadThrough contract, over every adapter."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import pytest

from contract.cache_adapters import READ_THROUGHS, MakeReadThrough
from roost.adapters.clock.manual import ManualClock
from roost.ports.cache import ReadThrough

TTL_S = 100.0
ENTRIES_MAX = 4


@dataclass
class Loader:
    """What the store has, and who asked for what. `gate`, if set, is waited for between reading and answering."""

    rows: dict[str, str] = field(default_factory=dict)
    asked: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, keys: Collection[str]) -> Mapping[str, str]:
        self.asked.append(sorted(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        if self.gate is not None:
            self.reading.set()
            await self.gate.wait()
        return found


@dataclass
class Bench:
    """A cache of at most ENTRIES_MAX entries, each of which weighs 1."""

    make: MakeReadThrough
    clock: ManualClock = field(default_factory=ManualClock)
    load: Loader = field(default_factory=Loader)

    def __post_init__(self) -> None:
        self.cache: ReadThrough[str, str] = self.make(ENTRIES_MAX, TTL_S, self.clock.monotonic_s, lambda _: 1)

    def weighing(self, weigh: Callable[[str], int]) -> None:
        self.cache = self.make(ENTRIES_MAX, TTL_S, self.clock.monotonic_s, weigh)

    async def get(self, *keys: str) -> Mapping[str, str]:
        return await self.cache.get_many(keys, self.load)

    async def begin_load(self, key: str) -> "tuple[asyncio.Task[Mapping[str, str]], asyncio.Event]":
        """A load that has read its row and is yet to answer; setting the event lets it."""
        self.load.gate, self.load.reading = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(self.get(key))
        await self.load.reading.wait()
        gate, self.load.gate = self.load.gate, None
        return task, gate


@pytest.fixture(params=READ_THROUGHS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(READ_THROUGHS[request.param])


async def test_what_is_missing_is_loaded_in_one_call_and_then_at_hand(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    assert bench.cache.peek("a") is None
    assert await bench.get("a", "b") == {"a": "1", "b": "2"}
    assert await bench.get("a", "b") == {"a": "1", "b": "2"}
    assert bench.cache.peek("b") == "2"
    assert bench.load.asked == [["a", "b"]]


async def test_only_what_is_missing_is_loaded(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    await bench.get("a")
    assert await bench.get("a", "b") == {"a": "1", "b": "2"}
    assert bench.load.asked == [["a"], ["b"]]


async def test_what_does_not_exist_is_absent_and_asked_for_again(bench: Bench) -> None:
    assert await bench.get("a") == {}
    bench.load.rows = {"a": "1"}
    assert await bench.get("a") == {"a": "1"}


async def test_what_is_put_is_at_hand_and_replaces_what_was_there(bench: Bench) -> None:
    await bench.cache.put("a", "1")
    await bench.cache.put("a", "2")
    assert bench.cache.peek("a") == "2"
    assert await bench.get("a") == {"a": "2"}
    assert bench.load.asked == []


async def test_what_is_forgotten_is_loaded_anew_and_nothing_else(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    await bench.get("a", "b")
    bench.load.rows = {"a": "3", "b": "4"}
    await bench.cache.forget("a")
    assert await bench.get("a", "b") == {"a": "3", "b": "2"}


async def test_clearing_forgets_everything(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    await bench.get("a", "b")
    bench.load.rows = {"a": "3", "b": "4"}
    await bench.cache.clear()
    assert await bench.get("a", "b") == {"a": "3", "b": "4"}


async def test_a_load_that_was_under_way_when_its_key_was_forgotten_is_answered_and_not_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.cache.forget("a")
    go_on.set()
    assert await loading == {"a": "old"}
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_that_was_under_way_when_all_was_cleared_is_not_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.cache.clear()
    go_on.set()
    await loading
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_that_was_under_way_when_a_value_was_put_does_not_replace_it(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    await bench.cache.put("a", "new")
    go_on.set()
    await loading
    assert bench.cache.peek("a") == "new"


async def test_a_load_of_another_key_is_kept_whatever_is_forgotten(bench: Bench) -> None:
    bench.load.rows = {"a": "1"}
    loading, go_on = await bench.begin_load("a")
    await bench.cache.forget("b")
    go_on.set()
    await loading
    assert bench.cache.peek("a") == "1"


async def test_a_load_that_begins_after_the_key_was_forgotten_is_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    early, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.cache.forget("a")
    assert await bench.get("a") == {"a": "new"}
    go_on.set()
    await early
    assert bench.cache.peek("a") == "new"


async def test_of_two_loads_of_the_same_key_the_end_of_one_does_not_hide_the_other(bench: Bench) -> None:
    """Both read before the key is forgotten: the one that answers after it must not be kept."""
    bench.load.rows = {"a": "old"}
    first, first_goes_on = await bench.begin_load("a")
    second, second_goes_on = await bench.begin_load("a")
    second_goes_on.set()
    await second
    bench.load.rows = {"a": "new"}
    await bench.cache.forget("a")
    first_goes_on.set()
    assert await first == {"a": "old"}
    assert await bench.get("a") == {"a": "new"}


async def test_the_other_way_round_too(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    first, first_goes_on = await bench.begin_load("a")
    second, second_goes_on = await bench.begin_load("a")
    first_goes_on.set()
    await first
    bench.load.rows = {"a": "new"}
    await bench.cache.forget("a")
    second_goes_on.set()
    await second
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    async def failing(_: Collection[str]) -> Mapping[str, str]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await bench.cache.get_many(["a"], failing)
    bench.load.rows = {"a": "1"}
    assert await bench.get("a") == {"a": "1"}
    await bench.cache.forget("a")
    assert bench.cache.peek("a") is None


async def test_beyond_the_bound_what_is_unused_longest_goes(bench: Bench) -> None:
    bench.load.rows = {key: key for key in "abcde"}
    await bench.get(*"abcd")
    bench.cache.peek("a")
    await bench.get("b")
    await bench.get("e")
    assert {key for key in "abcde" if bench.cache.peek(key) is not None} == set("abde")


async def test_however_much_is_kept_the_bound_holds(bench: Bench) -> None:
    for number in range(50):
        await bench.cache.put(str(number), "x")
    assert sum(bench.cache.peek(str(number)) is not None for number in range(50)) == ENTRIES_MAX


async def test_the_bound_is_one_of_weight_where_entries_weigh_differently(bench: Bench) -> None:
    bench.weighing(len)
    await bench.cache.put("a", "x")
    await bench.cache.put("b", "xx")
    await bench.cache.put("c", "xx")  # 5 of 4: the oldest goes
    assert [bench.cache.peek(key) for key in "abc"] == [None, "xx", "xx"]
    await bench.cache.put("b", "x")  # lighter now
    await bench.cache.put("d", "x")
    assert [bench.cache.peek(key) for key in "bcd"] == ["x", "xx", "x"]


async def test_what_is_heavier_than_the_bound_is_answered_and_not_kept(bench: Bench) -> None:
    bench.weighing(len)
    await bench.cache.put("a", "x")
    bench.load.rows = {"b": "xxxxx"}
    assert await bench.get("b") == {"b": "xxxxx"}
    assert bench.cache.peek("b") is None
    assert bench.cache.peek("a") == "x"


async def test_what_is_unused_for_the_time_to_live_goes(bench: Bench) -> None:
    await bench.cache.put("a", "old")
    bench.clock.advance(int(TTL_S * 1000) + 1)
    assert bench.cache.peek("a") is None
    bench.load.rows = {"a": "new"}
    assert await bench.get("a") == {"a": "new"}


async def test_what_is_used_stays_longer_than_the_time_to_live(bench: Bench) -> None:
    await bench.cache.put("a", "1")
    await bench.cache.put("b", "2")
    for _ in range(5):
        bench.clock.advance(int(TTL_S * 600))
        assert bench.cache.peek("a") == "1"
        assert await bench.get("b") == {"b": "2"}
    assert bench.load.asked == []


async def test_the_wall_clock_has_no_say(bench: Bench) -> None:
    await bench.cache.put("a", "1")
    bench.clock.step_to(bench.clock.now_ms() + 10 * int(TTL_S * 1000))
    assert bench.cache.peek("a") == "1"
