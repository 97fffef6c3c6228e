"""Timelines in Redis, shared by all nodes: fan-out fills them, edges seed the timelines of their own memory from them.

reactions/fan_out -> repeated_pushes -> RedisTimelines -> seeded_timelines -> queries/home_timeline
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from roost.adapters.redis_forgets import RedisForgets
from roost.adapters.redis_functions import function
from roost.adapters.redis_link import Argument, RedisLink
from roost.adapters.redis_scatter import ROWS_MAX, scatter
from roost.domain.errors import DependencyDown, Overloaded
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList, longest
from roost.ports.clock import Randomness

TTL_S = 86_400.0
REBUILD_S_MAX = 60.0
"""A rebuild that takes longer is void: who began it may be gone, and pushes would be collected for nobody."""
TICKET_BYTES = 7


@dataclass(frozen=True, slots=True)
class Put:
    """How many timelines took an id, and whose may lack it as Redis did not answer."""

    taken: int
    missed: Sequence[UserId]


class RedisTimelines:
    """Timelines of one kind, 10 bytes an id; they go when unread for the time-to-live.

    A timeline is cold, warming or warm, as in ports/cache.py; other than there, a rebuild that begins makes a warm one
    cold until it is finished. Nothing raises: where Redis does not answer, a push is taken by nobody and counted in
    `missed`, and everything reads as cold. A timeline that missed a push is no longer complete: who pushes has to
    repeat it or to forget the timeline (repeated_pushes.py). `parts` is in how many parts the log is pushed, each on
    its own.
    """

    def __init__(
        self,
        link: RedisLink,
        prefix: str,
        length_max: int,
        randomness: Randomness,
        monotonic_s: Callable[[], float],
        parts: int = 1,
        ttl_s: float = TTL_S,
    ) -> None:
        self.missed = 0
        self._link = link
        self._prefix = prefix.encode()
        self._pushed = b"%b!pushed" % self._prefix
        self._length_max = length_max
        self._random = randomness
        self._parts = parts
        self._ttl_ms = int(ttl_s * 1000)
        self._forgets = RedisForgets(link, prefix, monotonic_s)

    @property
    def epoch(self) -> int:
        """Grows when Redis may have lost what was pushed just before."""
        return self._link.epoch

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        """How many warm or warming timelines took it. Pushing twice changes nothing but the count."""
        return (await self.put(id, owners)).taken

    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put:
        """Push, and tell who was missed."""
        await self._forgets.settle()
        taken, missed = 0, list[UserId]()
        everyone = owners if isinstance(owners, Sequence) else tuple(owners)
        head = id, longest(self._length_max), self._length_max
        for first in range(0, len(everyone), ROWS_MAX):
            part = everyone[first : first + ROWS_MAX]
            done = await scatter(self._link, "push", head, [(self._key(owner),) for owner in part])
            taken += sum(count for _, count in done.answers)
            missed.extend(part[number] for number in done.missed)
        self.missed += len(missed)
        return Put(taken, missed)

    async def read(self, owner: UserId) -> IdList | None:
        """The warm timeline as it is now, else None; counts as a use."""
        return self._list(await self._call("read", owner, self._ttl_ms))

    async def begin(self, owner: UserId) -> int:
        """Mark it warming; the answer is this rebuild's own ticket. It is void after REBUILD_S_MAX."""
        ticket = int.from_bytes(self._random.token_bytes(TICKET_BYTES), "big")
        await self._call("begin", owner, ticket, int(REBUILD_S_MAX * 1000))
        return ticket

    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        """Union what the store had with what was pushed since `begin`; None when the rebuild is void.

        Of `ids`, no more than the greatest that a timeline holds are sent.
        """
        if len(ids) > self._length_max:
            ids = sorted(ids, reverse=True)
            floor = max(floor, ids[self._length_max] + 1)
            ids = ids[: self._length_max]
        answer = await self._call("finish", owner, ticket, max(floor - 1, 0), self._length_max, self._ttl_ms, *ids)
        return self._list(answer)

    async def forget(self, owner: UserId) -> None:
        """Make it cold, and void a rebuild under way. What cannot be forgotten now reads as cold until it is."""
        await self.forget_many((owner,))

    async def forget_many(self, owners: Collection[UserId]) -> None:
        await self._forgets.settle()
        await self._forgets.forget([self._key(owner) for owner in owners])

    async def clear(self) -> bool:
        """Make all cold; whether that was possible. Else all read as cold until it is."""
        return await self._forgets.clear()

    async def settle(self) -> bool:
        """Forget some of what could not be forgotten; whether nothing is left."""
        return await self._forgets.settle()

    async def note_pushed(self, part: int, until_ms: int) -> bool:
        """All that this part of the log held before that moment has been pushed and forgotten; whether it is noted."""
        if not 0 <= part < self._parts:
            raise ValueError(f"part {part} is not within 0..{self._parts - 1}")
        try:
            await self._link.ask_owner(self._pushed, ["HSET", self._pushed, part, until_ms], self._link.deadline_s())
        except (DependencyDown, Overloaded):
            return False
        return True

    async def pushed_until(self) -> int | None:
        """The moment in Unix ms before which all parts are pushed; None where that is not known."""
        try:
            noted = await self._link.ask_owner(self._pushed, ["HVALS", self._pushed], self._link.deadline_s())
        except (DependencyDown, Overloaded):
            return None
        return min(map(int, noted)) if len(noted) == self._parts else None

    async def _call(self, name: str, owner: UserId, *arguments: Argument) -> Any:
        await self._forgets.settle()
        key = self._key(owner)
        if self._forgets.is_owed(key):
            return None
        try:
            command = ["FCALL", function(name), 1, key, *arguments]
            return await self._link.ask_owner(key, command, self._link.deadline_s())
        except (DependencyDown, Overloaded):
            return None

    def _key(self, owner: UserId) -> bytes:
        return b"%b%d" % (self._prefix, owner)

    def _list(self, answer: Sequence[bytes] | None) -> IdList | None:
        if not answer:
            return None
        *ids, state = answer
        gone = int(state.split(b" ")[1])
        floor = gone + 1 if gone else 0
        return IdList(self._length_max, (TweetId(id) for id in map(int, ids) if id >= floor), floor)
