"""Home and user timelines: warm ones from the cache, cold ones rebuilt from the user tweets, deep ones from the store.

queries.home_timeline -> HomeTimelines -> TimelineCache | TweetStore
"""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import neg
from typing import Protocol

from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList, Mark, Slice, merge_newest_first
from roost.ports.cache import ReadThrough, TimelineCache
from roost.ports.tweets import TweetStore
from roost.views.celebrities import CelebrityView
from roost.views.relations import RelationView

SEGMENT_LENGTH = 800
"""Ids read at once below the floor, and kept for the next pages."""

REBUILDS_MAX = 5
"""After so many rebuilds that a change voided, the page is answered from the store without keeping it."""


State = tuple[Mark, ...]
"""Of each list of a timeline, what had come."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a timeline below the floor, as the store has it: all ids below `before` down to its end.

    `state` is the timeline's when it was read: what came below `before` since is not in it.
    """

    before: TweetId
    ids: tuple[TweetId, ...]  # newest first
    complete: bool  # nothing lies below
    state: State

    def covers(self, before: TweetId, limit: int, lists: Sequence[IdList]) -> bool:
        """Whether the next `limit` ids below `before` can be told from it."""
        if before > self.before or len(lists) != len(self.state):
            return False
        if not all(one.is_same_below(self.before, mark) for one, mark in zip(lists, self.state, strict=True)):
            return False
        return self.complete or len(self.ids) - self._first_below(before) >= limit

    def older(self, before: TweetId, limit: int) -> Slice:
        """The ids below `before`, which this segment covers."""
        first = self._first_below(before)
        ids = self.ids[first : first + limit]
        return Slice(ids, first + limit < len(self.ids) or not self.complete)

    def _first_below(self, before: TweetId) -> int:
        return bisect_right(self.ids, -before, key=neg)


class Candidates(Protocol):
    """A source of candidate ids for pages, in both directions, exclusive."""

    async def below(self, before: TweetId | None, limit: int) -> Slice:
        """The newest ids below `before`, newest first."""
        ...

    async def above(self, after: TweetId, limit: int) -> Slice:
        """The oldest ids above `after`, newest first."""
        ...


ReadIds = Callable[[TweetId | None, TweetId | None, int], Awaitable[Sequence[TweetId]]]


@dataclass(slots=True)
class _Rebuilds:
    """One rebuild at a time an owner: who comes meanwhile waits for the same."""

    cache: TimelineCache
    length: int
    under_way: dict[UserId, "asyncio.Task[IdList]"] = field(default_factory=dict)

    async def warm(self, owner: UserId, read: ReadIds) -> IdList:
        timeline = self.cache.peek(owner)
        if timeline is not None:
            return timeline
        task = self.under_way.get(owner)
        if task is None:
            task = asyncio.ensure_future(self._rebuild(owner, read))
            self.under_way[owner] = task
            task.add_done_callback(lambda _: self.under_way.pop(owner, None))
        return await asyncio.shield(task)

    async def _rebuild(self, owner: UserId, read: ReadIds) -> IdList:
        ids: Sequence[TweetId] = ()
        floor = 0
        for _ in range(REBUILDS_MAX):
            ticket = await self.cache.begin(owner)
            try:
                ids = await read(None, None, self.length)
            except BaseException:
                await self.cache.forget(owner)
                raise
            floor = ids[-1] if len(ids) >= self.length else 0
            timeline = await self.cache.finish(owner, ticket, ids, floor)
            if timeline is not None:
                return timeline
        return IdList(self.length, ids, floor)


