"""Notifications, by user and month: a view that can be rebuilt from tweets, likes and follows."""

from collections.abc import Collection, Sequence
from typing import Protocol

from roost.domain.notification import Notification


class NotificationStore(Protocol):
    async def add(self, notifications: Collection[Notification]) -> None:
        """Keep them, each announced as Notified; one that is there already changes and announces nothing."""

    async def remove(self, user_id: int, ids: Collection[int]) -> None:
        """Drop those that are there."""

    async def page(self, user_id: int, before: int | None, limit: int) -> Sequence[Notification]:
        """Newest first, ids below `before`."""
        ...

    async def get(self, user_id: int, id: int) -> Notification | None: ...

    async def restore(self, notifications: Collection[Notification]) -> None:
        """Keep those that are missing, and announce none: their users were told when it happened. For rebuilds."""

    async def scan(self, after: Notification | None, limit: int) -> Sequence[Notification]:
        """All of all users, in an order of the store's own, after that one: for rebuilds. A walk over partitions."""
        ...

    async def clear(self) -> None:
        """Drop all, before a rebuild."""
