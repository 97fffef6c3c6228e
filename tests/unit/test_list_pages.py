"""Pages of a list of which only some rows may be seen: nothing twice, nothing skipped, full unless at the end."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from roost.domain.timeline import CANDIDATES_PER_ITEM
from roost.views.lists import CHUNK_MAX, ListPage, Rows, fill_list


class Table:
    """Rows newest first, of which some are visible; counts how many were looked at."""

    def __init__(self, rows: Sequence[int], visible: frozenset[int]) -> None:
        self.all = sorted(rows, reverse=True)
        self.visible = visible
        self.looked_at = 0

    async def read(self, before: int | None, size: int) -> list[int]:
        below = [row for row in self.all if before is None or row < before][:size]
        self.looked_at += len(below)
        return below

    async def see(self, rows: Sequence[int]) -> list[int | None]:
        return [row if row in self.visible else None for row in rows]

    @property
    def rows(self) -> Rows[int, int]:
        return Rows(self.read, self.see, lambda row: row)


def _pages(table: Table, limit: int) -> list[ListPage[int]]:
    async def walk() -> list[ListPage[int]]:
        pages = [await fill_list(table.rows, None, limit)]
        while pages[-1].before is not None:
            pages.append(await fill_list(table.rows, pages[-1].before, limit))
        return pages

    return asyncio.run(walk())


TABLES = st.sets(st.integers(0, 10_000), max_size=300).flatmap(
    lambda rows: st.builds(
        lambda hidden: Table(list(rows), frozenset(rows) - hidden),
        st.sets(st.sampled_from(sorted(rows))) if rows else st.just(set()),
    )
)


@given(TABLES, st.integers(1, 30))
def test_walking_finds_every_visible_row_once_in_order(table: Table, limit: int) -> None:
    found = [item for page in _pages(table, limit) for item in page.items]
    assert found == [row for row in table.all if row in table.visible]


@given(TABLES, st.integers(1, 30))
def test_a_page_is_full_unless_it_ends_the_list_or_much_is_hidden(table: Table, limit: int) -> None:
    few_hidden = len(table.all) < limit * CANDIDATES_PER_ITEM
    for page in _pages(table, limit):
        assert len(page.items) <= limit
        if page.before is not None and few_hidden:
            assert len(page.items) == limit


@given(TABLES, st.integers(1, 30))
def test_a_cursor_is_there_exactly_while_something_visible_is_left(table: Table, limit: int) -> None:
    seen: set[int] = set()
    for page in _pages(table, limit):
        seen.update(page.items)
        if page.before is None:
            assert seen == table.visible
        elif len(page.items) == limit:
            assert seen != table.visible


def test_a_page_looks_at_a_bounded_number_of_rows() -> None:
    table = Table(range(100_000), frozenset())
    page = asyncio.run(fill_list(table.rows, None, 20))
    assert page.items == []
    assert page.before is not None
    assert table.looked_at <= 20 * CANDIDATES_PER_ITEM + CHUNK_MAX
