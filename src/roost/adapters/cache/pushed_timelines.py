"""Shared timelines as those see them who only fill them: everything is cold to them, and nothing is rebuilt."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList


class Pushes(Protocol):
    """What RepeatedPushes do."""

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int: ...
    async def forget_many(self, owners: Collection[UserId]) -> None: ...
    async def clear(self) -> bool: ...


class PushedTimelines:
    """Implements ports.cache.TimelineCache for reactions; a rebuild that is begun here never finishes."""

    def __init__(self, pushes: Pushes) -> None:
        self.changes = 0
        self._pushes = pushes

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        self.changes += 1
        return await self._pushes.push(id, owners)

    def peek(self, owner: UserId) -> IdList | None:
        return None

    async def begin(self, owner: UserId) -> int:
        return 0

    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        return None

    async def forget(self, owner: UserId) -> None:
        self.changes += 1
        await self._pushes.forget_many((owner,))

    async def forget_where(self, stale: Callable[[UserId], bool]) -> None:
        """Whose there are is told nowhere: all go."""
        await self.clear()

    async def clear(self) -> None:
        self.changes += 1
        await self._pushes.clear()

    def warm_owners(self) -> Collection[UserId]:
        return ()
