"""How viewers stand to others, and who follows an author, read through."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Self

from roost.domain.ids import UserId
from roost.domain.relation import STRANGER, Relations
from roost.ports.cache import ReadThrough
from roost.ports.relations import FOLLOWERS_PAGE_MAX, RelationStore

NOBODY = UserId(0)
FOLLOWERS_CACHED_MAX = 50_000
"""Authors with more followers are paged from the store: 400 kB an author is the most that is kept of one."""
FOLLOWERS_A_PAGE = 500
"""Pages of this size are kept ready: who knows something of one by its identity need not look at it again."""
FOLLOWERS_READ_AT_ONCE = 100
"""Of an author who is paged from the store: some 60 µs of the loop."""


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
    """Follower ids of authors, rising, a page at a time. An author beyond the bound is paged from the store."""

    store: RelationStore
    cache: ReadThrough[UserId, "CachedFollowers"]
    page_size: int = FOLLOWERS_A_PAGE

    async def pages(self, author: UserId) -> AsyncIterator[Sequence[UserId]]:
        """All followers."""
        after, more = NOBODY, True
        while more:
            page, more = await self.page(author, after)
            if page:
                yield page
                after = page[-1]

    async def page(self, author: UserId, after: UserId) -> tuple[Sequence[UserId], bool]:
        """The first followers with ids above `after`, at most a page, and whether there may be more.

        As long as nobody follows or unfollows, the pages of a cached author are the same objects.
        """
        cached = (await self.cache.get_many([author], self._load))[author]
        if cached.complete:
            return cached.page(after)
        limit = min(FOLLOWERS_READ_AT_ONCE, self.page_size)
        read = await self.store.followers(author, after, limit)
        return read, len(read) == limit

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
        return CachedFollowers.of(ids, self.page_size)


@dataclass(frozen=True, slots=True)
class CachedFollowers:
    """`pages` are all of them when `complete`; else there are too many to keep."""

    pages: tuple[tuple[UserId, ...], ...]
    complete: bool

    @classmethod
    def of(cls, ids: Sequence[UserId], page_size: int = FOLLOWERS_A_PAGE) -> Self:
        """All of them, rising."""
        return cls(tuple(tuple(ids[at : at + page_size]) for at in range(0, len(ids), page_size)), complete=True)

    def page(self, after: UserId) -> tuple[Sequence[UserId], bool]:
        """What there is of a page above `after`, and whether there is more."""
        number = bisect_right(self.pages, after, key=itemgetter(-1))
        if number == len(self.pages):
            return (), False
        page, more = self.pages[number], number + 1 < len(self.pages)
        return (page if page[0] > after else page[bisect_right(page, after) :]), more

    @property
    def weight(self) -> int:
        return sum(map(len, self.pages)) + 16
