"""Notifications in dictionaries."""

from collections.abc import Callable, Collection, Sequence
from heapq import nlargest, nsmallest

from roost.domain.events import Event, Notified
from roost.domain.ids import Position
from roost.domain.notification import Notification


class MemoryNotificationStore:
    def __init__(self, leave: Callable[[Sequence[Event]], Position]) -> None:
        self._leave = leave
        self._by_user: dict[int, dict[int, Notification]] = {}

    async def add(self, notifications: Collection[Notification]) -> None:
        new = []
        for notification in notifications:
            of_user = self._by_user.setdefault(notification.user_id, {})
            if notification.id not in of_user:
                of_user[notification.id] = notification
                new.append(Notified(notification.user_id, notification.id))
        if new:
            self._leave(new)

    async def remove(self, user_id: int, ids: Collection[int]) -> None:
        for id in ids:
            self._by_user.get(user_id, {}).pop(id, None)

    async def page(self, user_id: int, before: int | None, limit: int) -> Sequence[Notification]:
        of_user = self._by_user.get(user_id, {})
        return [of_user[id] for id in nlargest(limit, (id for id in of_user if before is None or id < before))]

    async def get(self, user_id: int, id: int) -> Notification | None:
        return self._by_user.get(user_id, {}).get(id)

    async def restore(self, notifications: Collection[Notification]) -> None:
        for notification in notifications:
            self._by_user.setdefault(notification.user_id, {}).setdefault(notification.id, notification)

    async def scan(self, after: Notification | None, limit: int) -> Sequence[Notification]:
        kept = (one for of_user in self._by_user.values() for one in of_user.values())
        return nsmallest(limit, (one for one in kept if after is None or _place(one) > _place(after)), key=_place)

    async def clear(self) -> None:
        self._by_user.clear()


def _place(notification: Notification) -> tuple[int, int]:
    """Where a walk over all of them meets it."""
    return notification.user_id, notification.id
