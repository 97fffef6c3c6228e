"""A process's cache over a shared one: what is forgotten stays so, and nothing is believed that may be outdated."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from roost.adapters.cache.layered import LayeredReadThrough
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.clock.manual import ManualClock
from roost.assembly.cluster.trust import STALE_MS, Trust
from roost.ports.cache import Load


@dataclass
class Shared:
    """What others keep too; `asked` are the keys that came through to it."""

    values: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def get_many(self, keys: Collection[str], load: Load[str, int]) -> Mapping[str, int]:
        self.asked += keys
        missing = [key for key in keys if key not in self.values]
        self.values |= await load(missing) if missing else {}
        return {key: self.values[key] for key in keys if key in self.values}

    async def put_many(self, values: Mapping[str, int]) -> None:
        self.values |= values

    async def forget_many(self, keys: Collection[str]) -> None:
        for key in keys:
            self.values.pop(key, None)


@dataclass
class Bench:
    rows: dict[str, int]
    is_trusted: bool = True
    loaded: list[Sequence[str]] = field(default_factory=list)
    shared: Shared = field(default_factory=Shared)

    def cache(self) -> LayeredReadThrough[str, int]:
        near: MemoryReadThrough[str, int] = MemoryReadThrough(100, 60.0, ManualClock().monotonic_s)
        return LayeredReadThrough(near, lambda: self.is_trusted, self.shared)

    async def load(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.loaded.append(keys)
        return {key: self.rows[key] for key in keys if key in self.rows}


async def test_what_one_process_loaded_another_finds_and_keeps() -> None:
    bench = Bench({"a": 1, "b": 2})
    one, other = bench.cache(), bench.cache()
    assert await one.get_many(["a", "b"], bench.load) == {"a": 1, "b": 2}
    assert await other.get_many(["b", "c"], bench.load) == {"b": 2}
    assert bench.loaded == [["a", "b"], ["c"]]
    assert (one.peek("a"), other.peek("a"), other.peek("b")) == (1, None, 2)
    bench.shared.asked.clear()
    assert await other.get_many(["b"], bench.load) == {"b": 2}
    assert bench.shared.asked == []
    assert (len(one), len(other)) == (2, 1)


async def test_what_is_forgotten_is_read_again_by_all() -> None:
    bench = Bench({"a": 1})
    one, other = bench.cache(), bench.cache()
    await one.get_many(["a"], bench.load)
    bench.rows["a"] = 2
    await one.forget("a")
    assert one.peek("a") is None
    assert await other.get_many(["a"], bench.load) == {"a": 2}
    assert await one.get_many(["a"], bench.load) == {"a": 2}


async def test_what_is_put_is_there_for_all() -> None:
    bench = Bench({})
    one, other = bench.cache(), bench.cache()
    await one.put("a", 7)
    assert one.peek("a") == 7
    assert await other.get_many(["a"], bench.load) == {"a": 7}


async def test_while_the_log_is_not_heard_nothing_is_believed_and_nothing_is_kept() -> None:
    bench = Bench({"a": 1, "b": 2})
    cache = bench.cache()
    await cache.get_many(["a"], bench.load)
    bench.is_trusted = False
    bench.rows["a"] = 5
    assert cache.peek("a") is None
    assert await cache.get_many(["a", "b"], bench.load) == {"a": 5, "b": 2}
    assert bench.shared.values == {"a": 1}
    bench.is_trusted = True
    assert cache.peek("a") == 1, "the log tells of what changed before it is heard again"
    assert cache.peek("b") is None


def test_a_node_is_current_while_heartbeats_are_young() -> None:
    clock, heard = ManualClock(), [0]
    is_current = Trust(clock, lambda: heard[0])
    assert not is_current()
    heard[0] = clock.now_ms()
    assert is_current()
    clock.advance(STALE_MS)
    assert is_current()
    clock.advance(1)
    assert not is_current()
