"""How a timeline is paged and how several sources become one."""

import heapq
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from roost.domain.errors import FieldError, Invalid
from roost.domain.ids import TweetId

PAGE_LIMIT_DEFAULT = 20
PAGE_LIMIT_MAX = 100
CANDIDATES_PER_ITEM = 10
"""At most this many candidates are looked at for an item of a page: then the page may be short."""

TIMELINE_LENGTH_DEFAULT = 800
TRIM_PART = 4
"""A timeline is trimmed only when it is this part too long: one cut, which moves 6 kB, for 200 pushes onto 800."""
LATE_KEPT = 64
"""Ids that came late which a timeline remembers."""


def longest(length_max: int) -> int:
    """The length beyond which a timeline of `length_max` is trimmed."""
    return length_max + length_max // TRIM_PART


@dataclass(frozen=True, slots=True)
class Page:
    """A request for at most `limit` tweets: older than `before`, or just newer than `after`, both exclusive."""

    limit: int = PAGE_LIMIT_DEFAULT
    before: TweetId | None = None
    after: TweetId | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= PAGE_LIMIT_MAX:
            raise Invalid.field("limit", f"{self.limit} is outside 1..{PAGE_LIMIT_MAX}")
        if self.before is not None and self.after is not None:
            detail = "before and after exclude each other"
            raise Invalid(detail, FieldError("before", detail), FieldError("after", detail))


@dataclass(frozen=True, slots=True)
class Slice:
    """Some ids of a timeline, newest first, and whether there is more in the direction walked."""

    ids: Sequence[TweetId]
    more: bool


Mark = tuple[int, int, int]
"""A timeline's generation, how many ids had come late, and the newest."""


class IdList:
    """The ids of one timeline, with a floor: all that belong to it at or above the floor are in it.

    Kept in rising order, so that the usual push is an append. Pushing twice changes nothing, pushing late
    puts the id in its place; an id below the floor is not kept, since pages below it come from the store.
    8 bytes an id. `late` counts ids that came to stand
    below others: who remembers the newest id and this number knows whether anything is new, and `late_since` which.
    Each rebuild of a timeline has a `generation` of its own.
    """

    __slots__ = ("_late_ids", "floor", "generation", "ids", "late", "length_max")

    def __init__(self, length_max: int, ids: Iterable[TweetId] = (), floor: int = 0) -> None:
        self.length_max = length_max
        self.ids: array[int] = array("q", sorted(set(ids)))
        self.floor = floor
        self.late = 0
        self.generation = 0
        self._late_ids: list[TweetId] | None = None  # most timelines have none for long
        self._trim()

    def push(self, id: TweetId) -> None:
        """Put the id in its place; what falls off the end raises the floor."""
        ids = self.ids
        if id < self.floor:
            self._note_late(id)
            return
        if not ids or id > ids[-1]:
            ids.append(id)
        else:
            at = bisect_left(ids, id)
            if ids[at] == id:
                return
            ids.insert(at, id)
            self._note_late(id)
        if len(ids) > longest(self.length_max):
            self._trim()

    def late_since(self, late: int) -> Sequence[TweetId] | None:
        """The ids that came to stand below others since `late` was that; None where too many did. Some of them may
        have been trimmed.
        """
        count, kept = self.late - late, self._late_ids or ()
        if count > len(kept):
            return None
        return kept[len(kept) - count :]

    @property
    def mark(self) -> "Mark":
        """What has come so far, to be asked about later."""
        return self.generation, self.late, self.ids[-1] if self.ids else self.floor - 1

    def is_same_below(self, before: TweetId, mark: "Mark") -> bool:
        """Whether no id below `before` came since the mark was taken, whatever became of it; no, where too much came to
        tell.
        """
        generation, late, newest = mark
        came_late = self.late_since(late) if generation == self.generation else None
        if came_late is None or any(id < before for id in came_late):
            return False
        if newest >= before - 1:
            return True
        # The list ended below `before` then: what was put at its end since may lie below it too.
        at = bisect_left(self.ids, newest + 1)
        return self.floor <= newest + 1 and (at == len(self.ids) or self.ids[at] >= before)

    def _note_late(self, id: TweetId) -> None:
        self.late += 1
        if self._late_ids is None:
            self._late_ids = []
        self._late_ids.append(id)
        if len(self._late_ids) >= 2 * LATE_KEPT:
            del self._late_ids[:LATE_KEPT]

    def _trim(self) -> None:
        surplus = len(self.ids) - self.length_max
        if surplus > 0:
            self.floor = self.ids[surplus - 1] + 1
            del self.ids[:surplus]

    def older(self, before: TweetId | None, limit: int) -> list[TweetId]:
        """Up to `limit` ids below `before`, newest first."""
        ids = self.ids
        end = len(ids) if before is None else bisect_left(ids, before)
        return _newest_first(ids[max(end - limit, 0) : end])

    def newer(self, after: TweetId, limit: int) -> list[TweetId]:
        """The `limit` oldest ids above `after`, newest first. Complete only where `after` >= floor - 1."""
        start = bisect_left(self.ids, after + 1)
        return _newest_first(self.ids[start : start + limit])


def _newest_first(rising: "array[int]") -> list[TweetId]:
    return rising[::-1].tolist()  # type: ignore[return-value]  # they are tweets' ids


def merge_newest_first(*sources: Iterable[TweetId], limit: int) -> list[TweetId]:
    """Merge sources already sorted newest first; an id present in several is kept once."""
    merged = dict.fromkeys(heapq.merge(*sources, reverse=True))
    return list(islice(merged, limit))
