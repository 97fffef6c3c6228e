"""Derived, losable state: read-through caches and timelines.

All have a bound in entries, and entries go when unused for the time-to-live. Losing all of it loses nothing.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList

K = TypeVar("K")
V = TypeVar("V")

Load = Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]


class ReadThrough(Protocol[K, V]):
    """Values by key, filled from the store on a miss."""

    def peek(self, key: K) -> V | None:
        """The value if it is at hand here and now; counts as a use."""
        ...

    async def get_many(self, keys: Collection[K], load: Load[K, V]) -> Mapping[K, V]:
        """The values of all keys that exist, loading the missing in one call.

        A fill is dropped, and only answered, if its key was forgotten since the load began.
        """
        ...

    async def put(self, key: K, value: V) -> None:
        """Set a value that is known to be current."""

    async def forget(self, key: K) -> None:
        """The value may have changed: the next reader loads it, and loads under way are not kept."""

    async def clear(self) -> None:
        """Forget everything."""


class TimelineCache(Protocol):
    """Timelines of one kind (home or user) by owner: lists of ids with a floor.

    `changes` grows whenever any of them becomes warm or cold or takes an id: as long as it stays, all are as they were.
    What `peek` gave before may lag behind what was pushed since, until the next `peek`.

    A timeline is cold (absent), warming (a rebuild reads the store, pushes are collected) or warm.
    """

    @property
    def changes(self) -> int: ...

    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        """Put the id on each owner's warm or warming timeline; cold ones are left cold. Pushing twice changes
        nothing. Answers how many took it.
        """
        ...

    def peek(self, owner: UserId) -> IdList | None:
        """The warm timeline, else None; counts as a use."""
        ...

    async def begin(self, owner: UserId) -> int:
        """Mark it warming; the answer is this rebuild's own ticket."""
        ...

    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        """Union what the store had with what was pushed since `begin`; None when the timeline was forgotten or
        begun anew meanwhile: then the rebuild starts again.
        """
        ...

    async def forget(self, owner: UserId) -> None:
        """Make it cold, and void a rebuild under way."""

    async def forget_where(self, stale: Callable[[UserId], bool]) -> None:
        """Make cold those of whom it holds, and void their rebuilds under way."""

    async def clear(self) -> None:
        """Make all cold."""

    def warm_owners(self) -> Collection[UserId]: ...
