"""Several sorted lists as one: the months of a list, its buckets, the lists of many authors.

Of each list a few rows are read, then more of those that had more to give, until nothing can be missing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from roost.adapters.store.cassandra.session import Row, each_of
from roost.domain.ids import ID_MAX

PIECE_MIN = 4
BEYOND_ALL = ID_MAX
"""As `before`, where there is none: no id is as great."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The keys between two others, both exclusive, from one end or the other."""

    after: int = 0
    before: int = BEYOND_ALL
    newest_first: bool = True

    @classmethod
    def below(cls, before: int | None) -> "Stretch":
        return cls(before=BEYOND_ALL if before is None else before)

    @classmethod
    def above(cls, after: int | None) -> "Stretch":
        return cls(after=after or 0, newest_first=False)

    def beyond(self, key: int) -> "Stretch":
        """What is left of it once it was read up to `key`."""
        if self.newest_first:
            return Stretch(self.after, key, newest_first=True)
        return Stretch(key, self.before, newest_first=False)


Read = Callable[[Stretch, int], Awaitable[Sequence[Row]]]
"""Up to so many rows of one list in the stretch, in its order; a row begins with its key."""


async def foremost(lists: Sequence[Read], stretch: Stretch, limit: int) -> list[Row]:
    """The first `limit` rows of the stretch, in its order."""
    asked = [(read, stretch) for read in lists]
    found: list[Row] = []
    size = limit if len(asked) == 1 else min(max(PIECE_MIN, 2 * limit // max(len(asked), 1)), limit)
    while asked:
        given = await each_of(_reading(size), asked)
        found = sorted([*found, *(row for rows in given for row in rows)], key=_key, reverse=stretch.newest_first)
        found = found[:limit]
        # A list has more to give if it gave as many as it could, and its last would not be cut off.
        last = found[-1][0] if len(found) == limit else None
        asked = [
            (read, rest.beyond(rows[-1][0]))
            for (read, rest), rows in zip(asked, given, strict=True)
            if len(rows) == size and (last is None or (rows[-1][0] > last) == stretch.newest_first)
        ]
        size = min(2 * size, limit)
    return found


def through(spans: Sequence[int], span_of: Callable[[int], int], read: Callable[[int, Stretch, int], Any]) -> Read:
    """A list that lies in several spans, one read after the other until there are enough rows."""

    async def rows(stretch: Stretch, size: int) -> list[Row]:
        first, last = span_of(stretch.after), span_of(min(stretch.before, BEYOND_ALL))
        within = [span for span in spans if first <= span <= last]
        found: list[Row] = []
        for span in reversed(within) if stretch.newest_first else within:
            found += await read(span, stretch, size - len(found))
            if len(found) >= size:
                break
        return found

    return rows


def _reading(size: int) -> Callable[[tuple[Read, Stretch]], Awaitable[Sequence[Row]]]:
    return lambda asked: asked[0](asked[1], size)


def _key(row: Row) -> Any:
    return row[0]
