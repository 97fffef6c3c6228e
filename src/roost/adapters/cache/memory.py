"""Caches in this process: least recently used goes first, and whatever is unused for the time-to-live goes too."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

from roost.ports.cache import Load

K = TypeVar("K")
V = TypeVar("V")


class _Entry(Generic[V]):
    __slots__ = ("used_s", "value", "weight")

    def __init__(self, value: V, weight: int, used_s: float) -> None:
        self.value = value
        self.weight = weight
        self.used_s = used_s


class MemoryReadThrough(Generic[K, V]):
    """A bounded mapping. `weigh` gives an entry's share of `weight_max`; by default each weighs 1."""

    def __init__(
        self,
        weight_max: int,
        ttl_s: float,
        monotonic_s: Callable[[], float],
        weigh: Callable[[V], int] = lambda _: 1,
    ) -> None:
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._weight = 0
        self._weight_max = weight_max
        self._ttl_s = ttl_s
        self._now_s = monotonic_s
        self._weigh = weigh
        # Loads under way, each with the keys it will fill: a key that is forgotten leaves the set. By number, since
        # two loads of the same keys are equal sets.
        self._loading: dict[int, set[K]] = {}
        self._loads = 0

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._now_s()
        if entry.used_s + self._ttl_s < now:
            self._drop(key)
            return None
        entry.used_s = now
        self._entries.move_to_end(key)
        return entry.value

    async def get_many(self, keys: Collection[K], load: Load[K, V]) -> Mapping[K, V]:
        found: dict[K, V] = {}
        missing: list[K] = []
        for key in keys:
            value = self.peek(key)
            if value is None:
                missing.append(key)
            else:
                found[key] = value
        if missing:
            fillable = set(missing)
            self._loads += 1
            number = self._loads
            self._loading[number] = fillable
            try:
                loaded = await load(missing)
            finally:
                del self._loading[number]
            for key, value in loaded.items():
                found[key] = value
                if key in fillable:
                    self._keep(key, value)
        return found

    async def put(self, key: K, value: V) -> None:
        self._void_loads(key)
        self._keep(key, value)

    async def forget(self, key: K) -> None:
        self._void_loads(key)
        self._drop(key)

    async def clear(self) -> None:
        for fillable in self._loading.values():
            fillable.clear()
        self._entries.clear()
        self._weight = 0

    def sweep(self) -> int:
        """Drop what is unused for the time-to-live; how many went. Called now and then by the house."""
        oldest_s = self._now_s() - self._ttl_s
        dropped = 0
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if entry.used_s >= oldest_s:
                break
            self._drop(key)
            dropped += 1
        return dropped

    def _void_loads(self, key: K) -> None:
        for fillable in self._loading.values():
            fillable.discard(key)

    def _keep(self, key: K, value: V) -> None:
        self._drop(key)
        weight = self._weigh(value)
        if weight > self._weight_max:
            return
        self._entries[key] = _Entry(value, weight, self._now_s())
        self._weight += weight
        while self._weight > self._weight_max:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weight -= entry.weight
