"""A cache of this process over one that all processes share, believed only while it is known to be told of changes."""

from collections.abc import Callable, Collection, Mapping
from typing import Generic, Protocol, TypeVar

from roost.ports.cache import Load, ReadThrough

K = TypeVar("K")
V = TypeVar("V")


class Near(ReadThrough[K, V], Protocol):
    """What is in this process."""

    def __len__(self) -> int: ...
    def sweep(self) -> int: ...


class Far(Protocol[K, V]):
    """What processes share. Nothing but a load raises."""

    async def get_many(self, keys: Collection[K], load: Load[K, V]) -> Mapping[K, V]: ...
    async def put_many(self, values: Mapping[K, V]) -> None: ...
    async def forget_many(self, keys: Collection[K]) -> None: ...


class LayeredReadThrough(Generic[K, V]):
    """Implements ports.cache.ReadThrough. Where `is_trusted` says no, every value is loaded and none is kept."""

    def __init__(
        self,
        near: Near[K, V],
        is_trusted: Callable[[], bool],
        far: Far[K, V] | None = None,
    ) -> None:
        self._near = near
        self._far = far
        self._is_trusted = is_trusted

    def __len__(self) -> int:
        return len(self._near)

    def peek(self, key: K) -> V | None:
        return self._near.peek(key) if self._is_trusted() else None

    async def get_many(self, keys: Collection[K], load: Load[K, V]) -> Mapping[K, V]:
        if not self._is_trusted():
            return await load(list(keys))
        far = self._far
        if far is None:
            return await self._near.get_many(keys, load)

        async def load_far(missing: Collection[K]) -> Mapping[K, V]:
            return await far.get_many(missing, load)

        return await self._near.get_many(keys, load_far)

    async def put(self, key: K, value: V) -> None:
        await self._near.put(key, value)
        if self._far is not None:
            await self._far.put_many({key: value})

    async def forget(self, key: K) -> None:
        await self._near.forget(key)
        if self._far is not None:
            await self._far.forget_many([key])
            # What was loaded from there meanwhile may be what is forgotten now.
            await self._near.forget(key)

    async def clear(self) -> None:
        await self._near.clear()

    def sweep(self) -> int:
        return self._near.sweep()
