"""The CountStore contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.store_adapters import ANA, BEN, CEM, DEE, STORES, Stores, quote, reply, retweet, tweet
from roost.domain.events import Counted
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import TweetCounts
from roost.domain.user import UserCounts
from roost.ports.likes import Like

ORIGINAL = tweet(1, ANA)


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


async def test_what_was_never_counted_has_none_of_anything(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    await stores.post(reply(2, ORIGINAL))
    assert await stores.counts.tweets([ORIGINAL.id, TweetId(9)]) == {1: TweetCounts(), 9: TweetCounts()}
    assert await stores.counts.users([ANA]) == {ANA: UserCounts()}
    assert await stores.counts.users([]) == {}


async def test_a_tweet_counts_what_was_done_to_it(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    for id, user in ((10, BEN), (20, CEM), (30, DEE)):
        await stores.post(reply(id, ORIGINAL, user))
    for id, user in ((11, BEN), (21, CEM)):
        await stores.post(quote(id, ORIGINAL, user))
    await stores.post(retweet(12, ORIGINAL, BEN))
    for version, user in enumerate((ANA, BEN, CEM, DEE)):
        await stores.likes.add(Like(user, ORIGINAL.id, ANA, Version(version)))
    await stores.counts.recount([ORIGINAL.id], [], Version(1))
    assert await stores.counts.tweets([ORIGINAL.id]) == {1: TweetCounts(replies=3, retweets=1, likes=4, quotes=2)}


async def test_what_was_undone_does_not_count(stores: Stores) -> None:
    acts = [reply(2, ORIGINAL, BEN), retweet(3, ORIGINAL, BEN), quote(4, ORIGINAL, BEN)]
    for posted in (ORIGINAL, *acts):
        await stores.post(posted)
    await stores.likes.add(Like(BEN, ORIGINAL.id, ANA, Version(1)))
    await stores.counts.recount([ORIGINAL.id], [BEN], Version(1))
    for act in acts:
        await stores.delete(act)
    await stores.likes.remove(BEN, ORIGINAL.id)
    await stores.counts.recount([ORIGINAL.id], [BEN], Version(2))
    assert await stores.counts.tweets([ORIGINAL.id]) == {1: TweetCounts()}
    assert await stores.counts.users([BEN]) == {BEN: UserCounts()}


async def test_a_user_counts_tweets_and_accepted_follows_both_ways(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    await stores.post(reply(2, ORIGINAL, ANA))
    for version, (subject, object) in enumerate(((BEN, ANA), (CEM, ANA), (ANA, BEN)), start=1):
        await stores.follow(subject, object, version)
    for kind in (RelationKind.REQUEST, RelationKind.MUTE):
        await stores.relations.add(Relation(kind, DEE, ANA, Version(9)), following_max=100)
    await stores.counts.recount([], [ANA, DEE], Version(1))
    assert await stores.counts.users([ANA, DEE]) == {ANA: UserCounts(2, 2, 1), DEE: UserCounts()}


async def test_counts_are_announced_as_they_are_kept(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    await stores.post(reply(2, ORIGINAL, BEN))
    await stores.counts.recount([ORIGINAL.id], [BEN], Version(5))
    told = [event for event in await stores.left() if isinstance(event, Counted)]
    assert told == [Counted(((ORIGINAL.id, TweetCounts(replies=1)),), ((BEN, UserCounts(tweets=1)),), Version(5))]


async def test_counting_again_changes_nothing(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    await stores.post(reply(2, ORIGINAL, BEN))
    for version in (1, 1, 2):
        await stores.counts.recount([ORIGINAL.id], [BEN], Version(version))
        assert await stores.counts.tweets([ORIGINAL.id]) == {1: TweetCounts(replies=1)}
        assert await stores.counts.users([BEN]) == {BEN: UserCounts(tweets=1)}


async def test_an_older_count_does_not_replace_a_newer_one(stores: Stores) -> None:
    await stores.post(ORIGINAL)
    await stores.counts.recount([ORIGINAL.id], [ANA], Version(5))
    await stores.post(reply(2, ORIGINAL, ANA))
    await stores.counts.recount([ORIGINAL.id], [ANA], Version(4))
    assert await stores.counts.tweets([ORIGINAL.id]) == {1: TweetCounts()}
    assert await stores.counts.users([ANA]) == {ANA: UserCounts(tweets=1)}


async def test_thousands_are_counted_at_once_and_each_is_announced(stores: Stores) -> None:
    tweets, users = [TweetId(id) for id in range(1, 1_203)], [UserId(id) for id in range(1, 702)]
    await stores.post(tweet(2_000, UserId(701), reply_to=TweetId(1_202), reply_to_author=ANA))
    await stores.counts.recount(tweets, users, Version(1))
    assert (await stores.counts.tweets(tweets))[TweetId(1_202)] == TweetCounts(replies=1)
    assert (await stores.counts.users(users))[UserId(701)] == UserCounts(tweets=1)
    told = [event for event in await stores.left() if isinstance(event, Counted)]
    assert sorted(id for event in told for id, _ in event.tweets) == tweets
    assert sorted(id for event in told for id, _ in event.users) == users


async def test_counting_nothing_announces_nothing(stores: Stores) -> None:
    await stores.counts.recount([], [], Version(1))
    assert await stores.left() == []
