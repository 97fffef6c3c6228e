"""What a page may hold, given the whole timeline that it is a page of."""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from roost.domain.ids import TweetId
from roost.domain.timeline import CANDIDATES_PER_ITEM, Page
from roost.views.pages import SeenPage

Read = Callable[[Page], Awaitable[SeenPage]]


@dataclass(frozen=True)
class Expected:
    """The timeline, newest first. `late` of it may be missing still.

    A page is short only where CANDIDATES_PER_ITEM × limit candidates were looked at; `candidates` are all that there
    are, rising.
    """

    ids: Sequence[int]
    late: frozenset[int]
    candidates: Sequence[int]

    def between(self, after: int, before: int | None) -> set[int]:
        return {id for id in self.ids if after < id and (before is None or id < before)}

    def is_spent(self, limit: int, after: int, before: int | None) -> bool:
        """Whether so many candidates lie between the two that a page may end short."""
        start = bisect_right(self.candidates, after)
        end = len(self.candidates) if before is None else bisect_left(self.candidates, before)
        return end - start >= limit * CANDIDATES_PER_ITEM


def ids_of(page: SeenPage) -> list[int]:
    return [seen.tweet.id for seen in page.tweets]


def check_downwards(page: SeenPage, limit: int, before: int | None, expected: Expected) -> None:
    """The newest below `before`, with the cursors to go on either way."""
    ids = ids_of(page)
    _check_shape(ids, limit)
    end = page.before or 0
    assert not ids or page.before is None or page.before <= ids[-1]
    assert before is None or page.before is None or page.before < before, "the cursor stands still"
    _check_holds(ids, expected, expected.between(end - 1, before))
    assert page.after == (ids[0] if ids else before)
    if page.before is not None:
        spent = expected.is_spent(limit, 0, before)
        assert len(ids) == limit or spent, f"a page of {len(ids)} goes on, {limit} were asked for"
        assert expected.between(0, page.before) or spent, "a cursor, and nothing older"


def check_upwards(page: SeenPage, limit: int, after: int, expected: Expected) -> None:
    """The oldest above `after`, likewise."""
    ids = ids_of(page)
    _check_shape(ids, limit)
    assert page.after is not None
    assert page.after >= (ids[0] if ids else after)
    # The cursor may lie beyond what is shown, never beyond what is not.
    _check_holds(ids, expected, expected.between(after, page.after + 1))
    above = expected.between(page.after, None) - expected.late
    assert len(ids) == limit or not above or expected.is_spent(limit, after, None), "short, and more is above"
    lowest = ids[-1] if ids else after + 1
    older = expected.between(0, lowest)
    if page.before is None:
        assert not older - expected.late, "no cursor, and something older"
    else:
        assert page.before == lowest
        assert older or expected.is_spent(limit, 0, lowest), "a cursor, and nothing older"


async def walk_down(read: Read, limit: int, expected: Expected) -> list[int]:
    """All pages from the newest to the end."""
    walked: list[int] = []
    before: TweetId | None = None
    for _ in range(len(expected.candidates) + 2):
        page = await read(Page(limit, before=before))
        check_downwards(page, limit, before, expected)
        walked += ids_of(page)
        before = page.before
        if before is None:
            return walked
    raise AssertionError("the pages do not end")


async def walk_up(read: Read, limit: int, after: TweetId, expected: Expected) -> list[int]:
    """All pages above one id."""
    walked: list[int] = []
    for _ in range(len(expected.candidates) + 2):
        page = await read(Page(limit, after=after))
        check_upwards(page, limit, after, expected)
        walked = ids_of(page) + walked
        if page.after is None or page.after == after:
            return walked
        after = page.after
    raise AssertionError("the pages do not end")


def _check_shape(ids: Sequence[int], limit: int) -> None:
    assert list(ids) == sorted(set(ids), reverse=True), "not newest first, or something twice"
    assert len(ids) <= limit


def _check_holds(ids: Sequence[int], expected: Expected, wanted: set[int]) -> None:
    assert set(ids) <= wanted, f"shown, and should not be: {sorted(set(ids) - wanted)}"
    missing = wanted - set(ids) - expected.late
    assert not missing, f"not shown: {sorted(missing)}"
