"""The LikeStore contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.store_adapters import ANA, BEN, CEM, DEE, STORES, Stores, ids
from roost.domain.events import LikeChanged
from roost.domain.ids import TweetId, UserId, Version
from roost.ports.likes import Like


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def like(user: UserId, tweet_id: int, version: int) -> Like:
    return Like(user, TweetId(tweet_id), DEE, Version(version))


def told(of: Like, *, now: bool) -> LikeChanged:
    return LikeChanged(of.user_id, of.tweet_id, of.tweet_author, now, of.version)


async def test_a_like_is_held_until_it_is_taken_back(stores: Stores) -> None:
    given = like(ANA, 1, 10)
    assert await stores.likes.holds(ANA, TweetId(1)) is None
    assert await stores.likes.add(given) is not None
    assert await stores.likes.holds(ANA, TweetId(1)) == given
    assert await stores.likes.holds(ANA, TweetId(2)) is None
    assert await stores.likes.holds(BEN, TweetId(1)) is None
    assert await stores.likes.remove(ANA, TweetId(1)) is not None
    assert await stores.likes.holds(ANA, TweetId(1)) is None


async def test_each_change_is_announced_once_with_the_version_of_the_like(stores: Stores) -> None:
    given = like(ANA, 1, 10)
    await stores.likes.add(given)
    assert await stores.likes.add(like(ANA, 1, 11)) is None
    assert await stores.likes.holds(ANA, TweetId(1)) == given
    await stores.likes.remove(ANA, TweetId(1))
    assert await stores.likes.remove(ANA, TweetId(1)) is None
    assert await stores.left() == [told(given, now=True), told(given, now=False)]


async def test_a_like_can_be_given_again(stores: Stores) -> None:
    await stores.likes.add(like(ANA, 1, 10))
    await stores.likes.remove(ANA, TweetId(1))
    assert await stores.likes.add(like(ANA, 1, 12)) is not None
    assert await stores.likes.of_tweet(TweetId(1), None, 9) == [like(ANA, 1, 12)]


async def test_which_tweets_a_user_likes(stores: Stores) -> None:
    for given in (like(ANA, 1, 10), like(ANA, 3, 11), like(BEN, 2, 12)):
        await stores.likes.add(given)
    assert await stores.likes.liked_among(ANA, ids(1, 2, 3)) == {1, 3}
    assert await stores.likes.liked_among(ANA, []) == set()
    assert await stores.likes.liked_among(CEM, ids(1, 2, 3)) == set()


async def test_the_likes_of_a_tweet_are_newest_first(stores: Stores) -> None:
    for user, version in ((ANA, 11), (BEN, 13), (CEM, 12)):
        await stores.likes.add(like(user, 1, version))
    await stores.likes.add(like(DEE, 2, 14))
    assert [each.user_id for each in await stores.likes.of_tweet(TweetId(1), None, 2)] == [BEN, CEM]
    assert await stores.likes.of_tweet(TweetId(1), Version(12), 9) == [like(ANA, 1, 11)]


async def test_the_likes_of_a_user_are_newest_like_first(stores: Stores) -> None:
    for tweet_id, version in ((1, 13), (2, 11), (3, 12)):
        await stores.likes.add(like(ANA, tweet_id, version))
    await stores.likes.add(like(BEN, 4, 14))
    assert [each.tweet_id for each in await stores.likes.by_user(ANA, None, 2)] == [1, 3]
    assert await stores.likes.by_user(ANA, Version(12), 9) == [like(ANA, 2, 11)]


async def test_the_newest_liked_tweets_are_those_with_the_greatest_ids(stores: Stores) -> None:
    for tweet_id, version in ((1, 13), (2, 11), (3, 12)):
        await stores.likes.add(like(ANA, tweet_id, version))
    assert await stores.likes.newest_liked(ANA, 2) == [3, 2]
    assert await stores.likes.newest_liked(BEN, 2) == []


async def test_a_like_taken_back_is_in_no_list(stores: Stores) -> None:
    await stores.likes.add(like(ANA, 1, 10))
    await stores.likes.add(like(BEN, 1, 11))
    await stores.likes.remove(ANA, TweetId(1))
    assert await stores.likes.of_tweet(TweetId(1), None, 9) == [like(BEN, 1, 11)]
    assert await stores.likes.by_user(ANA, None, 9) == []
    assert await stores.likes.newest_liked(ANA, 9) == []
    assert await stores.likes.liked_among(ANA, ids(1)) == set()
