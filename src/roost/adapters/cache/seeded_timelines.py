"""Timelines of an edge: warm ones in its own memory, begun from what all share in Redis where that is complete.

reactions/refresh, reactions/fan_out -> SeededTimelines -> memory | shared timelines
views/timelines -> begin -> warm at once where it could be seeded, else rebuilt from the store and shared

What makes a seed complete: the shared timeline holds all that was pushed before `pushed_until`, and this edge remembers
what it heard since. A follow that this edge heard of, or anything else that made timelines cold here, has to lie before
`pushed_until` too, and long enough ago for every other edge to have heard it, as one that had not might have shared a
timeline that it built without.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList
from roost.ports.cache import TimelineCache

OVERLAP_MS = 5_000
"""How much earlier than `pushed_until` what was heard is looked at: clocks differ by 1 s, and a replica of Redis that
takes over lacks what was pushed just before."""
SETTLED_MS = 10_000
"""An edge that is further behind the log knows that it is, and shares nothing."""
MARK_MS_MAX = 1_000
"""`pushed_until` is asked for once in that time: an older answer is true too."""
HEARD_MS_MAX = 60_000
HEARD_OWNERS_MAX = 2_000_000
"""Of what is remembered of pushes, 8 bytes each where the followers of an author are one tuple."""
FORGOTTEN_MAX = 100_000
REBUILDS_MAX = 10_000
SEEDED_MAX = 1_000

T = TypeVar("T")


class SharedTimelines(Protocol):
    """What edges need of RedisTimelines. Nothing raises."""

    async def read(self, owner: UserId) -> IdList | None: ...
    async def begin(self, owner: UserId) -> int: ...
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None: ...
    async def forget_many(self, owners: Collection[UserId]) -> None: ...
    async def pushed_until(self) -> int | None: ...


@dataclass(slots=True)
class _Heard:
    at_ms: int
    id: TweetId
    owners: Collection[UserId]


class _Recent:
    """What was pushed lately, and from which moment on that is all."""

    def __init__(self, now_ms: int) -> None:
        self.complete_from_ms = now_ms
        self._heard: deque[_Heard] = deque()
        self._weight = 0

    def add(self, now_ms: int, id: TweetId, owners: Collection[UserId]) -> None:
        self._heard.append(_Heard(now_ms, id, owners))
        self._weight += len(owners)
        while self._heard[0].at_ms < now_ms - HEARD_MS_MAX or self._weight > HEARD_OWNERS_MAX:
            oldest = self._heard.popleft()
            self._weight -= len(oldest.owners)
            self.complete_from_ms = max(self.complete_from_ms, oldest.at_ms + 1)
            if not self._heard:
                return

    def of(self, owner: UserId, since_ms: int) -> Iterator[TweetId]:
        """What was pushed onto the owner's timeline since."""
        for heard in reversed(self._heard):
            if heard.at_ms < since_ms:
                return
            if owner in heard.owners:
                yield heard.id


class _Forgotten:
    """Whose shared timelines are not to be trusted until all have heard what made them cold here."""

    def __init__(self) -> None:
        self._at_ms: OrderedDict[UserId, int] = OrderedDict()
        self._everyone_ms = 0

    def add(self, owner: UserId, now_ms: int) -> None:
        self._at_ms[owner] = now_ms
        self._at_ms.move_to_end(owner)
        if len(self._at_ms) > FORGOTTEN_MAX:
            _, oldest_ms = self._at_ms.popitem(last=False)
            self._everyone_ms = max(self._everyone_ms, oldest_ms)

    def add_everyone(self, now_ms: int) -> None:
        self._at_ms.clear()
        self._everyone_ms = now_ms

    def last_ms(self, owner: UserId) -> int:
        return max(self._at_ms.get(owner, 0), self._everyone_ms)


