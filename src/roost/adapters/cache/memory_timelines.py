"""Timelines in this process: what is pushed waits in a box beside each and is put on it when it is read."""

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

import numpy as np

from roost.adapters.inboxes import Inboxes, Rows
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList, longest

INBOX_ROOM = 63
"""With their count 512 bytes a timeline. The emptying of a box costs 5 µs, so 0.08 µs an id."""
TOGETHER_MIN = 24
"""Fewer owners are pushed to one by one: 0.2 µs each, where NumPy takes some 5 µs for any number."""
BOXES_KEPT_MAX = 1_000_000
"""Owners in the collections whose boxes are remembered, 16 bytes each."""


class _Warm(IdList):
    """A timeline that knows its box and when it was last read."""

    __slots__ = ("box", "used_s")
    box: int
    used_s: float

    def take_in(self, pushed: "array[int]") -> None:
        """Put what waited in its place: one id at least.

        Nobody has looked since the first of them came, so that among themselves none of them is late.
        """
        ids = self.ids
        new = pushed.tolist()
        new.sort()  # it nearly is
        if len(set(new)) < len(new):
            new = sorted(set(new))
        first = bisect_right(new, max(ids[-1] if ids else 0, self.floor - 1))
        for id in new[:first]:
            self.push(TweetId(id))
        ids.fromlist(new[first:] if first else new)
        if len(ids) > longest(self.length_max):
            self._trim()


class _BoxesOf:
    """The boxes of collections of owners that are pushed to again and again, as the followers of an author are.

    Kept by identity: a view gives the same tuple as long as nothing changed. Any owner who becomes warm or cold makes
    all stale. What is no tuple may change under its identity, and is looked up each time.
    """

    def __init__(self, boxes: dict[UserId, int]) -> None:
        self._boxes = boxes
        self._known: OrderedDict[int, tuple[Collection[UserId], int, Rows]] = OrderedDict()
        self._weight = 0
        self._changes = 0

    def changed(self) -> None:
        self._changes += 1

    def get(self, owners: Collection[UserId]) -> Rows:
        known = self._known.get(id(owners))  # the object is held, so nobody else has its id
        if known is not None and known[1] == self._changes:
            return known[2]
        rows = np.array(list(filter(None, map(self._boxes.get, owners))), np.int64)
        if not isinstance(owners, tuple):
            return rows
        if known is None:
            self._weight += len(owners)
        self._known[id(owners)] = owners, self._changes, rows
        while self._weight > BOXES_KEPT_MAX:
            _, (oldest, _, _) = self._known.popitem(last=False)
            self._weight -= len(oldest)
        return rows


class MemoryTimelines:
    """Timelines of one kind: 8 bytes an id, some 200 and an inbox a timeline."""

    def __init__(
        self,
        length_max: int,
        owners_max: int,
        ttl_s: float,
        monotonic_s: Callable[[], float],
        inbox_room: int = INBOX_ROOM,
    ) -> None:
        self._warm: OrderedDict[UserId, _Warm] = OrderedDict()
        self._warming: dict[UserId, tuple[int, set[TweetId]]] = {}
        self._tickets = 0
        self._length_max = length_max
        self._owners_max = owners_max
        self._ttl_s = ttl_s
        self._now_s = monotonic_s
        self._inboxes = Inboxes(inbox_room)
        self._boxes: dict[UserId, int] = {}  # of the warm
        self._by_box: dict[int, _Warm] = {}
        self._boxes_of = _BoxesOf(self._boxes)
        self.changes = 0

    def __len__(self) -> int:
        return len(self._warm)

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        # The hottest loop of a write: 790 owners a tweet on a real graph.
        taken = 0
        if len(owners) < TOGETHER_MIN:
            for owner in owners:
                box = self._boxes.get(owner)
                if box is not None:
                    taken += 1
                    if self._inboxes.put(id, box):
                        self._take_in(self._by_box[box])
        else:
            boxes = self._boxes_of.get(owners)
            taken = len(boxes)
            for box in self._inboxes.put_into_all(id, boxes):
                self._take_in(self._by_box[box])
        if self._warming:
            for owner in owners if len(owners) < len(self._warming) else self._warming.keys() & set(owners):
                warming = self._warming.get(owner)
                if warming is not None:
                    warming[1].add(id)
                    taken += 1
        if taken:
            self.changes += 1
        return taken

    def peek(self, owner: UserId) -> IdList | None:
        timeline = self._warm.get(owner)
        if timeline is None:
            return None
        now = self._now_s()
        if timeline.used_s + self._ttl_s < now:
            self._drop(owner)
            return None
        timeline.used_s = now
        self._warm.move_to_end(owner)
        self._take_in(timeline)
        return timeline

    async def begin(self, owner: UserId) -> int:
        self._tickets += 1
        self._warming[owner] = (self._tickets, set())
        return self._tickets

    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        warming = self._warming.get(owner)
        if warming is None or warming[0] != ticket:
            return None
        del self._warming[owner]
        self._drop(owner)
        pushed = (id for id in warming[1] if id >= floor)
        timeline = _Warm(self._length_max, [*ids, *pushed], floor)
        timeline.generation = ticket
        timeline.used_s = self._now_s()
        timeline.box = self._inboxes.open()
        self._warm[owner] = timeline
        self._boxes[owner] = timeline.box
        self._by_box[timeline.box] = timeline
        self._boxes_of.changed()
        self.changes += 1
        while len(self._warm) > self._owners_max:
            self._drop(next(iter(self._warm)))
        return timeline

    async def forget(self, owner: UserId) -> None:
        self._drop(owner)
        self._warming.pop(owner, None)

    async def forget_where(self, stale: Callable[[UserId], bool]) -> None:
        for owner in [owner for owner in self._warm if stale(owner)]:
            self._drop(owner)
        for owner in [owner for owner in self._warming if stale(owner)]:
            del self._warming[owner]

    async def clear(self) -> None:
        for owner in list(self._warm):
            self._drop(owner)
        self._warming.clear()

    def warm_owners(self) -> Collection[UserId]:
        return self._warm.keys()

    def sweep(self) -> int:
        """Drop what is unread for the time-to-live; how many went."""
        oldest_s = self._now_s() - self._ttl_s
        dropped = 0
        while self._warm:
            owner, timeline = next(iter(self._warm.items()))
            if timeline.used_s >= oldest_s:
                break
            self._drop(owner)
            dropped += 1
        return dropped

    def _take_in(self, timeline: _Warm) -> None:
        pushed = self._inboxes.empty(timeline.box)
        if pushed:
            timeline.take_in(pushed)

    def _drop(self, owner: UserId) -> None:
        timeline = self._warm.pop(owner, None)
        if timeline is None:
            return
        del self._boxes[owner]
        del self._by_box[timeline.box]
        self._inboxes.close(timeline.box)
        self._boxes_of.changed()
        self.changes += 1
