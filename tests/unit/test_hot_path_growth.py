"""The hot page path: it answers what the slow one answers, and it does no more work than it did."""

import gc
import sys
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from roost.domain.tweet import NO_COUNTS
from roost.edge.native.hot import HotTimelines
from roost.edge.native.timelines import Timelines
from roost.edge.settled_homes import WINDOW

LIMITS = (1, 2, 5, 20, 40, 100)
DATE = b"date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
AUTHORS, TWEETS_OF_AUTHOR = 3, 34


class Town:
    """A reader who follows some authors, and the two ways to the same page."""

    def __init__(self, server: NativeServer, reader: Person, authors: list[Person]) -> None:
        self.server = server
        self.reader = reader
        self.authors = authors
        handlers = [route.endpoint.handler for route in server.app.tree.routes]
        (timelines,) = [one for one in (getattr(each, "__self__", None) for each in handlers) if type(one) is Timelines]
        assert timelines.hot is not None
        self.hot: HotTimelines = timelines.hot

    def answer(self, limit: int, person: Person | None = None) -> bytes | None:
        """At once, or not at all."""
        reader = person or self.reader
        target = f"/user/timeline/{reader.id}?timeline=home&limit={limit}".encode()
        headers = [(b"host", b"roost.example"), (b"authorization", f"Bearer {reader.token}".encode())]
        return self.hot.answer(target, headers, DATE)

    async def slow(self, limit: int, person: Person | None = None) -> tuple[int, set[tuple[str, str]], bytes]:
        """By way of NativeApp."""
        reader = person or self.reader
        response = await reader.get(f"/user/timeline/{reader.id}", timeline="home", limit=limit)
        return response.status_code, set(response.headers.items()), response.content

    async def agree(self, limit: int) -> None:
        """Right after a change: where the hot path answers, then as the slow one, but for counts, which may lag."""
        early = self.answer(limit)
        status, _, body = await self.slow(limit)
        assert status == 200
        if early is not None:
            assert without_counts(taken_apart(early)[2]) == without_counts(body)

    async def equal(self, limit: int) -> None:
        """Hot again after one read, and the same to the byte."""
        await self.server.settled("count")
        await self.server.node.progress.reached(await self.server.node.engines.log.end())
        slow = await self.slow(limit)
        answer = self.answer(limit)
        assert answer is not None, "a settled page must be hot"
        assert taken_apart(answer) == slow


def taken_apart(answer: bytes) -> tuple[int, set[tuple[str, str]], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = {(name, value) for name, _, value in (line.partition(": ") for line in lines) if name != "date"}
    return int(first.split()[1]), pairs, body


def without_counts(body: bytes) -> Any:
    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(one) for name, one in value.items() if name != "counts"}
        return [strip(one) for one in value] if isinstance(value, list) else value

    return strip(msgspec.json.decode(body))


@pytest_asyncio.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with native_server(tmp_path) as server:
        reader = await server.join("reader")
        authors = [await server.join(f"author{number}") for number in range(AUTHORS)]
        for author in authors:
            await reader.does("POST", f"/user/{author.id}/follow")
        for number in range(TWEETS_OF_AUTHOR):
            for author in authors:
                await author.tweet(f"number {number} #tag https://example.org/{number} @reader")
        yield Town(server, reader, authors)


async def _newest(town: Town, index: int = 0) -> str:
    page = await town.reader.get(f"/user/timeline/{town.reader.id}", timeline="home", limit=20)
    id: str = page.json()["tweets"][index]["tweet_id"]
    return id


async def _with_every_kind(town: Town) -> None:
    """Own tweets, replies, quotes and retweets on top of plain tweets."""
    first, second, third = town.authors
    await town.reader.tweet("mine")
    answered = (await first.tweet("a question"))["tweet_id"]
    await second.tweet("an answer", ReplyToTweetId=answered)
    await third.tweet("look at this", QuoteTweetId=answered)
    await third.tweet("", ReplyToTweetId=answered)
    await town.reader.tweet("", ReplyToTweetId=await _newest(town, 8))


@pytest.mark.parametrize("limit", LIMITS)
async def test_a_hot_page_is_the_slow_page(town: Town, limit: int) -> None:
    await _with_every_kind(town)
    await town.equal(limit)


