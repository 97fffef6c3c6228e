"""What rebuilds need of the stores: walks over all likes, relations and notifications, and silent restoring."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from contract.store_adapters import ANA, BEN, CEM, DEE, STORES, Promise, Stores, is_caught, memory_stores
from roost.adapters.store.memory.likes import MemoryLikeStore
from roost.adapters.store.memory.notifications import MemoryNotificationStore
from roost.domain.events import Notified
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.notification import Notification, NotificationKind
from roost.domain.relation import Relation, RelationKind
from roost.ports.likes import Like

Row = TypeVar("Row")
STEP = 2
STEPS_MAX = 20


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


async def walked(scan: Callable[[Row | None, int], Awaitable[Sequence[Row]]]) -> list[Row]:
    rows: list[Row] = []
    for _ in range(STEPS_MAX):
        step = await scan(rows[-1] if rows else None, STEP)
        assert len(step) <= STEP
        if not step:
            return rows
        rows += step
    pytest.fail("the walk does not end")


async def test_a_walk_over_likes_meets_each_once(stores: Stores) -> None:
    # Versions do not rise with the ids of tweets or users.
    likes = [
        Like(user, TweetId(tweet), DEE, Version(version))
        for user, tweet, version in ((ANA, 1, 15), (BEN, 1, 11), (CEM, 1, 13), (ANA, 2, 12), (BEN, 3, 10))
    ]
    for like in likes:
        await stores.likes.add(like)
    gone = Like(DEE, TweetId(2), DEE, Version(14))
    await stores.likes.add(gone)
    await stores.likes.remove(gone.user_id, gone.tweet_id)
    rows = await walked(stores.likes.scan)
    assert len(rows) == len(likes)
    assert set(rows) == set(likes)


async def test_a_walk_over_relations_meets_each_once(stores: Stores) -> None:
    relations = [
        Relation(kind, subject, object_, Version(version))
        for kind, subject, object_, version in (
            (RelationKind.FOLLOW, BEN, ANA, 15),
            (RelationKind.FOLLOW, CEM, ANA, 11),
            (RelationKind.REQUEST, ANA, CEM, 13),
            (RelationKind.BLOCK, DEE, CEM, 12),
            (RelationKind.MUTE, ANA, BEN, 14),
        )
    ]
    for relation in relations:
        await stores.relations.add(relation, following_max=9)
    rows = await walked(stores.relations.scan)
    assert len(rows) == len(relations)
    assert set(rows) == set(relations)


def told(id: int, user: UserId = ANA) -> Notification:
    return Notification(id, user, NotificationKind.LIKE, BEN, TweetId(7))


async def test_a_walk_over_notifications_meets_each_once(stores: Stores) -> None:
    all_told = [told(3), told(1), told(2), told(1, BEN), told(9, CEM)]
    await stores.notifications.add(all_told)
    rows = await walked(stores.notifications.scan)
    assert len(rows) == len(all_told)
    assert set(rows) == set(all_told)


async def test_restoring_keeps_what_is_missing_and_tells_nobody(stores: Stores) -> None:
    await stores.notifications.add([told(1)])
    before = await stores.left()
    await stores.notifications.restore([])
    await stores.notifications.restore([told(2), told(3, CEM)])
    await stores.notifications.restore([told(1)])
    assert await stores.notifications.page(ANA, None, 9) == [told(2), told(1)]
    assert await stores.notifications.get(CEM, 3) == told(3, CEM)
    assert await stores.left() == before


async def test_what_was_restored_is_not_told_when_it_is_added(stores: Stores) -> None:
    await stores.notifications.restore([told(1)])
    await stores.notifications.add([told(1), told(2)])
    assert await stores.left() == [Notified(ANA, 2)]


class WalksInclusively(MemoryLikeStore):
    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        rows = await super().scan(None, STEPS_MAX)
        return rows[rows.index(after) if after in rows else 0 :][:limit]


class WalksByVersionButGoesOnByTweet(MemoryLikeStore):
    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        rows = await super().scan(after, STEPS_MAX)
        return sorted(rows, key=lambda like: like.version)[:limit]


class SkipsTheOnesBetween(MemoryNotificationStore):
    async def scan(self, after: Notification | None, limit: int) -> Sequence[Notification]:
        rows = await super().scan(after, STEPS_MAX)
        return [row for row in rows if after is None or row.user_id > after.user_id][:limit]


class RestoresAloud(MemoryNotificationStore):
    async def restore(self, notifications: Collection[Notification]) -> None:
        await self.add(notifications)


class RestoresOver(MemoryNotificationStore):
    async def restore(self, notifications: Collection[Notification]) -> None:
        await self.clear()
        await super().restore(notifications)


SABOTEURS: list[tuple[Callable[[], Stores], Promise]] = [
    (lambda: memory_stores(like_store=WalksInclusively), test_a_walk_over_likes_meets_each_once),
    (lambda: memory_stores(like_store=WalksByVersionButGoesOnByTweet), test_a_walk_over_likes_meets_each_once),
    (
        lambda: memory_stores(notification_store=SkipsTheOnesBetween),
        test_a_walk_over_notifications_meets_each_once,
    ),
    (
        lambda: memory_stores(notification_store=RestoresAloud),
        test_restoring_keeps_what_is_missing_and_tells_nobody,
    ),
    (
        lambda: memory_stores(notification_store=RestoresOver),
        test_restoring_keeps_what_is_missing_and_tells_nobody,
    ),
]


@pytest.mark.parametrize(("saboteur", "promise"), SABOTEURS)
async def test_a_store_that_breaks_a_promise_of_walks_is_caught(
    saboteur: Callable[[], Stores], promise: Promise
) -> None:
    await is_caught(saboteur(), promise)
