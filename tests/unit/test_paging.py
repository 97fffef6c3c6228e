"""Pages of anything: against a brute force over candidates of which only some are visible."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from model.pages import Expected, check_downwards, check_upwards, ids_of, walk_down, walk_up
from roost.domain.ids import ID_MAX, TweetId, UserId, Version
from roost.domain.timeline import CANDIDATES_PER_ITEM, Page, Slice
from roost.domain.tweet import Tweet
from roost.domain.user import User
from roost.views.lists import CHUNK_MAX, Rows, fill_list
from roost.views.pages import SeenPage, fill_page
from roost.views.sight import Seen

AUTHOR = User(UserId(1), "ana", "Ana", 0, Version(1))

candidate_ids = st.sets(st.integers(1, 400), max_size=250)
limits = st.sampled_from([1, 2, 3, 5, 20, 100])


@dataclass
class Ids:
    """Candidates in a list. A slice may be shorter than asked for, as where a stretch of the store ends."""

    ids: set[int]
    visible: set[int]
    slice_max: int = 1_000
    looked_at: list[int] = field(default_factory=list)

    async def below(self, before: TweetId | None, limit: int) -> Slice:
        older = sorted((id for id in self.ids if before is None or id < before), reverse=True)
        return self._slice(older[: min(limit, self.slice_max)], len(older))

    async def above(self, after: TweetId, limit: int) -> Slice:
        newer = sorted(id for id in self.ids if id > after)
        return self._slice(newer[: min(limit, self.slice_max)][::-1], len(newer))

    def _slice(self, taken: Sequence[int], of: int) -> Slice:
        return Slice([TweetId(id) for id in taken], len(taken) < of)

    async def see(self, ids: Sequence[TweetId]) -> list[Seen]:
        self.looked_at += ids
        return [Seen(Tweet(id, AUTHOR.id, "", Version(1)), AUTHOR) for id in ids if id in self.visible]

    async def page(self, page: Page) -> SeenPage:
        self.looked_at.clear()
        found = await fill_page(page, self, self.see)
        # One more than the budget tells whether anything is below the page, and below an upward page so much again.
        budget = page.limit * CANDIDATES_PER_ITEM
        assert len(self.looked_at) <= (budget if page.after is None else 2 * budget)
        return found

    def expected(self) -> Expected:
        shown = sorted(self.ids & self.visible, reverse=True)
        return Expected(shown, frozenset(), sorted(self.ids))


@given(candidate_ids, st.sets(st.integers(1, 400)), limits, st.integers(1, 300))
async def test_walking_down_shows_all_that_is_visible_once_and_ends_where_it_ends(
    ids: set[int], visible: set[int], limit: int, slice_max: int
) -> None:
    source = Ids(ids, visible, slice_max)
    walked = await walk_down(source.page, limit, source.expected())
    assert walked == sorted(ids & visible, reverse=True)


@given(candidate_ids, st.sets(st.integers(1, 400)), limits, st.integers(0, 400), st.integers(1, 300))
async def test_walking_up_shows_all_that_is_visible_above_once(
    ids: set[int], visible: set[int], limit: int, after: int, slice_max: int
) -> None:
    source = Ids(ids, visible, slice_max)
    walked = await walk_up(source.page, limit, TweetId(after), source.expected())
    assert walked == sorted((id for id in ids & visible if id > after), reverse=True)


@given(candidate_ids, st.sets(st.integers(1, 400)), limits, st.integers(0, 401), st.booleans())
async def test_a_page_from_anywhere_is_the_next_one_there(
    ids: set[int], visible: set[int], limit: int, cursor: int, downwards: bool
) -> None:
    source = Ids(ids, visible)
    if downwards:
        page = await source.page(Page(limit, before=TweetId(cursor)))
        check_downwards(page, limit, cursor, source.expected())
    else:
        page = await source.page(Page(limit, after=TweetId(cursor)))
        check_upwards(page, limit, cursor, source.expected())


@given(candidate_ids, st.sets(st.integers(1, 400)), limits, st.lists(st.sets(st.integers(401, 500), max_size=9)))
async def test_what_is_posted_while_somebody_reads_on_neither_repeats_nor_hides_anything(
    ids: set[int], visible: set[int], limit: int, posted: list[set[int]]
) -> None:
    source = Ids(set(ids), set(visible))
    at_first = sorted(ids & visible, reverse=True)
    walked: list[int] = []
    before: TweetId | None = None
    while True:
        page = await source.page(Page(limit, before=before))
        walked += ids_of(page)
        if page.before is None:
            break
        before = page.before
        if posted:
            new = posted.pop()
            source.ids |= new
            source.visible |= new
    assert walked == at_first


async def test_a_page_looks_at_no_more_than_ten_candidates_an_item_and_goes_on_below_them() -> None:
    source = Ids(set(range(1, 401)), {1})
    page = await source.page(Page(3))
    assert (ids_of(page), page.before) == ([], 371)
    assert len(source.looked_at) == 30
    assert await walk_down(source.page, 3, source.expected()) == [1]


async def test_a_full_page_at_the_very_end_has_no_cursor() -> None:
    source = Ids({1, 2, 3, 4}, {2, 4})
    assert (await source.page(Page(2))).before is None
    assert (await source.page(Page(1))).before == 4


async def test_the_extreme_cursors_are_taken() -> None:
    source = Ids({1, 2, 3}, {1, 2, 3})
    assert ids_of(await source.page(Page(2, before=TweetId(ID_MAX)))) == [3, 2]
    assert ids_of(await source.page(Page(2, before=TweetId(0)))) == []
    assert ids_of(await source.page(Page(2, after=TweetId(0)))) == [2, 1]
    newest = await source.page(Page(2, after=TweetId(ID_MAX)))
    assert (ids_of(newest), newest.after) == ([], ID_MAX)
    assert newest.before is not None


@given(st.sets(st.integers(1, 600), max_size=450), st.sets(st.integers(1, 600)), limits)
async def test_a_list_shows_all_that_is_visible_once_page_by_page(
    rows: set[int], visible: set[int], limit: int
) -> None:
    looked_at: list[int] = []

    async def read(before: int | None, size: int) -> Sequence[int]:
        assert size <= CHUNK_MAX
        return sorted((row for row in rows if before is None or row < before), reverse=True)[:size]

    async def see(chunk: Sequence[int]) -> Sequence[str | None]:
        looked_at.extend(chunk)
        return [str(row) if row in visible else None for row in chunk]

    walked: list[str] = []
    before: int | None = None
    for _ in range(len(rows) + 2):
        looked_at.clear()
        page = await fill_list(Rows(read, see, lambda row: row), before, limit)
        short = len(page.items) < limit and page.before is not None
        assert not short or len(looked_at) >= limit * CANDIDATES_PER_ITEM
        assert len(page.items) <= limit
        walked += page.items
        before = page.before
        if before is None:
            break
    assert walked == [str(row) for row in sorted(rows & visible, reverse=True)]