async def test_pages_without_a_limit_are_hot_too(town: Town) -> None:
    await town.equal(20)
    headers = [(b"authorization", f"Bearer {town.reader.token}".encode())]
    plain = town.hot.answer(f"/user/timeline/{town.reader.id}?timeline=home".encode(), headers, DATE)
    assert plain == town.answer(20)


async def _like(town: Town) -> None:
    await town.reader.does("POST", f"/tweet/{await _newest(town, 2)}/like")


async def _unlike(town: Town) -> None:
    id = await _newest(town, 2)
    await town.reader.does("POST", f"/tweet/{id}/like")
    await town.equal(20)
    await town.reader.does("DELETE", f"/tweet/{id}/like")


async def _retweet(town: Town) -> None:
    await town.reader.tweet("", ReplyToTweetId=await _newest(town, 3))


async def _delete(town: Town) -> None:
    id = (await town.authors[0].tweet("soon gone"))["tweet_id"]
    await town.equal(20)
    await town.authors[0].does("DELETE", f"/tweet/{id}")


async def _delete_what_is_quoted(town: Town) -> None:
    id = (await town.authors[0].tweet("soon gone"))["tweet_id"]
    await town.authors[1].tweet("a quote", QuoteTweetId=id)
    await town.authors[2].tweet("", ReplyToTweetId=id)
    await town.equal(20)
    await town.authors[0].does("DELETE", f"/tweet/{id}")


async def _mute(town: Town) -> None:
    await town.reader.does("POST", f"/user/{town.authors[0].id}/mute")


async def _block(town: Town) -> None:
    await town.reader.does("POST", f"/user/{town.authors[1].id}/block")


async def _be_blocked(town: Town) -> None:
    await town.authors[1].does("POST", f"/user/{town.reader.id}/block")


async def _unfollow(town: Town) -> None:
    await town.reader.does("DELETE", f"/user/{town.authors[2].id}/follow")


async def _protect_and_shut_out(town: Town) -> None:
    await town.server.change(town.authors[0], protected=True)
    await town.equal(20)
    await town.reader.does("DELETE", f"/user/{town.authors[0].id}/follow")


async def _protect_who_is_quoted(town: Town) -> None:
    stranger = await town.server.join("stranger")
    id = (await stranger.tweet("seen in a quote"))["tweet_id"]
    await town.authors[1].tweet("a quote", QuoteTweetId=id)
    await town.authors[2].tweet("", ReplyToTweetId=id)
    await town.equal(20)
    await town.server.change(stranger, protected=True)


async def _rename(town: Town) -> None:
    await town.server.change(town.authors[0], display_name="Somebody Else")


async def _post(town: Town) -> None:
    for author in town.authors:
        await author.tweet("news")


CHANGES = (
    *(_like, _unlike, _retweet, _delete, _delete_what_is_quoted, _mute, _block, _be_blocked, _unfollow),
    *(_protect_and_shut_out, _protect_who_is_quoted, _rename, _post),
)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_on_the_next_hot_page(town: Town, change: Callable[[Town], Any]) -> None:
    await _with_every_kind(town)
    await town.equal(20)
    await change(town)
    await town.agree(20)
    for limit in (5, 20, 100):
        await town.equal(limit)


async def test_a_page_stays_hot_through_new_tweets_also_late_ones(town: Town) -> None:
    await town.equal(40)
    early_author, late_author, _ = town.authors
    homes, engines = town.server.node.views.caches.homes, town.server.node.engines
    late = engines.ids.next_tweet_id(late_author.user.id)
    for number in range(5):
        await early_author.tweet(f"first here {number}")
    assert town.answer(40) is not None
    # As when two workers give ids at the same moment: the smaller comes to stand below the greater.
    newest = engines.ids.next_tweet_id(late_author.user.id)
    kept = await engines.stores.tweets.get_many([int(await _newest(town))])  # type: ignore[list-item]  # an id
    (model,) = kept.values()
    for id in (newest, late):
        await _put(town, model, id, late_author)
        assert await homes.push(id, [town.reader.user.id])
    answer = town.answer(40)
    assert answer is not None, "a late tweet must not cost a page"
    ids = [one["tweet_id"] for one in msgspec.json.decode(taken_apart(answer)[2])["tweets"]]
    assert ids == sorted(ids, key=int, reverse=True)
    assert {str(late), str(newest)} <= set(ids)
    assert taken_apart(answer)[2] == (await town.slow(40))[2]


