"""The system of record: follows, requests, blocks and mutes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from roost.domain.ids import Position, UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations

FOLLOWERS_PAGE_MAX = 10_000


class RelationStore(Protocol):
    """Partitions: what a user does to others by the user, followers and requests by (user, bucket) of the other.

    Every change is announced as RelationChanged in the same durable write. `add` and `remove` of what holds
    already change and announce nothing and answer None: so both are idempotent.
    """

    async def relations(self, viewer: UserId) -> Relations:
        """All relations of one user: follows, requests, blocks both ways, mutes."""
        ...

    async def add(self, relation: Relation, following_max: int) -> Position | None:
        """Keep the row.

        A follow removes the request between the same two. A block removes follows and requests both ways, each
        announced. Raises Invalid when a follow or request would be the user's `following_max` + 1st.
        """
        ...

    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        """Drop the row."""
        ...

    async def accept(self, requests: Collection[Relation]) -> Position | None:
        """Turn these requests into follows; those that are gone are passed over. `version`s are the follows'."""
        ...

    async def holds(self, kind: RelationKind, subject: UserId, object: UserId) -> Relation | None:
        """The row, if it is there."""
        ...

    async def of_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        """Whom the user follows, asks, blocks or mutes: newest first, below `before`."""
        ...

    async def of_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        """Who follows or asks the user: newest first, below `before`."""
        ...

    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        """Follower ids above `after`, rising: what a fan-out pages through."""
        ...

    async def follower_counts(self, users: Collection[UserId]) -> Mapping[UserId, int]: ...

    async def erase(self, user: UserId, limit: int) -> int:
        """Drop up to `limit` rows that name the user, each announced; how many were dropped."""
        ...

    async def scan(self, after: Relation | None, limit: int) -> Sequence[Relation]:
        """All rows, in an order of the store's own, after that one: for rebuilds. A walk over partitions, not for
        requests; what changes meanwhile may be missing or be there.
        """
        ...
