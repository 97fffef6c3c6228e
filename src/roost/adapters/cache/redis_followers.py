"""Follower ids of authors in Redis, 8 bytes each, shared by all who fan out and by all edges."""

import sys
from array import array
from collections.abc import Awaitable, Callable, Sequence

from roost.adapters.redis_bytes import RedisBytes
from roost.domain.ids import UserId

FOLLOWERS_MAX = 50_000
"""400 kB. Of an author with more it is only kept that there are more."""
_ALL, _MORE = b"a", b"m"

LoadFollowers = Callable[[UserId], Awaitable[Sequence[UserId] | None]]
"""All followers, rising; None where there are more than may be kept."""


class RedisFollowers:
    """Read through. Where Redis does not answer, they are loaded, and nothing but the load itself raises."""

    def __init__(self, kept: RedisBytes, followers_max: int = FOLLOWERS_MAX) -> None:
        self._kept = kept
        self._followers_max = followers_max

    @property
    def missed(self) -> int:
        """Authors that Redis did not answer for."""
        return self._kept.missed

    async def of(self, author: UserId, load: LoadFollowers) -> tuple[UserId, ...] | None:
        """All followers, rising; None where there are more than the bound: they are paged from the store.

        What was loaded is not kept if the author was forgotten since the load began. Counts as a use.
        """
        key = self._kept.key(author)
        taken = await self._kept.take([key])
        packed = taken.values.get(key)
        if packed is not None:
            return _unpacked(packed)
        loaded = await load(author)
        if loaded is not None and len(loaded) > self._followers_max:
            loaded = None
        await self._kept.fill(taken.tokens, {key: _packed(loaded)})
        return None if loaded is None else tuple(loaded)

    async def forget(self, author: UserId) -> None:
        """Somebody follows or no longer does."""
        await self._kept.forget([self._kept.key(author)])

    async def clear(self) -> bool:
        """Forget all; whether that was possible. Else nothing is believed until it is."""
        return await self._kept.clear()


def _packed(followers: Sequence[UserId] | None) -> bytes:
    return _MORE if followers is None else _ALL + _little_endian(array("q", followers)).tobytes()


def _unpacked(packed: bytes) -> tuple[UserId, ...] | None:
    if packed[:1] == _MORE:
        return None
    return tuple(map(UserId, _little_endian(array("q", packed[1:]))))


def _little_endian(ids: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        ids.byteswap()
    return ids