class SeededTimelines:
    """An adapter of TimelineCache: all that it promises, `near` does; `far` only spares the store.

    After `begin` the timeline may be warm already: who looks then need not read the store, and `finish` answers it with
    what the store had. `is_current` tells whether this edge has heard the log lately: else it neither trusts what is
    shared nor shares. `seeded` and `rebuilt` count rebuilds.
    """

    def __init__(
        self,
        near: TimelineCache,
        far: SharedTimelines,
        now_ms: Callable[[], int],
        is_current: Callable[[], bool] = lambda: True,
    ) -> None:
        self.seeded = 0
        self.rebuilt = 0
        self._near = near
        self._far = far
        self._now_ms = now_ms
        self._is_current = is_current
        self._recent = _Recent(now_ms())
        self._forgotten = _Forgotten()
        self._begun: OrderedDict[UserId, tuple[int, int]] = OrderedDict()  # near's ticket and far's
        self._warmed: OrderedDict[UserId, tuple[int, IdList]] = OrderedDict()  # by a seed, under this ticket
        self._pushed_until: int | None = None
        self._asked_ms: int | None = None

    @property
    def changes(self) -> int:
        return self._near.changes

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        if owners:
            self._recent.add(self._now_ms(), id, owners)
        return await self._near.push(id, owners)

    def peek(self, owner: UserId) -> IdList | None:
        return self._near.peek(owner)

    async def begin(self, owner: UserId) -> int:
        ticket = await self._near.begin(owner)  # from here on what is pushed is collected
        self._warmed.pop(owner, None)
        self._begun.pop(owner, None)
        timeline = await self._seed(owner, ticket)
        if timeline is not None:
            self.seeded += 1
            _keep(self._warmed, owner, (ticket, timeline), SEEDED_MAX)
        elif self._is_current():
            _keep(self._begun, owner, (ticket, await self._far.begin(owner)), REBUILDS_MAX)
        return ticket

    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        warmed = self._warmed.get(owner)
        if warmed is not None and warmed[0] == ticket:
            del self._warmed[owner]
            return await self._add(owner, warmed[1], ids)
        timeline = await self._near.finish(owner, ticket, ids, floor)
        begun = self._begun.get(owner)
        if begun is not None and begun[0] == ticket:
            del self._begun[owner]
            if timeline is not None and self._is_current():
                await self._far.finish(owner, begun[1], ids, floor)
        if timeline is not None:
            self.rebuilt += 1
        return timeline

    async def forget(self, owner: UserId) -> None:
        # The fan_out role forgets the shared one too; who holds the timeline need not wait for that.
        is_held = owner in self._begun or owner in self._warmed or owner in self._near.warm_owners()
        self._void(owner)
        await self._near.forget(owner)
        if is_held:
            await self._far.forget_many((owner,))

    async def forget_where(self, stale: Callable[[UserId], bool]) -> None:
        held = {owner for owners in (self._near.warm_owners(), self._begun, self._warmed) for owner in owners}
        gone = [owner for owner in held if stale(owner)]
        self._forgotten.add_everyone(self._now_ms())  # who is not held here may be stale too
        for owner in gone:
            self._void(owner)
        await self._near.forget_where(stale)
        await self._far.forget_many(gone)

    async def clear(self) -> None:
        """Make all of this edge cold, and trust nothing that is shared until the fan_out role has cleared that."""
        self._forgotten.add_everyone(self._now_ms())
        self._begun.clear()
        self._warmed.clear()
        await self._near.clear()

    def warm_owners(self) -> Collection[UserId]:
        return self._near.warm_owners()

    def _void(self, owner: UserId) -> None:
        self._forgotten.add(owner, self._now_ms())
        self._begun.pop(owner, None)
        self._warmed.pop(owner, None)

    async def _seed(self, owner: UserId, ticket: int) -> IdList | None:
        since_ms = await self._complete_since(owner)
        if since_ms is None:
            return None
        shared = await self._far.read(owner)
        if shared is None or since_ms < self._recent.complete_from_ms or not self._is_current():
            return None
        heard = (id for id in self._recent.of(owner, since_ms) if id >= shared.floor)
        # Void if it was forgotten while Redis was read.
        return await self._near.finish(owner, ticket, [*map(TweetId, shared.ids), *heard], shared.floor)

    async def _complete_since(self, owner: UserId) -> int | None:
        """The moment since which what this edge heard completes what is shared; None if that is not enough."""
        now_ms = self._now_ms()
        if self._asked_ms is None or not 0 <= now_ms - self._asked_ms < MARK_MS_MAX:
            self._asked_ms = now_ms
            self._pushed_until = await self._far.pushed_until()
        if self._pushed_until is None or not self._is_current():
            return None
        since_ms = self._pushed_until - OVERLAP_MS
        forgotten_ms = self._forgotten.last_ms(owner)
        if since_ms < max(self._recent.complete_from_ms, forgotten_ms) or now_ms < forgotten_ms + SETTLED_MS:
            return None
        return since_ms

    async def _add(self, owner: UserId, timeline: IdList, ids: Sequence[TweetId]) -> IdList | None:
        if self._near.peek(owner) is not timeline:
            return None
        there = set(timeline.ids)
        for id in ids:
            if id >= timeline.floor and id not in there:
                await self._near.push(id, (owner,))
        return timeline if self._near.peek(owner) is timeline else None


def _keep(kept: OrderedDict[UserId, T], owner: UserId, value: T, most: int) -> None:
    kept[owner] = value
    while len(kept) > most:
        kept.popitem(last=False)
