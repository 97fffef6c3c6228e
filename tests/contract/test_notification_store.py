"""The NotificationStore contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.store_adapters import ANA, BEN, CEM, STORES, Stores
from roost.domain.events import Notified
from roost.domain.ids import TweetId, UserId
from roost.domain.notification import Notification, NotificationKind


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def told(id: int, user: UserId = ANA, kind: NotificationKind = NotificationKind.LIKE) -> Notification:
    return Notification(id, user, kind, BEN, None if kind is NotificationKind.FOLLOW else TweetId(7))


async def test_every_kind_comes_back_whole(stores: Stores) -> None:
    for id, kind in enumerate(NotificationKind, start=1):
        await stores.notifications.add([told(id, kind=kind)])
        kept = await stores.notifications.get(ANA, id)
        assert kept == told(id, kind=kind)
        assert type(kept.kind) is NotificationKind


async def test_what_is_missing_is_none(stores: Stores) -> None:
    await stores.notifications.add([told(1)])
    assert await stores.notifications.get(ANA, 2) is None
    assert await stores.notifications.get(BEN, 1) is None


async def test_each_is_announced_once(stores: Stores) -> None:
    await stores.notifications.add([told(1), told(1, CEM)])
    await stores.notifications.add([told(1), told(2)])
    await stores.notifications.add([])
    assert await stores.left() == [Notified(ANA, 1), Notified(CEM, 1), Notified(ANA, 2)]


async def test_one_that_is_there_is_not_changed(stores: Stores) -> None:
    await stores.notifications.add([told(1)])
    await stores.notifications.add([told(1, kind=NotificationKind.MENTION)])
    assert await stores.notifications.get(ANA, 1) == told(1)
    assert await stores.left() == [Notified(ANA, 1)]


async def test_a_page_is_newest_first_and_below_its_cursor(stores: Stores) -> None:
    await stores.notifications.add([told(id) for id in (3, 1, 4, 2)])
    await stores.notifications.add([told(9, CEM)])
    page = stores.notifications.page
    assert [each.id for each in await page(ANA, None, 3)] == [4, 3, 2]
    assert [each.id for each in await page(ANA, 2, 3)] == [1]
    assert await page(ANA, 1, 3) == []
    assert await page(CEM, None, 3) == [told(9, CEM)]


async def test_only_the_users_own_are_removed(stores: Stores) -> None:
    await stores.notifications.add([told(1), told(2), told(1, CEM)])
    await stores.notifications.remove(ANA, [1, 8])
    await stores.notifications.remove(ANA, [8])
    assert await stores.notifications.page(ANA, None, 9) == [told(2)]
    assert await stores.notifications.page(CEM, None, 9) == [told(1, CEM)]


async def test_one_that_was_removed_is_told_again(stores: Stores) -> None:
    await stores.notifications.add([told(1)])
    await stores.notifications.remove(ANA, [1])
    await stores.notifications.add([told(1)])
    assert await stores.left() == [Notified(ANA, 1), Notified(ANA, 1)]


async def test_nothing_is_left_after_a_clearing(stores: Stores) -> None:
    await stores.notifications.add([told(1), told(2, CEM)])
    await stores.notifications.clear()
    assert await stores.notifications.page(ANA, None, 9) == []
    assert await stores.notifications.page(CEM, None, 9) == []
