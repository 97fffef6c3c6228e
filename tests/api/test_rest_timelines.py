"""Timelines over REST: whose they are, how they are paged, what is left out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from api.rest_pages import walk_down


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


async def _messages(person: Person, owner: Person, **query: object) -> list[str]:
    response = await person.get(f"/user/timeline/{owner.id}", **query)
    assert response.status_code == 200, response.text
    return [tweet["message"] for tweet in response.json()["tweets"]]


async def test_a_home_timeline_has_what_the_followed_post_and_ones_own(ada: Person, bo: Person) -> None:
    await bo.tweet("before the follow")
    await ada.does("POST", f"/user/{bo.id}/follow")
    await ada.tweet("mine")
    await bo.tweet("after it")
    assert await _messages(ada, ada, timeline="home") == ["after it", "mine", "before the follow"]
    await ada.does("DELETE", f"/user/{bo.id}/follow")
    assert await _messages(ada, ada, timeline="home") == ["mine"]


async def test_a_home_timeline_is_its_owners_only(server: NativeServer, ada: Person, bo: Person) -> None:
    path = f"/user/timeline/{ada.id}"
    assert (await bo.get(path, timeline="home")).status_code == 403
    assert (await server.get(path, timeline="home")).status_code == 401
    assert (await server.get(path)).status_code == 200


async def test_the_filters_of_a_user_timeline_keep_replies_or_media(ada: Person, bo: Person) -> None:
    id = (await bo.tweet("hello"))["tweet_id"]
    await ada.tweet("plain")
    await ada.tweet("reply", ReplyToTweetId=id)
    assert await _messages(bo, ada, filter="replies") == ["reply"]
    assert await _messages(bo, ada, filter="none") == ["reply", "plain"]
    assert await _messages(bo, ada, filter="media") == []


async def test_walking_down_finds_each_tweet_once(server: NativeServer, ada: Person) -> None:
    posted = [(await ada.tweet(f"tweet {n}"))["tweet_id"] for n in range(25)]
    walked = await walk_down(server, f"/user/timeline/{ada.id}", "tweets", limit=10)
    assert [tweet["tweet_id"] for tweet in walked] == posted[::-1]


async def test_the_last_page_says_that_nothing_is_older(server: NativeServer, ada: Person) -> None:
    for n in range(10):
        await ada.tweet(f"tweet {n}")
    page = (await server.get(f"/user/timeline/{ada.id}", limit=10)).json()
    assert (len(page["tweets"]), page["before"]) == (10, None)


async def test_walking_up_skips_nothing(server: NativeServer, ada: Person) -> None:
    posted = [(await ada.tweet(f"tweet {n}"))["tweet_id"] for n in range(10)]
    path, after, walked = f"/user/timeline/{ada.id}", posted[0], [posted[0]]
    while True:
        page = (await server.get(path, limit=4, after=after)).json()
        if not page["tweets"]:
            break
        walked += [tweet["tweet_id"] for tweet in page["tweets"][::-1]]
        after = page["after"]
    assert walked == posted
    assert page["after"] == posted[-1]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"limit": "0"}, ["limit"]),
        ({"limit": "101"}, ["limit"]),
        ({"limit": "-1"}, ["limit"]),
        ({"limit": "ten"}, ["limit"]),
        ({"limit": ""}, ["limit"]),
        ({"limit": "1" * 400}, ["limit"]),
        ({"before": "x"}, ["before"]),
        ({"before": "-1"}, ["before"]),
        ({"after": "9223372036854775808"}, ["after"]),
        ({"after": "１２"}, ["after"]),  # digits, but not ASCII's
        ({"before": "1", "after": "2"}, ["before", "after"]),
        ({"limit": ["1", "2"]}, ["limit"]),
        ({"timeline": "all"}, ["timeline"]),
        ({"filter": "retweets"}, ["filter"]),
    ],
)
async def test_a_wrong_query_is_refused_by_its_field(
    server: NativeServer, ada: Person, query: dict[str, str], fields: list[str]
) -> None:
    refused = await server.get(f"/user/timeline/{ada.id}", **query)
    assert refused.status_code == 422, refused.text
    assert [error["field"] for error in refused.json()["errors"]] == fields


@pytest.mark.parametrize("id", ["-1", "0x1", "9223372036854775808", "1e3", "%31x", "ada"])
async def test_a_wrong_id_in_the_path_is_refused(server: NativeServer, id: str) -> None:
    refused = await server.get(f"/user/timeline/{id}")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "userId")


async def test_a_timeline_of_nobody_is_not_found(server: NativeServer) -> None:
    assert (await server.get("/user/timeline/12345")).status_code == 404


async def test_the_timeline_of_a_protected_user_is_for_accepted_followers(server: NativeServer, bo: Person) -> None:
    shy = await server.join("shy", protected=True)
    await shy.tweet("psst")
    path = f"/user/timeline/{shy.id}"
    assert (await bo.get(path)).status_code == 403
    assert (await server.get(path)).status_code == 403
    await bo.does("POST", f"/user/{shy.id}/follow", 202)
    assert (await bo.get(path)).status_code == 403
    await shy.does("POST", f"/follow-requests/{bo.id}/accept")
    assert await _messages(bo, shy) == ["psst"]
    assert await _messages(bo, bo, timeline="home") == ["psst"]


async def test_a_block_closes_the_user_timeline_both_ways(ada: Person, bo: Person) -> None:
    await ada.tweet("hello")
    await ada.does("POST", f"/user/{bo.id}/block")
    assert (await bo.get(f"/user/timeline/{ada.id}")).status_code == 403
    assert (await ada.get(f"/user/timeline/{bo.id}")).status_code == 403
    await ada.does("DELETE", f"/user/{bo.id}/block")
    assert await _messages(bo, ada) == ["hello"]


async def test_a_mute_hides_at_home_and_shows_on_the_user_timeline(ada: Person, bo: Person) -> None:
    await ada.does("POST", f"/user/{bo.id}/follow")
    await bo.tweet("hello")
    await ada.does("POST", f"/user/{bo.id}/mute")
    assert await _messages(ada, ada, timeline="home") == []
    assert await _messages(ada, bo) == ["hello"]
    await ada.does("DELETE", f"/user/{bo.id}/mute")
    assert await _messages(ada, ada, timeline="home") == ["hello"]


async def test_a_page_of_retweets_shows_the_originals_with_the_readers_flags(ada: Person, bo: Person) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    await bo.tweet("", ReplyToTweetId=id)
    await bo.does("POST", f"/tweet/{id}/like")
    retweet = (await bo.get(f"/user/timeline/{bo.id}")).json()["tweets"][0]
    assert retweet["retweet_of"]["tweet_id"] == id
    assert retweet["retweet_of"]["viewer"] == {"liked": True, "retweeted": True}
