"""The ContentStore contract."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.account_store_adapters import (
    ANA,
    BEN,
    STORES,
    Stores,
    account,
    memory_stores,
    pending,
    ready,
    user,
)
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.domain.content import Content, Digest
from roost.domain.errors import Invalid, QuotaExceeded
from roost.domain.ids import ContentId, TweetId, Version

QUOTA_BYTES = 1_000_000


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


async def keep(stores: Stores, *contents: Content) -> None:
    for each in contents:
        await stores.contents.add(each, QUOTA_BYTES)


async def test_a_row_is_answered_as_it_was_kept_and_the_missing_are_absent(stores: Stores) -> None:
    video = replace(ready("b"), duration_ms=12_000, alt="žluťoučký kůň")
    await keep(stores, pending("a"), video)
    answered = await stores.contents.get_many([ContentId("a"), ContentId("b"), ContentId("c")])
    assert answered == {"a": pending("a"), "b": video}
    assert await stores.contents.get_many([]) == {}


async def test_a_pending_row_becomes_a_ready_one_and_keeps_its_tweet(stores: Stores) -> None:
    await keep(stores, pending("a"))
    await stores.put_in_tweet(ContentId("a"), ANA, TweetId(7))
    await keep(stores, ready("a"), pending("a"))
    assert await stores.contents.get_many([ContentId("a")]) == {"a": replace(ready("a"), tweet_id=TweetId(7))}


async def test_the_quota_may_be_filled_and_not_passed(stores: Stores) -> None:
    await stores.contents.add(pending("a", reserved_bytes=60), 100)
    await stores.contents.add(pending("b", reserved_bytes=40), 100)
    with pytest.raises(QuotaExceeded):
        await stores.contents.add(pending("c", reserved_bytes=1), 100)
    assert list(await stores.contents.get_many([ContentId("c")])) == []
    await stores.contents.add(pending("d", BEN, reserved_bytes=100), 100)


async def test_the_quota_counts_the_bytes_of_a_completed_upload_in_place_of_the_reserved_ones(stores: Stores) -> None:
    await stores.contents.add(pending("a", reserved_bytes=100), 150)
    await stores.contents.add(ready("a", byte_size=100), 150)
    await stores.contents.add(pending("b", reserved_bytes=10), 150)
    with pytest.raises(QuotaExceeded):
        await stores.contents.add(ready("b", byte_size=10), 150)
    assert await stores.contents.get_many([ContentId("b")]) == {"b": pending("b", reserved_bytes=10)}


async def test_room_is_free_again_after_a_removal(stores: Stores) -> None:
    await stores.contents.add(pending("a", reserved_bytes=100), 100)
    await stores.contents.remove([ContentId("a")])
    await stores.contents.add(pending("b", reserved_bytes=100), 100)


async def test_uploads_at_once_do_not_pass_the_quota_together(stores: Stores) -> None:
    uploads = [stores.contents.add(pending(f"c{number}", reserved_bytes=30), 100) for number in range(8)]
    outcomes = await asyncio.gather(*uploads, return_exceptions=True)
    assert sum(isinstance(outcome, QuotaExceeded) for outcome in outcomes) == 5
    assert len(await stores.contents.of_owner(ANA, None, 10)) == 3


async def test_contents_of_an_owner_are_walked_by_id(stores: Stores) -> None:
    await keep(stores, *(pending(id) for id in ("c", "a", "d", "b")), pending("e", BEN))
    assert [each.id for each in await stores.contents.of_owner(ANA, None, 3)] == ["a", "b", "c"]
    assert [each.id for each in await stores.contents.of_owner(ANA, ContentId("b"), 3)] == ["c", "d"]


async def test_what_is_old_and_in_no_tweet_and_no_profile_is_abandoned(stores: Stores) -> None:
    await keep(stores, *(ready(id, created_ms=1_000) for id in ("in a tweet", "in a profile", "nowhere")))
    await keep(stores, ready("younger", created_ms=2_000), pending("unfinished", created_ms=999))
    await stores.put_in_tweet(ContentId("in a tweet"), ANA, TweetId(7))
    await stores.accounts.create(replace(user(), avatar=ContentId("in a profile")), account(), None, [])
    assert [each.id for each in await stores.contents.abandoned(2_000, 10)] == ["unfinished", "nowhere"]
    assert len(await stores.contents.abandoned(2_000, 1)) == 1
    assert await stores.contents.abandoned(999, 10) == []


async def test_a_picture_is_abandoned_once_the_profile_shows_another(stores: Stores) -> None:
    await keep(stores, ready("old"), ready("new"))
    await stores.accounts.create(replace(user(), avatar=ContentId("old")), account(), None, [])
    await stores.accounts.save_user(replace(user(), avatar=ContentId("new"), version=Version(2)), [])
    assert [each.id for each in await stores.contents.abandoned(2_000, 10)] == ["old"]


async def test_removing_answers_the_digests_that_nothing_names_any_more(stores: Stores) -> None:
    await keep(
        stores,
        ready("a", digest="shared", preview="of a"),
        ready("b", BEN, digest="shared", preview="of b"),
        ready("c", digest="of c", preview="of b"),
        pending("d"),
    )
    assert list(await stores.contents.remove([ContentId("a"), ContentId("d"), ContentId("none")])) == ["of a"]
    assert sorted(await stores.contents.remove([ContentId("b"), ContentId("c")])) == ["of b", "of c", "shared"]
    assert await stores.contents.of_owner(ANA, None, 10) == []


async def test_bytes_that_are_another_contents_preview_stay(stores: Stores) -> None:
    await keep(stores, ready("a", digest="small", preview="small"), ready("b", digest="large", preview="small"))
    assert await stores.contents.remove([ContentId("a")]) == []
    assert sorted(await stores.contents.remove([ContentId("b")])) == ["large", "small"]


async def test_uploads_that_broke_off_are_found_and_ready_contents_are_not(stores: Stores) -> None:
    await keep(stores, ready("ready"), pending("late", created_ms=1_999), pending("later", created_ms=2_000))
    await keep(stores, pending("early"))
    assert [each.id for each in await stores.contents.unfinished(2_000, 10)] == ["early", "late"]
    assert [each.id for each in await stores.contents.unfinished(2_000, 1)] == ["early"]


async def test_what_a_tweet_or_a_profile_has_is_not_removed_with_the_unclaimed(stores: Stores) -> None:
    await keep(stores, *(ready(id, digest=id, preview=id) for id in ("in a tweet", "in a profile", "nowhere")))
    await stores.put_in_tweet(ContentId("in a tweet"), ANA, TweetId(7))
    await stores.accounts.create(replace(user(), avatar=ContentId("in a profile")), account(), None, [])
    ids = [ContentId(id) for id in ("in a tweet", "in a profile", "nowhere", "missing")]
    assert await stores.contents.remove_unclaimed(ids) == ["nowhere"]
    assert sorted(await stores.contents.get_many(ids)) == ["in a profile", "in a tweet"]


async def test_digests_that_rows_name_are_told_from_those_that_none_does(stores: Stores) -> None:
    await keep(stores, ready("a", digest="original", preview="small"), pending("b"))
    digests = [Digest(digest) for digest in ("original", "small", "nobody's")]
    assert set(await stores.contents.named(digests)) == {"original", "small"}
    assert not await stores.contents.named([])


@pytest.mark.parametrize("bad", ["missing", "anothers", "in another tweet"])
async def test_contents_are_claimed_all_or_none(bad: str) -> None:
    contents = memory_stores().contents
    assert isinstance(contents, MemoryContentStore)
    for each in (ready("good"), ready("anothers", BEN), replace(ready("in another tweet"), tweet_id=TweetId(6))):
        await contents.add(each, QUOTA_BYTES)
    with pytest.raises(Invalid) as refused:
        contents.claim(ANA, [ContentId("good"), ContentId(bad)], TweetId(7))
    assert [each.field for each in refused.value.fields] == ["content_ids"]
    assert await contents.get_many([ContentId("good")]) == {"good": ready("good")}
    contents.claim(ANA, [ContentId("good")], TweetId(7))
    contents.claim(ANA, [ContentId("good")], TweetId(7))
    assert (await contents.get_many([ContentId("good")]))[ContentId("good")].tweet_id == TweetId(7)