@dataclass(frozen=True, slots=True)
class UserTimelines:
    """All that a user posted."""

    cache: TimelineCache
    segments: ReadThrough[UserId, Segment]
    store: TweetStore
    length: int
    segment_length: int = SEGMENT_LENGTH
    _rebuilds: _Rebuilds = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rebuilds", _Rebuilds(self.cache, self.length))

    async def warm(self, owner: UserId) -> IdList:
        return await self._rebuilds.warm(owner, partial(self._read, owner))

    async def newer(self, owner: UserId, after: TweetId, limit: int) -> Sequence[TweetId]:
        """The oldest ids above `after`, newest first, without warming the timeline."""
        timeline = self.cache.peek(owner)
        if timeline is not None and after >= timeline.floor - 1:
            return timeline.newer(after, limit)
        return await self.store.by_authors([owner], None, after, limit)

    async def candidates(self, owner: UserId) -> Candidates:
        timeline = await self.warm(owner)
        return _Candidates(owner, [timeline], partial(self._read, owner), self.segments, self.segment_length)

    async def _read(
        self, owner: UserId, before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        return await self.store.by_authors([owner], before, after, limit)


@dataclass(frozen=True, slots=True)
class HomeTimelines:
    """All that a user and the followed posted. What of it the user may see is judged when it is read."""

    cache: TimelineCache
    segments: ReadThrough[UserId, Segment]
    store: TweetStore
    relations: RelationView
    celebrities: CelebrityView
    users: UserTimelines
    length: int
    segment_length: int = SEGMENT_LENGTH
    _rebuilds: _Rebuilds = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rebuilds", _Rebuilds(self.cache, self.length))

    async def warm(self, owner: UserId) -> IdList:
        return await self._rebuilds.warm(owner, partial(self._read, owner))

    async def candidates(self, owner: UserId) -> Candidates:
        timeline = await self.warm(owner)
        relations = await self.relations.of(owner)
        merged = [await self.users.warm(author) for author in self.celebrities.merged_for(relations)]
        return _Candidates(owner, [timeline, *merged], partial(self._read, owner), self.segments, self.segment_length)

    async def _read(
        self, owner: UserId, before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        # The follows are read within the rebuild, not before it: a follow that comes later voids the rebuild.
        authors: Collection[UserId] = (await self.relations.of(owner)).follows | {owner}
        return await self.store.by_authors(authors, before, after, limit)


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Lists that together hold all ids above the highest of their floors, and the store below it."""

    owner: UserId
    lists: Sequence[IdList]
    read: ReadIds
    segments: ReadThrough[UserId, Segment]
    segment_length: int

    async def below(self, before: TweetId | None, limit: int) -> Slice:
        floor = max(timeline.floor for timeline in self.lists)
        ids: list[TweetId] = []
        if before is None or before > floor:
            listed = [timeline.older(before, limit) for timeline in self.lists]
            merged = listed[0] if len(listed) == 1 else merge_newest_first(*listed, limit=limit)
            ids = [id for id in merged if id >= floor] if floor else merged
            if len(ids) == limit or not floor:
                return Slice(ids, len(ids) == limit)
            before = TweetId(floor)
        deep = await self._deep(before, limit - len(ids))
        return Slice([*ids, *deep.ids], deep.more)

    async def _deep(self, before: TweetId, limit: int) -> Slice:
        limit = min(limit, self.segment_length)
        segment = self.segments.peek(self.owner)
        if segment is None or not segment.covers(before, limit, self.lists):
            # Another stretch, or what is no longer true: this one takes its place.
            await self.segments.forget(self.owner)
            loaded = await self.segments.get_many([self.owner], lambda _: self._segment(before))
            segment = loaded[self.owner]
            if segment.before != before:  # another reader of the same timeline was quicker
                segment = (await self._segment(before))[self.owner]
        return segment.older(before, limit)

    async def _segment(self, before: TweetId) -> dict[UserId, Segment]:
        state = self._state()
        ids = tuple(await self.read(before, None, self.segment_length))
        return {self.owner: Segment(before, ids, len(ids) < self.segment_length, state)}

    def _state(self) -> State:
        return tuple(timeline.mark for timeline in self.lists)

    async def above(self, after: TweetId, limit: int) -> Slice:
        floor = max(timeline.floor for timeline in self.lists)
        if after >= floor - 1:
            merged = {id for timeline in self.lists for id in timeline.newer(after, limit)}
            ids = sorted(merged)[:limit][::-1]
        else:
            ids = list(await self.read(None, after, limit))
        return Slice(ids, len(ids) == limit)
