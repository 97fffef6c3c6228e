"""Keys of Redis that must go: what could not be forgotten is owed until it is, and is not believed meanwhile.

A cache that may lose everything may still not keep what was to go. Replication in Redis is asynchronous: a node that
takes over, or comes back with its file, may bring back what was forgotten just before, so that is forgotten once more.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from redis import exceptions

from roost.adapters.redis_link import Address, RedisLink
from roost.adapters.redis_scatter import ROWS_MAX, scatter
from roost.domain.errors import DependencyDown, Overloaded

OWED_MAX = 100_000
"""Keys. Beyond it all keys of the prefix are owed."""
AGAIN_S = 10.0
"""What was forgotten so long before a node came back is forgotten again."""
AGAIN_MAX = 100_000
SCAN_COUNT = 1_000
_PREFIX = re.compile(r"[A-Za-z0-9:_.-]+")


class RedisForgets:
    """Forgets keys that begin with `prefix`. Nothing raises."""

    def __init__(self, link: RedisLink, prefix: str, monotonic_s: Callable[[], float]) -> None:
        if not _PREFIX.fullmatch(prefix):  # it becomes a pattern
            raise ValueError(f"{prefix!r} is no prefix of keys")
        self._link = link
        self._prefix = prefix
        self._now_s = monotonic_s
        self._calls = 0
        self._owed: dict[bytes, int] = {}  # by which call
        self._all_owed = 0  # by which call; 0 by none
        self._is_clearing = False
        self._recent: deque[tuple[float, bytes]] = deque(maxlen=AGAIN_MAX)
        self._epoch = link.epoch

    def is_owed(self, key: bytes) -> bool:
        """Whether Redis may still have what was to go."""
        return bool(self._all_owed) or key in self._owed

    async def forget(self, keys: Sequence[bytes]) -> None:
        """Those that could not be forgotten are owed."""
        for first in range(0, len(keys), ROWS_MAX):
            part = keys[first : first + ROWS_MAX]
            now = self._now_s()
            self._recent.extend((now, key) for key in part)
            self.owe(await self._forget(part))

    def owe(self, keys: Iterable[bytes]) -> None:
        """These must go when that is possible."""
        self._calls += 1
        self._owed.update(dict.fromkeys(keys, self._calls))
        if len(self._owed) > OWED_MAX:
            self._owed.clear()
            self._all_owed = self._calls

    async def settle(self) -> bool:
        """Forget some of what is owed; whether nothing is left. To be called before any use."""
        self._owe_again()
        if self._all_owed:
            if not self._is_clearing and not self._link.is_down:
                self._is_clearing = True
                _ = self._link.spawn(self._clear_beside())
            return False
        if self._owed:
            await self._forget(list(islice(self._owed, ROWS_MAX)))
        return not self._owed

    async def clear(self) -> bool:
        """Forget every key of the prefix that was there when this began; all are owed where that fails.

        Some seconds a million keys.
        """
        self._calls += 1
        call = self._all_owed = self._calls
        try:
            for address in await self._link.primaries(self._link.deadline_s()):
                await self._clear_one(address)
        except (DependencyDown, Overloaded):
            return False
        if self._all_owed == call:
            self._all_owed = 0
            self._owed = {key: owed for key, owed in self._owed.items() if owed > call}
        return True

    async def _forget(self, keys: Sequence[bytes]) -> Sequence[bytes]:
        self._calls += 1
        call = self._calls
        done = await scatter(self._link, "forget", (), [(key,) for key in keys])
        missed = {keys[number] for number in done.missed}
        for key in keys:
            if key not in missed and self._owed.get(key, call) < call:  # a later call owes it by itself
                del self._owed[key]
        return list(missed)

    def _owe_again(self) -> None:
        oldest_s = self._now_s() - AGAIN_S
        if self._epoch != self._link.epoch:
            self._epoch = self._link.epoch
            self.owe([key for when_s, key in self._recent if when_s >= oldest_s])
        while self._recent and self._recent[0][0] < oldest_s:
            self._recent.popleft()

    async def _clear_beside(self) -> None:
        try:
            await self.clear()
        finally:
            self._is_clearing = False

    async def _clear_one(self, address: Address) -> None:
        cursor: bytes | int = 0
        while True:  # Redis ends it: a cursor passes each bucket of its table once
            command = ["SCAN", cursor, "MATCH", f"{self._prefix}*", "COUNT", SCAN_COUNT]
            (answer,) = await self._link.ask(address, [command], self._link.deadline_s())
            if isinstance(answer, exceptions.ResponseError):
                raise DependencyDown("Redis does not list its keys")
            cursor, keys = answer
            if keys and await self._forget(keys):
                raise DependencyDown("Redis does not forget all keys")
            if int(cursor) == 0:
                return
