"""Bytes by key in Redis, whose fills are dropped once their key was forgotten.

A key that is asked for and is not there gets a token that lasts a while; who loads the value brings the token back.
Forgetting a key takes its token away, so that what was read before a change is never kept after it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from roost.adapters.redis_forgets import RedisForgets
from roost.adapters.redis_link import RedisLink
from roost.adapters.redis_scatter import ROWS_A_CALL_MAX, scatter
from roost.ports.clock import Randomness

TTL_S = 86_400.0
FILL_S_MAX = 10.0
"""A load that takes longer is answered and not kept."""
TOKEN_BYTES = 12
VALUE_BYTES_MAX = 1 << 20
"""Larger ones are not kept: each holds the server, and all who wait behind it."""
BYTES_A_CALL_MAX = 4 << 20


@dataclass(slots=True)
class Taken:
    """What Redis has, and for what it lacks the token with which to fill it. Of a key in neither nothing is known."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    tokens: dict[bytes, bytes] = field(default_factory=dict)


class RedisBytes:
    """Keys begin with the prefix. Values go when unused for the time-to-live. Nothing raises.

    `missed` counts keys that Redis did not answer for, reads and writes alike.
    """

    def __init__(
        self,
        link: RedisLink,
        prefix: str,
        randomness: Randomness,
        monotonic_s: Callable[[], float],
        ttl_s: float = TTL_S,
    ) -> None:
        self.missed = 0
        self._link = link
        self._prefix = prefix.encode()
        self._random = randomness
        self._ttl_ms = int(ttl_s * 1000)
        self._forgets = RedisForgets(link, prefix, monotonic_s)

    def key(self, name: str | int) -> bytes:
        return b"%b%b" % (self._prefix, str(name).encode())

    async def take(self, keys: Sequence[bytes]) -> Taken:
        """Counts as a use of what is there."""
        await self._forgets.settle()
        taken = Taken()
        head = self._random.token_bytes(TOKEN_BYTES).hex(), int(FILL_S_MAX * 1000), self._ttl_ms
        for first in range(0, len(keys), ROWS_A_CALL_MAX):
            part = keys[first : first + ROWS_A_CALL_MAX]
            done = await scatter(self._link, "take", head, [(key,) for key in part])
            self.missed += len(done.missed)
            for numbers, answers in done.answers:
                for number, answer in zip(numbers, answers, strict=True):
                    key, kind, value = part[number], answer[:1], answer[1:]
                    if kind == b"" or self._forgets.is_owed(key):
                        continue
                    (taken.values if kind == b"=" else taken.tokens)[key] = value
        return taken

    async def fill(self, tokens: Mapping[bytes, bytes], values: Mapping[bytes, bytes]) -> None:
        """Keep what was loaded under the tokens that `take` gave, unless the key was forgotten since."""
        rows = [
            (key, tokens[key], value)
            for key, value in values.items()
            if key in tokens and len(value) <= VALUE_BYTES_MAX and not self._forgets.is_owed(key)
        ]
        for part in _parts(rows):
            done = await scatter(self._link, "fill", (self._ttl_ms,), part)
            self.missed += len(done.missed)

    async def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep what is known to be current. What could not be kept is forgotten."""
        await self._forgets.settle()
        large = [key for key, value in values.items() if len(value) > VALUE_BYTES_MAX]
        for part in _parts([(key, value) for key, value in values.items() if len(value) <= VALUE_BYTES_MAX]):
            done = await scatter(self._link, "put", (self._ttl_ms,), part)
            self.missed += len(done.missed)
            self._forgets.owe([part[number][0] for number in done.missed])
        await self._forgets.forget(large)

    async def forget(self, keys: Sequence[bytes]) -> None:
        """What cannot be forgotten now is not believed until it is."""
        await self._forgets.settle()
        await self._forgets.forget(keys)

    async def clear(self) -> bool:
        """Forget all; whether that was possible. Else nothing is believed until it is."""
        return await self._forgets.clear()


def _parts(rows: Sequence[tuple[bytes, ...]]) -> Sequence[Sequence[tuple[bytes, ...]]]:
    """At most ROWS_A_CALL_MAX rows and BYTES_A_CALL_MAX bytes each."""
    parts: list[list[tuple[bytes, ...]]] = []
    size = BYTES_A_CALL_MAX
    for row in rows:
        size += sum(map(len, row))
        if size > BYTES_A_CALL_MAX or len(parts[-1]) >= ROWS_A_CALL_MAX:
            parts.append([])
            size = sum(map(len, row))
        parts[-1].append(row)
    return parts