async def _put(town: Town, model: Any, id: Any, author: Person) -> None:
    """Into the store and the caches, and onto no timeline."""
    tweet = replace(model, id=id, author=author.user.id, message="late")
    views = town.server.node.views
    await town.server.node.engines.stores.tweets.add(tweet, None, [])
    await views.tweets.cache.put(id, tweet)
    await views.tweets.count_cache.put(id, NO_COUNTS)


# What it costs. The bounds are of Python 3.11, whose later versions make fewer calls; raise one only with a reason.

CALLS_MAX = 48
"""Of a settled page, whatever its limit, with nobody merged in: 46 when it was set."""
CALLS_A_NEW_TWEET_MAX = 5
"""That somebody else has read already, and this reader has not."""
CALLS_OF_AN_INBOX_MAX = 12
"""Emptying the box that they waited in, however many they are."""
COPIES_MAX = 1.2
"""Bytes allocated at the most for a byte answered: the page is joined once, straight behind its head."""


def calls_of(act: Callable[[], object]) -> Counter[str]:
    """Calls made, of Python's functions by file and of C's under its own name."""
    seen: Counter[str] = Counter()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            seen[frame.f_code.co_filename] += 1
        elif event == "c_call":
            seen["C"] += 1

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    seen["C"] -= 1  # setprofile itself
    return seen


async def test_a_settled_page_asks_no_store_and_waits_for_nothing(town: Town) -> None:
    await town.equal(20)
    calls = calls_of(lambda: town.answer(20))
    stores = [name for name in calls if "/adapters/store/" in name or "/asyncio/" in name or "/starlette/" in name]
    assert stores == []


async def test_a_settled_page_makes_no_more_calls_than_it_did(town: Town) -> None:
    await town.equal(20)
    total = calls_of(lambda: town.answer(20)).total()
    assert total <= CALLS_MAX, f"{total} calls a page"


async def test_a_longer_page_makes_no_more_calls(town: Town) -> None:
    await town.equal(100)
    town.answer(5)
    assert calls_of(lambda: town.answer(100)).total() <= calls_of(lambda: town.answer(5)).total()


async def test_a_settled_page_copies_its_bytes_no_oftener_than_it_did(town: Town) -> None:
    await town.equal(100)
    answer = town.answer(100)
    assert answer is not None
    size = len(answer)
    del answer
    gc.collect()
    tracemalloc.start()
    try:
        town.answer(100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= COPIES_MAX * size, f"{peak / size:.2f} bytes for a byte of the page"


async def test_a_new_tweet_costs_its_next_readers_a_handful_of_calls(town: Town) -> None:
    other = await town.server.join("other")
    for author in town.authors:
        await other.does("POST", f"/user/{author.id}/follow")
    await town.slow(20, other)
    await town.equal(20)
    assert town.answer(20, other) is not None
    settled = calls_of(lambda: town.answer(20, other)).total()
    news = 10
    for _ in range(news):
        await town.authors[0].tweet("news")
    assert town.answer(20) is not None, "the first reader"
    calls = calls_of(lambda: town.answer(20, other)).total()
    more = calls - settled
    assert (more - CALLS_OF_AN_INBOX_MAX) / news <= CALLS_A_NEW_TWEET_MAX, f"{more} calls for {news} tweets"


async def test_a_page_stays_hot_after_more_news_than_a_home_takes_up(town: Town) -> None:
    other = await town.server.join("other")
    for author in town.authors:
        await other.does("POST", f"/user/{author.id}/follow")
    await town.equal(20)
    for number in range(WINDOW // AUTHORS + 1):
        for author in town.authors:
            await author.tweet(f"news {number}")
    await town.slow(100, other)  # somebody else has read them: their cells are there
    answer = town.answer(100)
    assert answer is not None, "a server that is behind must not pay more a page"
    assert taken_apart(answer)[2] == (await town.slow(100))[2]
