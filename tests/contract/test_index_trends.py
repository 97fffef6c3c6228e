"""The TweetIndex contract, its part on trends, over every adapter."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.index_adapters import INDEXES, NOW_MS
from contract.test_tweet_index import ANA, BEN, tags_of, tweet
from roost.domain.ids import TweetId, UserId, Version, compose_id
from roost.domain.search.document import IndexedTweet
from roost.domain.search.trending import HOUR_MS, RECENT_HOURS, WINDOW_HOURS
from roost.ports.index import AuthorPublic, TweetBatch, TweetIndex


@pytest.fixture(params=INDEXES)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TweetIndex]:
    async with INDEXES[request.param](tmp_path) as indexes:
        yield indexes.tweets


def hours_ago(hours: int, number: int, text: str, author: UserId = ANA) -> IndexedTweet:
    id = TweetId(compose_id(NOW_MS - hours * HOUR_MS + number, 0, 0))
    return replace(tweet(0, text, author), tweet_id=id)


async def test_trends_count_an_author_once_an_hour(index: TweetIndex) -> None:
    await index.add([tweet(number, "#mine") for number in range(50)])
    await index.add([tweet(100 + user, "#ours", UserId(user)) for user in range(10, 13)])
    await index.add([hours_ago(1, 1, "#ours")])
    assert await tags_of(index) == [("ours", 4), ("mine", 1)]


async def test_trends_rank_a_rise_above_a_habit(index: TweetIndex) -> None:
    users = [UserId(user) for user in range(10, 15)]
    habit = [hours_ago(h, u, "#habit", u) for h in range(WINDOW_HOURS) for u in users]
    await index.add([*habit, *(tweet(100 + u, "#fresh", u) for u in users)])
    habit_count = len(users) * RECENT_HOURS
    assert await tags_of(index) == [("fresh", len(users)), ("habit", habit_count)]
    trends = await index.trends(NOW_MS, 2)
    assert trends[0].rise > 1 > trends[1].rise
    assert [trend.tag for trend in await index.trends(NOW_MS, 1)] == ["fresh"]


async def test_trends_forget_what_is_no_longer_recent(index: TweetIndex) -> None:
    await index.add([hours_ago(RECENT_HOURS, 1, "#past"), hours_ago(RECENT_HOURS - 1, 1, "#late")])
    assert await tags_of(index) == [("late", 1)]
    assert await tags_of(index, NOW_MS + HOUR_MS) == []


async def test_trends_count_public_tweets_and_no_retweets(index: TweetIndex) -> None:
    await index.add([tweet(1, "#secret", public=False), tweet(2, "#again", is_retweet=True)])
    assert await tags_of(index) == []
    await index.add([tweet(1, "#secret", version=Version(2))])
    assert await tags_of(index) == [("secret", 1)]
    await index.add([tweet(1, "#secret", public=False, version=Version(3))])
    assert await tags_of(index) == []


async def test_what_a_protected_author_used_leaves_the_trends_and_comes_back(
    index: TweetIndex,
) -> None:
    await index.add([tweet(1, "#a"), tweet(2, "#a", BEN), tweet(3, "#b")])
    await index.set_author_public(ANA, public=False, version=Version(5))
    assert await tags_of(index) == [("a", 1)]
    await index.add([tweet(4, "#c"), tweet(5, "#b")])
    await index.remove([tweet(3).tweet_id])
    assert await tags_of(index) == [("a", 1)]
    await index.set_author_public(ANA, public=True, version=Version(6))
    assert await tags_of(index) == [("a", 2), ("b", 1), ("c", 1)]


async def test_an_authors_greater_version_is_kept(index: TweetIndex) -> None:
    closed = AuthorPublic(ANA, public=False, version=Version(6))
    opened = AuthorPublic(ANA, public=True, version=Version(5))
    await index.apply(TweetBatch(added=(tweet(1, "#a"),), authors=(closed, opened)))
    await index.set_author_public(ANA, public=True, version=Version(6))
    assert await tags_of(index) == []
    await index.set_author_public(ANA, public=True, version=Version(7))
    assert await tags_of(index) == [("a", 1)]


async def test_a_tag_leaves_the_trends_with_the_last_tweet_of_its_author(
    index: TweetIndex,
) -> None:
    await index.add([tweet(1, "#a"), tweet(2, "#a")])
    await index.remove([tweet(1).tweet_id, tweet(1).tweet_id])
    assert await tags_of(index) == [("a", 1)]
    await index.remove([tweet(1).tweet_id, tweet(2).tweet_id])
    assert await tags_of(index) == []
