"""How viewers stand to others, and who follows an author, read through."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from roost.domain.ids import UserId
from roost.domain.relation import STRANGER, Relations
from roost.ports.cache import ReadThrough
from roost.ports.relations import FOLLOWERS_PAGE_MAX, RelationStore

NOBODY = UserId(0)
FOLLOWERS_CACHED_MAX = 50_000
"""Authors with more followers are paged from the store: 800 kB an author is the most that is kept of one."""
FOLLOWERS_A_PAGE = 1_000
"""Pages of this size are kept ready: who knows something of a page by its identity need not look at it again."""


@dataclass(frozen=True, slots=True)
class RelationView:
    store: RelationStore
    cache: ReadThrough[UserId, Relations]

    async def of(self, viewer: UserId | None) -> Relations:
        """All that decides the viewer's sight; None is a stranger."""
        if viewer is None:
            return STRANGER
        known = self.cache.peek(viewer)
        if known is not None:
            return known
        return (await self.cache.get_many([viewer], self._load))[viewer]

    async def _load(self, viewers: Collection[UserId]) -> Mapping[UserId, Relations]:
        return {viewer: await self.store.relations(viewer) for viewer in viewers}


@dataclass(frozen=True, slots=True)
class FollowerView:
    """Follower ids of authors, rising. An author beyond the bound is paged from the store."""

    store: RelationStore
    cache: ReadThrough[UserId, "CachedFollowers"]

    async def pages(self, author: UserId) -> AsyncIterator[Sequence[UserId]]:
        """All followers, rising, in pages of at most FOLLOWERS_PAGE_MAX."""
        after = NOBODY
        while page := await self.page(author, after, FOLLOWERS_PAGE_MAX):
            yield page
            after = page[-1]

    async def page(self, author: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        """The first `limit` followers with ids above `after`, rising; fewer only where there are no more."""
        cached = (await self.cache.get_many([author], self._load))[author]
        if not cached.complete:
            return await self.store.followers(author, after, limit)
        start = bisect_right(cached.ids, after)
        page, beyond = divmod(start, FOLLOWERS_A_PAGE)
        if limit == FOLLOWERS_A_PAGE and not beyond and page < len(cached.pages):
            return cached.pages[page]
        return cached.ids[start : start + limit]

    async def _load(self, authors: Collection[UserId]) -> Mapping[UserId, "CachedFollowers"]:
        return {author: await self._load_one(author) for author in authors}

    async def _load_one(self, author: UserId) -> "CachedFollowers":
        ids: list[UserId] = []
        while page := await self.store.followers(author, ids[-1] if ids else NOBODY, FOLLOWERS_PAGE_MAX):
            ids.extend(page)
            if len(ids) > FOLLOWERS_CACHED_MAX:
                return CachedFollowers((), complete=False)
            if len(page) < FOLLOWERS_PAGE_MAX:
                break
        return CachedFollowers(tuple(ids), complete=True)


@dataclass(frozen=True, slots=True)
class CachedFollowers:
    """`ids` are all of them when `complete`, else there are too many to keep; `pages` are the same ids."""

    ids: tuple[UserId, ...]
    complete: bool
    pages: tuple[tuple[UserId, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        starts = range(0, len(self.ids), FOLLOWERS_A_PAGE)
        object.__setattr__(self, "pages", tuple(self.ids[start : start + FOLLOWERS_A_PAGE] for start in starts))

    @property
    def weight(self) -> int:
        return len(self.ids) * (1 if len(self.pages) <= 1 else 2) + 16
