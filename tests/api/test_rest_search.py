"""Search, hashtags, trends and finding users over REST."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from api.rest_pages import walk_down
from roost.edge.native.shapes import TrendList


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


async def _found(server: NativeServer, query: str, person: Person | None = None) -> list[str]:
    await server.settled("index")
    return [tweet["message"] for tweet in await walk_down(server, "/search", "tweets", person, q=query, limit=3)]


async def test_terms_are_all_required_and_the_newest_comes_first(server: NativeServer, ada: Person) -> None:
    for message in ("red fish", "blue fish", "red bird", "a red, red fish"):
        await ada.tweet(message)
    assert await _found(server, "red fish") == ["a red, red fish", "red fish"]
    assert await _found(server, "fish -blue") == ["a red, red fish", "red fish"]
    assert await _found(server, '"red red"') == ["a red, red fish"]
    assert await _found(server, "cat") == []


async def test_the_operators_of_people_take_names(server: NativeServer, ada: Person, bo: Person) -> None:
    id = (await ada.tweet("fish of ada"))["tweet_id"]
    await bo.tweet("fish of bo, @ada")
    await bo.tweet("fish for you", ReplyToTweetId=id)
    assert await _found(server, "fish from:ADA") == ["fish of ada"]
    assert await _found(server, "fish -from:ada") == ["fish for you", "fish of bo, @ada"]
    assert await _found(server, "fish to:ada") == ["fish for you"]
    assert await _found(server, "@ada") == ["fish of bo, @ada"]
    assert await _found(server, "is:reply") == ["fish for you"]
    assert await _found(server, "fish from:nobody") == []


async def test_retweets_are_found_only_when_asked_for(server: NativeServer, ada: Person, bo: Person) -> None:
    id = (await ada.tweet("fish"))["tweet_id"]
    await bo.tweet("", ReplyToTweetId=id)
    assert await _found(server, "from:bo") == []
    assert await _found(server, "from:bo is:retweet") == [""]


async def test_a_search_is_walked_to_its_end(server: NativeServer, ada: Person) -> None:
    for n in range(10):
        await ada.tweet(f"fish {n}")
    assert await _found(server, "fish") == [f"fish {n}" for n in range(9, -1, -1)]


async def test_a_deleted_tweet_is_found_no_more(server: NativeServer, ada: Person) -> None:
    id = (await ada.tweet("fish #tag"))["tweet_id"]
    assert await _found(server, "fish") == ["fish #tag"]
    await ada.does("DELETE", f"/tweet/{id}")
    assert await _found(server, "fish") == []


@pytest.mark.parametrize("audience", ["unlisted", "followers", "mentioned"])
async def test_only_public_tweets_are_in_search_hashtags_and_trends(
    server: NativeServer, ada: Person, bo: Person, audience: str
) -> None:
    await bo.does("POST", f"/user/{ada.id}/follow")
    await ada.tweet("fish #tag @bo", audience=audience)
    for person in (ada, bo, None):
        assert await _found(server, "fish", person) == []
        assert (await server.ask("GET", "/hashtag/tag", person)).json()["tweets"] == []
    assert (await server.get("/trends")).json()["trends"] == []


async def test_a_protected_users_tweets_are_found_by_him_and_his_followers(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    shy = await server.join("shy", protected=True)
    await ada.does("POST", f"/user/{shy.id}/follow", 202)
    await shy.does("POST", f"/follow-requests/{ada.id}/accept")
    await shy.tweet("fish #tag")
    for person, finds in ((shy, True), (ada, True), (bo, False), (None, False)):
        assert await _found(server, "fish", person) == ["fish #tag"] * finds
        tagged = (await server.ask("GET", "/hashtag/tag", person)).json()["tweets"]
        assert len(tagged) == finds
    assert (await server.get("/trends")).json()["trends"] == []


async def test_a_block_leaves_out_and_a_mute_does_not(server: NativeServer, ada: Person, bo: Person) -> None:
    await ada.tweet("fish")
    await bo.does("POST", f"/user/{ada.id}/mute")
    assert await _found(server, "fish", bo) == ["fish"]
    await ada.does("POST", f"/user/{bo.id}/block")
    assert await _found(server, "fish", bo) == []


async def test_a_page_is_full_though_much_is_left_out(server: NativeServer, ada: Person, bo: Person) -> None:
    for n in range(6):
        await ada.tweet(f"fish {n}")
        for _ in range(3):
            await bo.tweet("fish again")
    await ada.does("POST", f"/user/{bo.id}/block")
    await server.settled("index")
    page = (await ada.get("/search", q="fish", limit=5)).json()
    assert [tweet["message"] for tweet in page["tweets"]] == [f"fish {n}" for n in range(5, 0, -1)]
    assert page["before"] is not None


@pytest.mark.parametrize(
    "query",
    ["", " ", "?!", "since:never", "x" * 501, "a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4 5 6 7"],
)
async def test_what_is_no_query_is_refused(server: NativeServer, query: str) -> None:
    refused = await server.get("/search", q=query)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "q")


async def test_a_search_for_nothing_at_all_is_refused(server: NativeServer) -> None:
    for path in ("/search", "/users/search"):
        refused = await server.get(path)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "q")


async def test_a_hashtag_is_read_without_regard_to_case(server: NativeServer, ada: Person) -> None:
    for message in ("one #Straße", "two #straße", "three"):
        await ada.tweet(message)
    await server.settled("index")
    for tag in ("STRASSE", "straße", "%23straße", quote("＃straße")):
        tagged = (await server.get(f"/hashtag/{tag}")).json()["tweets"]
        assert [tweet["message"] for tweet in tagged] == ["two #straße", "one #Straße"]


@pytest.mark.parametrize("tag", ["a%20b", "%00", "x" * 281, "-"])
async def test_what_no_hashtag_is_spelled_like_is_refused(server: NativeServer, tag: str) -> None:
    refused = await server.get(f"/hashtag/{tag}")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "tag")


async def test_trends_rank_the_hashtags_of_the_last_hours(server: NativeServer, ada: Person, bo: Person) -> None:
    await ada.tweet("#fish #Bird")
    await bo.tweet("#bird")
    await server.settled("index")
    trends = msgspec.json.decode((await server.get("/trends")).content, type=TrendList, strict=True).trends
    assert [(trend.tag, trend.count) for trend in trends] == [("bird", 2), ("fish", 1)]
    assert trends[0].rise > trends[1].rise
    assert len((await server.get("/trends", limit=1)).json()["trends"]) == 1


async def test_users_are_found_by_the_beginning_of_a_name(server: NativeServer, ada: Person) -> None:
    for name in ("adam", "eva", "adamant"):
        await server.join(name)
    await server.settled("index")
    page = (await ada.get("/users/search", q="adam")).json()
    assert [user["username"] for user in page["users"]] == ["adam", "adamant"]
    assert len((await ada.get("/users/search", q="ADA", limit=2)).json()["users"]) == 2


async def test_users_with_a_block_between_are_not_found(server: NativeServer, ada: Person, bo: Person) -> None:
    cal = await server.join("cal")
    await ada.does("POST", f"/user/{cal.id}/block")
    await server.settled("index")
    for searcher, sought in ((ada, "cal"), (cal, "ada")):
        assert (await searcher.get("/users/search", q=sought)).json()["users"] == []
        assert (await bo.get("/users/search", q=sought)).json()["users"] != []
