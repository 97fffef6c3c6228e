"""Users, tweets and the like in Redis, shared by all nodes: what stands between a node's own cache and the store."""

from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

import msgspec

from roost.adapters.redis_bytes import RedisBytes
from roost.ports.cache import Load

K = TypeVar("K", bound=str | int)
V = TypeVar("V")


class RedisValues(Generic[K, V]):
    """Read through. Where Redis does not answer, all is loaded, and nothing but the load itself raises.

    A value that cannot be decoded, as another version of the program may leave, is loaded and replaced.
    """

    def __init__(self, kept: RedisBytes, encode: Callable[[V], bytes], decode: Callable[[bytes], V]) -> None:
        self._kept = kept
        self._encode = encode
        self._decode = decode

    @property
    def missed(self) -> int:
        """Keys that Redis did not answer for."""
        return self._kept.missed

    async def get_many(self, keys: Collection[K], load: Load[K, V]) -> Mapping[K, V]:
        """The values of all keys that exist, loading the missing in one call. Counts as a use.

        A fill is dropped, and only answered, if its key was forgotten or put by any node since the load began.
        """
        names = {self._kept.key(key): key for key in keys}
        taken = await self._kept.take(list(names))
        found: dict[K, V] = {}
        broken: list[bytes] = []
        for name, value in taken.values.items():
            try:
                found[names[name]] = self._decode(value)
            except (msgspec.MsgspecError, ValueError):
                broken.append(name)
        if broken:
            await self._kept.forget(broken)
            taken.tokens.update((await self._kept.take(broken)).tokens)
        missing = [key for key in names.values() if key not in found]
        if missing:
            loaded = await load(missing)
            found.update(loaded)
            if taken.tokens:
                await self._kept.fill(
                    taken.tokens, {self._kept.key(key): self._encode(value) for key, value in loaded.items()}
                )
        return found

    async def put_many(self, values: Mapping[K, V]) -> None:
        """Set values that are known to be current."""
        await self._kept.put({self._kept.key(key): self._encode(value) for key, value in values.items()})

    async def forget_many(self, keys: Collection[K]) -> None:
        """The values may have changed: the next reader loads them, and loads under way are not kept."""
        await self._kept.forget([self._kept.key(key) for key in keys])

    async def clear(self) -> bool:
        """Forget everything; whether that was possible. Else nothing is believed until it is."""
        return await self._kept.clear()
