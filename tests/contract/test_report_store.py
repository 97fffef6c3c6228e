"""The ReportStore contract."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.account_store_adapters import ANA, BEN, CEM, DEE, STORES, Stores
from roost.domain.ids import TweetId
from roost.domain.report import Report


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def report(id: int, tweet_id: int | None = None) -> Report:
    return Report(id, ANA, BEN, None if tweet_id is None else TweetId(tweet_id), "spam", created_ms=1_000)


async def test_open_reports_come_newest_first_page_by_page(stores: Stores) -> None:
    for id in (2, 4, 1, 3):
        await stores.reports.add(report(id, tweet_id=id))
    assert await stores.reports.open(None, 3) == [report(id, tweet_id=id) for id in (4, 3, 2)]
    assert await stores.reports.open(2, 3) == [report(1, tweet_id=1)]
    assert await stores.reports.open(1, 3) == []


async def test_the_same_report_again_keeps_the_first(stores: Stores) -> None:
    for tweet_id in (None, 7):
        first = report(10 + (tweet_id or 0), tweet_id)
        await stores.reports.add(first)
        await stores.reports.add(replace(first, id=first.id + 1, reason="another reason"))
    assert await stores.reports.open(None, 10) == [report(17, 7), report(10)]


async def test_another_reporter_user_or_tweet_is_another_report(stores: Stores) -> None:
    first = report(1, tweet_id=7)
    others = [
        replace(first, id=2, reporter=CEM),
        replace(first, id=3, user_id=DEE),
        replace(first, id=4, tweet_id=None),
    ]
    for each in (first, *others):
        await stores.reports.add(each)
    assert len(await stores.reports.open(None, 10)) == 4


async def test_a_report_is_closed_once(stores: Stores) -> None:
    await stores.reports.add(report(1))
    assert await stores.reports.close(1, CEM)
    assert not await stores.reports.close(1, CEM)
    assert not await stores.reports.close(2, CEM)
    assert await stores.reports.open(None, 10) == []


async def test_a_closed_report_is_not_opened_by_telling_it_again(stores: Stores) -> None:
    await stores.reports.add(report(1))
    await stores.reports.close(1, CEM)
    await stores.reports.add(report(2))
    assert await stores.reports.open(None, 10) == []
