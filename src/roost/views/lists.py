"""Fill a page of anything but a timeline from rows, of which only the visible count.

queries -> fill_list -> a store or an index (rows), Sight or relations (visible)
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from roost.domain.timeline import CANDIDATES_PER_ITEM

RowT = TypeVar("RowT")
ItemT = TypeVar("ItemT")

CHUNK_MAX = 200
"""Rows looked at in one go."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[ItemT]):
    """Visible items in the rows' order, and the cursor to go on: None only where nothing visible is left."""

    items: Sequence[ItemT]
    before: int | None


@dataclass(frozen=True, slots=True)
class Rows(Generic[RowT, ItemT]):
    """Where a list comes from. `read` answers up to so many rows beyond a cursor, `see` an item for each row or
    None for what the viewer may not see, `cursor` a row's own.
    """

    read: Callable[[int | None, int], Awaitable[Sequence[RowT]]]
    see: Callable[[Sequence[RowT]], Awaitable[Sequence[ItemT | None]]]
    cursor: Callable[[RowT], int]


async def fill_list(rows: Rows[RowT, ItemT], before: int | None, limit: int) -> ListPage[ItemT]:
    """A page holds `limit` items unless the end is reached, or CANDIDATES_PER_ITEM × limit rows were looked at.

    One more than `limit` is looked for, so that the cursor is None exactly at the end.
    """
    kept: list[tuple[int, ItemT]] = []
    budget = limit * CANDIDATES_PER_ITEM
    while budget > 0:
        size = min(CHUNK_MAX, limit + 1 if not kept else CHUNK_MAX)
        chunk = await rows.read(before, size)
        for row, item in zip(chunk, await rows.see(chunk), strict=True):
            if item is not None:
                kept.append((rows.cursor(row), item))
        if len(kept) > limit:
            return ListPage([item for _, item in kept[:limit]], kept[limit - 1][0])
        if len(chunk) < size:
            return ListPage([item for _, item in kept], None)
        before = rows.cursor(chunk[-1])
        budget -= len(chunk)
    return ListPage([item for _, item in kept], before)
