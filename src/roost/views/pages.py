"""Fill a page of tweets from candidates, of which only the visible count.

queries -> fill_page -> Candidates, Sight
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from roost.domain.ids import TweetId
from roost.domain.timeline import CANDIDATES_PER_ITEM, Page
from roost.views.sight import Seen
from roost.views.timelines import Candidates

CHUNK_MAX = 200
"""Candidates looked at in one go."""


@dataclass(frozen=True, slots=True)
class SeenPage:
    """Visible tweets, newest first, and the cursors to go on: `before` is None only where nothing older is left."""

    tweets: Sequence[Seen]
    before: TweetId | None
    after: TweetId | None


See = Callable[[Sequence[TweetId]], Awaitable[list[Seen]]]


async def fill_page(page: Page, candidates: Candidates, see: See) -> SeenPage:
    """A page holds `limit` tweets unless the end is reached, or CANDIDATES_PER_ITEM × limit were looked at."""
    if page.after is not None:
        return await _upwards(page, page.after, candidates, see)
    budget = page.limit * CANDIDATES_PER_ITEM
    seen, before = await _downwards(page.before, page.limit, budget, candidates, see)
    newest = seen[0].tweet.id if seen else page.before
    return SeenPage(seen, before, newest)


async def _downwards(
    before: TweetId | None, limit: int, budget: int, candidates: Candidates, see: See
) -> tuple[list[Seen], TweetId | None]:
    """Up to `limit` visible below `before`, and the cursor for what lies below them.

    One more than `limit` is looked for, so that the cursor is None exactly at the end.
    """
    seen: list[Seen] = []
    cursor = before
    while budget > 0:
        chunk = await candidates.below(cursor, min(limit + 1 if not seen else CHUNK_MAX, CHUNK_MAX, budget))
        seen += await see(chunk.ids)
        if len(seen) > limit:
            return seen[:limit], seen[limit - 1].tweet.id
        if not chunk.more or not chunk.ids:
            return seen, None
        cursor = chunk.ids[-1]
        budget -= len(chunk.ids)
    return seen, cursor


async def _upwards(page: Page, after: TweetId, candidates: Candidates, see: See) -> SeenPage:
    """The `limit` oldest visible above `after`: walking up skips nothing."""
    seen: list[Seen] = []
    cursor, budget = after, page.limit * CANDIDATES_PER_ITEM
    while budget > 0 and len(seen) < page.limit:
        chunk = await candidates.above(cursor, min(page.limit, CHUNK_MAX, budget))
        if not chunk.ids:
            break
        visible = await see(chunk.ids)
        room = page.limit - len(seen)
        seen = visible[-room:] + seen  # the oldest of the newer, on top of what is there
        cursor = seen[0].tweet.id if len(visible) > room else chunk.ids[0]
        budget -= len(chunk.ids)
        if not chunk.more:
            break
    lowest = seen[-1].tweet.id if seen else TweetId(after + 1)
    older, deeper = await _downwards(lowest, 1, page.limit * CANDIDATES_PER_ITEM, candidates, see)
    return SeenPage(seen, lowest if older or deeper is not None else None, cursor)
