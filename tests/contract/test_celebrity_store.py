"""The CelebrityStore contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.store_adapters import ANA, BEN, STORES, Stores
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.events import CelebrityChanged
from roost.domain.ids import UserId, Version

MERGED, RETURNING = CelebrityState


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def row(version: int, user: UserId = ANA, state: CelebrityState = MERGED) -> Celebrity:
    return Celebrity(user, state, Version(version))


async def test_all_rows_are_read_whole(stores: Stores) -> None:
    assert await stores.celebrities.all() == {}
    await stores.celebrities.put(row(1))
    await stores.celebrities.put(row(2, BEN, RETURNING))
    kept = await stores.celebrities.all()
    assert kept == {ANA: row(1), BEN: row(2, BEN, RETURNING)}
    assert type(kept[BEN].state) is CelebrityState


async def test_only_a_greater_version_replaces_a_row(stores: Stores) -> None:
    assert await stores.celebrities.put(row(5)) is not None
    assert await stores.celebrities.put(row(4, state=RETURNING)) is None
    assert await stores.celebrities.put(row(5, state=RETURNING)) is None
    assert await stores.celebrities.all() == {ANA: row(5)}
    assert await stores.celebrities.put(row(6, state=RETURNING)) is not None
    assert await stores.celebrities.all() == {ANA: row(6, state=RETURNING)}


async def test_only_a_row_of_a_lower_version_is_removed(stores: Stores) -> None:
    await stores.celebrities.put(row(5))
    assert await stores.celebrities.remove(ANA, Version(5)) is None
    assert await stores.celebrities.remove(BEN, Version(9)) is None
    assert await stores.celebrities.all() == {ANA: row(5)}
    assert await stores.celebrities.remove(ANA, Version(6)) is not None
    assert await stores.celebrities.all() == {}


async def test_each_change_is_announced_once(stores: Stores) -> None:
    await stores.celebrities.put(row(5))
    await stores.celebrities.put(row(5))
    await stores.celebrities.remove(ANA, Version(6))
    await stores.celebrities.remove(ANA, Version(7))
    assert await stores.left() == [CelebrityChanged(ANA, Version(5)), CelebrityChanged(ANA, Version(6))]
