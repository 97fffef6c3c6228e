"""The TweetStore contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.store_adapters import (
    ANA,
    BEN,
    CEM,
    NOW_MS,
    STORES,
    Stores,
    content,
    ids,
    quote,
    ref,
    reply,
    retweet,
    tweet,
)
from roost.domain.errors import Invalid, RefReused
from roost.domain.events import TweetDeleted, TweetPosted
from roost.domain.ids import ID_MAX, ContentId, TweetId, Version
from roost.domain.text import Cashtag, Hashtag, Url
from roost.domain.timeline import Page
from roost.domain.tweet import REF_KEPT_MS, Audience, MentionedUser, Tweet


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


FULL = Tweet(
    TweetId(ID_MAX - 1),
    ANA,
    "#tag @ben https://a.example $ABC \U0001f426 e\u0301 \x00",
    Version(ID_MAX),
    hashtags=(Hashtag("tag", 0, 4),),
    mentions=(MentionedUser("ben", BEN, 5, 9),),
    urls=(Url("https://a.example", 10, 27),),
    cashtags=(Cashtag("ABC", 28, 32),),
    content=(ContentId("c1"), ContentId("c2")),
    reply_to=TweetId(7),
    reply_to_author=BEN,
    quote_of=TweetId(8),
    quote_of_author=CEM,
    audience=Audience.FOLLOWERS,
    lang="en",
    client_time="2026-11-22T10:00:00Z",
    fanned_out=False,
)


async def test_a_tweet_comes_back_whole(stores: Stores) -> None:
    for id in ("c1", "c2"):
        await stores.contents.add(content(id), quota_bytes=100)
    for posted in (FULL, tweet(5), retweet(6, FULL)):
        await stores.post(posted)
        kept = (await stores.tweets.get_many([posted.id]))[posted.id]
        assert kept == posted
        assert hash(kept) == hash(posted)
        assert type(kept) is Tweet
        assert type(kept.audience) is Audience


async def test_a_missing_tweet_is_absent(stores: Stores) -> None:
    await stores.post(tweet(1))
    assert await stores.tweets.get_many(ids(1, 9)) == {1: tweet(1)}
    assert await stores.tweets.get_many([]) == {}


async def test_a_thousand_tweets_are_got_at_once(stores: Stores) -> None:
    for id in range(1, 1_001):
        await stores.post(tweet(id))
    assert list(await stores.tweets.get_many(range(1, 1_001))) == list(range(1, 1_001))  # type: ignore[arg-type]  # ints


async def test_a_post_is_announced_where_it_says(stores: Stores) -> None:
    posted = await stores.post(tweet(1))
    assert (posted.tweet_id, posted.repeated) == (1, False)
    assert await stores.left() == [TweetPosted.of(tweet(1))]
    assert posted.position is not None
    assert stores.log.is_reached(posted.position, by=await stores.log.end())
    assert await stores.log.read(posted.position, 10) == []


async def test_adding_the_same_id_again_changes_nothing(stores: Stores) -> None:
    await stores.post(tweet(1, message="first"))
    again = await stores.post(tweet(1, message="second"))
    assert (again.tweet_id, again.repeated) == (1, True)
    assert await stores.tweets.get_many(ids(1)) == {1: tweet(1, message="first")}
    assert len(await stores.left()) == 1


async def test_a_tombstone_is_not_posted_over(stores: Stores) -> None:
    await stores.post(tweet(1))
    await stores.delete(tweet(1))
    assert (await stores.post(tweet(1))).repeated
    assert (await stores.tweets.get_many(ids(1)))[TweetId(1)].deleted


async def test_the_same_ref_posts_once(stores: Stores) -> None:
    first = await stores.post(tweet(1), ref())
    again = await stores.post(tweet(2), ref())
    assert (again.tweet_id, again.repeated) == (1, True)
    assert again.position in {first.position, None}
    assert await stores.tweets.get_many(ids(2)) == {}
    assert await stores.tweets.by_author(ANA, Page()) == [1]
    assert await stores.left() == [TweetPosted.of(tweet(1))]


async def test_a_ref_is_one_namespace_a_user(stores: Stores) -> None:
    await stores.post(tweet(1), ref())
    await stores.post(tweet(2), ref("r2"))
    await stores.post(tweet(3, BEN), ref(user_id=BEN))
    assert await stores.tweets.newest_id() == 3


async def test_a_ref_with_another_payload_is_refused(stores: Stores) -> None:
    await stores.post(tweet(1), ref(digest=b"one"))
    with pytest.raises(RefReused):
        await stores.post(tweet(2), ref(digest=b"two"))
    assert await stores.tweets.get_many(ids(2)) == {}
    assert len(await stores.left()) == 1


async def test_a_ref_is_free_again_once_it_has_expired(stores: Stores) -> None:
    await stores.post(tweet(1), ref(digest=b"one", at_ms=NOW_MS))
    last_ms = NOW_MS + REF_KEPT_MS - 1
    with pytest.raises(RefReused):
        await stores.post(tweet(2), ref(digest=b"two", at_ms=last_ms))
    assert not (await stores.post(tweet(2), ref(digest=b"two", at_ms=last_ms + 1))).repeated
    assert await stores.tweets.posted_by_ref(ANA, "r1", last_ms + 1) == (2, b"two")


async def test_a_ref_is_looked_up_while_it_lasts(stores: Stores) -> None:
    await stores.post(tweet(1), ref())
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS) == (1, b"d1")
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS + REF_KEPT_MS - 1) == (1, b"d1")
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS + REF_KEPT_MS) is None
    assert await stores.tweets.posted_by_ref(ANA, "r2", NOW_MS) is None
    assert await stores.tweets.posted_by_ref(BEN, "r1", NOW_MS) is None
    assert await stores.tweets.posted_by_ref(ANA, "half a pair \ud800", NOW_MS) is None


async def test_a_ref_outlives_its_tweet(stores: Stores) -> None:
    await stores.post(tweet(1), ref())
    await stores.delete(tweet(1))
    assert (await stores.post(tweet(2), ref())).tweet_id == 1
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS) == (1, b"d1")


async def test_expired_refs_do_not_pile_up_in_the_way_of_new_ones(stores: Stores) -> None:
    for id in range(1, 30):
        await stores.post(tweet(id), ref(f"r{id}", at_ms=NOW_MS + id * REF_KEPT_MS))
    assert await stores.tweets.posted_by_ref(ANA, "r29", NOW_MS + 29 * REF_KEPT_MS) == (29, b"d1")
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS + 29 * REF_KEPT_MS) is None


async def test_retweeting_again_answers_the_first_retweet(stores: Stores) -> None:
    await stores.post(tweet(1, BEN))
    await stores.post(retweet(2, tweet(1, BEN)))
    again = await stores.post(retweet(3, tweet(1, BEN)), ref())
    assert (again.tweet_id, again.repeated) == (2, True)
    assert await stores.tweets.get_many(ids(3)) == {}
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS) == (2, b"d1")
    assert not (await stores.post(retweet(4, tweet(1, BEN), CEM))).repeated
    assert len(await stores.left()) == 3


async def test_an_undone_retweet_can_be_made_again(stores: Stores) -> None:
    await stores.post(tweet(1, BEN))
    await stores.post(retweet(2, tweet(1, BEN)))
    await stores.delete(retweet(2, tweet(1, BEN)))
    assert await stores.tweets.retweeted_by(ANA, ids(1)) == {}
    assert not (await stores.post(retweet(3, tweet(1, BEN)))).repeated
    assert await stores.tweets.retweeted_by(ANA, ids(1)) == {1: 3}


async def test_content_becomes_the_tweets_own(stores: Stores) -> None:
    await stores.contents.add(content("c1"), quota_bytes=100)
    await stores.post(tweet(1, content=(ContentId("c1"),)))
    assert (await stores.contents.get_many([ContentId("c1")]))[ContentId("c1")].tweet_id == 1


@pytest.mark.parametrize("taken", ["missing", "another's", "in a tweet"])
async def test_content_that_is_not_free_is_refused_and_nothing_is_kept(stores: Stores, taken: str) -> None:
    await stores.contents.add(content("free"), quota_bytes=100)
    if taken != "missing":
        await stores.contents.add(content(taken, BEN if taken == "another's" else ANA), quota_bytes=100)
    if taken == "in a tweet":
        await stores.post(tweet(1, content=(ContentId(taken),)))
    with pytest.raises(Invalid) as refused:
        await stores.post(tweet(2, content=(ContentId("free"), ContentId(taken))), ref())
    assert [field.field for field in refused.value.fields] == ["content_ids"]
    assert (await stores.contents.get_many([ContentId("free")]))[ContentId("free")].tweet_id is None
    assert await stores.tweets.get_many(ids(2)) == {}
    assert await stores.tweets.posted_by_ref(ANA, "r1", NOW_MS) is None
    assert [event for event in await stores.left() if isinstance(event, TweetPosted) and event.tweet_id == 2] == []


async def test_an_authors_tweets_are_paged_both_ways(stores: Stores) -> None:
    for id in (3, 1, 2, 5, 4):
        await stores.post(tweet(id))
    await stores.post(tweet(9, BEN))
    assert await stores.tweets.by_author(ANA, Page(2)) == ids(5, 4)
    assert await stores.tweets.by_author(ANA, Page(2, before=TweetId(4))) == ids(3, 2)
    assert await stores.tweets.by_author(ANA, Page(2, after=TweetId(1))) == ids(3, 2)
    assert await stores.tweets.by_author(ANA, Page(9, after=TweetId(5))) == []
    assert await stores.tweets.by_author(CEM, Page()) == []


async def test_many_authors_tweets_are_one_list(stores: Stores) -> None:
    for id in range(1, 31):
        await stores.post(tweet(id, (ANA, BEN, CEM)[id % 3]))
    two = [id for id in range(30, 0, -1) if id % 3 != 2]
    tweets = stores.tweets
    assert await tweets.by_authors([ANA, BEN], None, None, 100) == two
    assert await tweets.by_authors([ANA, BEN, ANA], None, None, 5) == two[:5]
    assert await tweets.by_authors([ANA, BEN], TweetId(16), None, 3) == ids(15, 13, 12)
    assert await tweets.by_authors([ANA, BEN], None, TweetId(16), 3) == ids(21, 19, 18)
    assert await tweets.by_authors([ANA, BEN], TweetId(25), TweetId(16), 3) == ids(24, 22, 21)
    assert await tweets.by_authors([ANA, BEN], TweetId(18), TweetId(15), 3) == ids(16)
    assert await tweets.by_authors([], None, None, 5) == []


async def test_replies_are_oldest_first(stores: Stores) -> None:
    await stores.post(tweet(1))
    for id in (4, 2, 3):
        await stores.post(reply(id, tweet(1), BEN))
    assert await stores.tweets.replies_to(TweetId(1), None, 2) == ids(2, 3)
    assert await stores.tweets.replies_to(TweetId(1), TweetId(2), 9) == ids(3, 4)
    assert await stores.tweets.replies_to(TweetId(2), None, 9) == []


async def test_retweets_and_quotes_are_newest_first(stores: Stores) -> None:
    await stores.post(tweet(1))
    for id, author in ((2, BEN), (4, CEM), (3, ANA)):
        await stores.post(retweet(id, tweet(1), author))
        await stores.post(quote(id + 10, tweet(1), author))
    assert await stores.tweets.retweets_of(TweetId(1), None, 2) == ids(4, 3)
    assert await stores.tweets.retweets_of(TweetId(1), TweetId(3), 9) == ids(2)
    assert await stores.tweets.quotes_of(TweetId(1), None, 2) == ids(14, 13)
    assert await stores.tweets.quotes_of(TweetId(1), TweetId(13), 9) == ids(12)


async def test_a_users_retweets_are_known_by_their_originals(stores: Stores) -> None:
    originals = [tweet(id, BEN) for id in (1, 2, 3)]
    for original, id in zip(originals, (13, 12, 11), strict=True):
        await stores.post(original)
        await stores.post(retweet(id, original))
    assert await stores.tweets.retweeted_by(ANA, ids(1, 3, 9)) == {1: 13, 3: 11}
    assert await stores.tweets.retweeted_by(BEN, ids(1, 3)) == {}
    assert await stores.tweets.retweets_by(ANA, 2) == ids(3, 2)
    assert await stores.tweets.retweets_by(BEN, 2) == []


async def test_a_deleted_tweet_is_a_tombstone_out_of_all_lists(stores: Stores) -> None:
    original = tweet(1, BEN)
    await stores.post(original)
    for gone in (reply(2, original), retweet(3, original), quote(4, original)):
        await stores.post(gone)
        assert await stores.delete(gone) is not None
        kept = (await stores.tweets.get_many([gone.id]))[gone.id]
        assert (kept.deleted, kept.message, kept.version) == (True, gone.message, 1_000)
    assert await stores.tweets.by_author(ANA, Page()) == []
    assert await stores.tweets.replies_to(original.id, None, 9) == []
    assert await stores.tweets.retweets_of(original.id, None, 9) == []
    assert await stores.tweets.quotes_of(original.id, None, 9) == []
    assert await stores.tweets.retweets_by(ANA, 9) == []
    assert await stores.tweets.by_author(BEN, Page()) == [1]


async def test_what_answered_a_deleted_tweet_stays(stores: Stores) -> None:
    original = tweet(1, BEN)
    for posted in (original, reply(2, original), retweet(3, original), quote(4, original)):
        await stores.post(posted)
    await stores.delete(original)
    assert await stores.tweets.by_author(ANA, Page()) == ids(4, 3, 2)
    assert await stores.tweets.replies_to(original.id, None, 9) == ids(2)


async def test_deleting_is_announced_once(stores: Stores) -> None:
    await stores.post(tweet(1))
    assert await stores.delete(tweet(1)) is not None
    assert await stores.delete(tweet(1), version=2_000) is None
    assert await stores.delete(tweet(2)) is None
    assert await stores.left() == [TweetPosted.of(tweet(1)), TweetDeleted(TweetId(1), ANA, Version(1_000))]


async def test_only_tombstones_forget_their_message(stores: Stores) -> None:
    tagged = tweet(1, message="#tag", hashtags=(Hashtag("tag", 0, 4),))
    await stores.post(tagged)
    await stores.post(tweet(2))
    await stores.delete(tagged)
    await stores.tweets.forget_message(ids(1, 2, 3))
    kept = await stores.tweets.get_many(ids(1, 2))
    assert (kept[TweetId(1)].message, kept[TweetId(1)].hashtags, kept[TweetId(1)].deleted) == ("", (), True)
    assert kept[TweetId(2)] == tweet(2)


async def test_a_scan_passes_every_tweet_once_tombstones_included(stores: Stores) -> None:
    for id in (5, 3, 8, 1):
        await stores.post(tweet(id))
    await stores.delete(tweet(3))
    assert [(each.id, each.deleted) for each in await stores.tweets.scan(TweetId(0), 3)] == [
        (1, False),
        (3, True),
        (5, False),
    ]
    assert [each.id for each in await stores.tweets.scan(TweetId(5), 3)] == [8]
    assert await stores.tweets.scan(TweetId(8), 3) == []


async def test_the_newest_id_counts_tombstones_too(stores: Stores) -> None:
    assert await stores.tweets.newest_id() == 0
    await stores.post(tweet(5))
    await stores.post(tweet(3))
    await stores.delete(tweet(5))
    assert await stores.tweets.newest_id() == 5
