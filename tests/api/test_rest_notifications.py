"""Notifications over REST: what is told, and what is left out when it is read."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from api.rest_pages import walk_down
from api.waiting import eventually
from roost.domain.ids import UserId, ms_of
from roost.edge.native.shapes import NotificationPage
from roost.queries.notifications import Notifications


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def ada(server: NativeServer) -> Person:
    return await server.join("ada")


@pytest_asyncio.fixture
async def bo(server: NativeServer) -> Person:
    return await server.join("bo")


async def _kinds(person: Person) -> list[str]:
    await person.server.settled("notify")
    return [one["kind"] for one in (await person.get("/notifications")).json()["notifications"]]


async def _each_kind(ada: Person, bo: Person) -> str:
    """What bo does to ada, and the id of the tweet that he does it to."""
    id: str = (await ada.tweet("hello"))["tweet_id"]
    await bo.does("POST", f"/user/{ada.id}/follow")
    await bo.does("POST", f"/tweet/{id}/like")
    await bo.tweet("", ReplyToTweetId=id)
    await bo.tweet("look", QuoteTweetId=id)
    await bo.tweet("hi", ReplyToTweetId=id)
    await bo.tweet("and you, @ada?")
    return id


KINDS_NEWEST_FIRST = ["mention", "reply", "quote", "retweet", "like", "follow"]


async def test_each_act_of_another_is_told_once_in_the_documented_shape(ada: Person, bo: Person) -> None:
    id = await _each_kind(ada, bo)
    assert await _kinds(ada) == KINDS_NEWEST_FIRST
    page = msgspec.json.decode((await ada.get("/notifications")).content, type=NotificationPage, strict=True)
    by_kind = {one.kind: one for one in page.notifications}
    assert {one.user.username for one in page.notifications} == {"bo"}
    like, retweet = by_kind["like"].tweet, by_kind["retweet"].tweet
    assert like is not None
    assert retweet is not None
    assert retweet.retweet_of is not None
    assert like.tweet_id == retweet.retweet_of.tweet_id == id
    assert by_kind["follow"].tweet is None
    assert await _kinds(bo) == []


async def test_what_one_does_to_oneself_is_not_told(ada: Person) -> None:
    id = (await ada.tweet("hello @ada"))["tweet_id"]
    await ada.does("POST", f"/tweet/{id}/like")
    await ada.tweet("hi", ReplyToTweetId=id)
    assert await _kinds(ada) == []


async def test_a_request_to_follow_is_told(server: NativeServer, ada: Person) -> None:
    shy = await server.join("shy", protected=True)
    await ada.does("POST", f"/user/{shy.id}/follow", 202)
    assert await _kinds(shy) == ["follow_request"]


@pytest.mark.parametrize(("way", "undo"), [("mute", True), ("block", False)])
async def test_a_mute_and_a_block_leave_out_all_acts_and_a_mute_ends(
    ada: Person, bo: Person, way: str, undo: bool
) -> None:
    await _each_kind(ada, bo)
    assert await _kinds(ada) == KINDS_NEWEST_FIRST
    await ada.does("POST", f"/user/{bo.id}/{way}")
    assert await _kinds(ada) == []
    if undo:
        await ada.does("DELETE", f"/user/{bo.id}/{way}")
        assert await _kinds(ada) == KINDS_NEWEST_FIRST


async def test_what_a_protected_user_says_is_told_to_accepted_followers_only(server: NativeServer, ada: Person) -> None:
    shy = await server.join("shy", protected=True)
    await shy.tweet("psst, @ada")
    assert await _kinds(ada) == []
    await ada.does("POST", f"/user/{shy.id}/follow", 202)
    await shy.does("POST", f"/follow-requests/{ada.id}/accept")
    assert await _kinds(ada) == ["mention"]


async def test_what_is_undone_or_deleted_is_told_no_more(server: NativeServer, ada: Person, bo: Person) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    reply = await bo.tweet("hi", ReplyToTweetId=id)
    # An answer's id is a millisecond above that of what it answers, be the clock there or not.
    clock = server.node.engines.clock
    await eventually(lambda: clock.now_ms() > ms_of(int(reply["tweet_id"])))
    await bo.does("POST", f"/tweet/{id}/like")
    await bo.does("POST", f"/user/{ada.id}/follow")
    assert await _kinds(ada) == ["follow", "like", "reply"]
    await bo.does("DELETE", f"/tweet/{reply['tweet_id']}")
    await bo.does("DELETE", f"/tweet/{id}/like")
    await bo.does("DELETE", f"/user/{ada.id}/follow")
    assert await _kinds(ada) == []


async def test_acts_on_a_deleted_tweet_and_of_a_deleted_user_are_left_out(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    await bo.does("POST", f"/tweet/{id}/like")
    await bo.does("POST", f"/user/{ada.id}/follow")
    assert await _kinds(ada) == ["follow", "like"]
    await ada.does("DELETE", f"/tweet/{id}")
    assert await _kinds(ada) == ["follow"]
    await server.change(bo, deleted=True)
    assert await _kinds(ada) == []


async def test_pages_are_full_though_much_is_left_out(server: NativeServer, ada: Person, bo: Person) -> None:
    muted = await server.join("muted")
    for n in range(12):
        await bo.tweet(f"@ada {n}")
        for _ in range(3):
            await muted.tweet("@ada again")
    await ada.does("POST", f"/user/{muted.id}/mute")
    await server.settled("notify")
    first = (await ada.get("/notifications", limit=5)).json()
    assert len(first["notifications"]) == 5
    all = await walk_down(server, "/notifications", "notifications", ada, limit=5)
    assert [one["tweet"]["message"] for one in all] == [f"@ada {n}" for n in range(11, -1, -1)]


async def test_one_notification_is_judged_as_a_page_is(server: NativeServer, ada: Person, bo: Person) -> None:
    views, stores = server.node.views, server.node.engines.stores
    query = Notifications(stores.notifications, views.users, views.relations, views.sight)
    await bo.tweet("@ada hello")
    await server.settled("notify")
    kept = await stores.notifications.page(ada.user.id, None, 1)
    seen = await query.one(ada.user.id, kept[0].id)
    assert seen is not None
    assert seen.actor.id == bo.user.id
    assert await query.one(ada.user.id, 1) is None
    assert await query.one(UserId(1), kept[0].id) is None
    await ada.does("POST", f"/user/{bo.id}/mute")
    assert await query.one(ada.user.id, kept[0].id) is None


async def test_notifications_are_for_who_is_signed_in(server: NativeServer) -> None:
    assert (await server.get("/notifications")).status_code == 401
