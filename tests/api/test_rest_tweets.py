"""Tweets over REST: posting, reading, deleting, liking, threads and the lists around a tweet."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from roost.edge.native.shapes import TweetPage, TweetShape


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


async def test_a_tweet_is_answered_in_the_shape_that_is_documented(ada: Person, bo: Person) -> None:
    response = await ada.post("/tweet", {"message": "Hi @bo, see https://example.org #tag $ABC", "lang": "en"})
    assert response.status_code == 201
    tweet = msgspec.json.decode(response.content, type=TweetShape, strict=True)
    assert tweet.user.username == "ada"
    assert [(m.username, m.user_id, m.start, m.end) for m in tweet.entities.mentions] == [("bo", bo.id, 3, 6)]
    assert [hashtag.tag for hashtag in tweet.entities.hashtags] == ["tag"]
    assert [cashtag.cashtag for cashtag in tweet.entities.cashtags] == ["ABC"]
    assert [url.url for url in tweet.entities.urls] == ["https://example.org"]
    assert (tweet.lang, tweet.audience, tweet.retweet_of, tweet.quote_of) == ("en", "public", None, None)
    assert set(response.json()) == set(TweetShape.__struct_fields__)


async def test_a_posted_tweet_can_be_read_by_a_stranger(server: NativeServer, ada: Person) -> None:
    tweet = await ada.tweet("hello")
    assert (await server.get(f"/tweet/{tweet['tweet_id']}")).json() == tweet


async def test_the_answer_to_a_post_says_where_its_announcement_stands(server: NativeServer, ada: Person) -> None:
    position = (await ada.post("/tweet", {"message": "hello"})).headers["X-Roost-Position"]
    read = await server.ask("GET", f"/user/timeline/{ada.id}", headers={"X-Roost-Position": position})
    assert len(read.json()["tweets"]) == 1


async def test_a_position_that_is_none_is_refused(server: NativeServer) -> None:
    assert (await server.ask("GET", "/trends", headers={"X-Roost-Position": "north"})).status_code == 422


@pytest.mark.parametrize("spelling", ["ReplyToTweetId", "replyToTweetId", "reply_to_tweet_id"])
async def test_a_reply_and_a_retweet_take_each_spelling(ada: Person, bo: Person, spelling: str) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    reply = await bo.tweet("hi", **{spelling: id, "time": "2026-01-01T00:00:00Z"})
    assert (reply["reply_to_tweet_id"], reply["reply_to_user_id"]) == (id, ada.id)
    assert reply["client_time"] == "2026-01-01T00:00:00Z"
    retweet = await bo.tweet(" \n ", **{spelling: id})
    assert (retweet["message"], retweet["retweet_of"]["tweet_id"]) == ("", id)


@pytest.mark.parametrize("spelling", ["QuoteTweetId", "quoteTweetId", "quote_tweet_id"])
async def test_a_quote_takes_each_spelling(ada: Person, bo: Person, spelling: str) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    assert (await bo.tweet("look", **{spelling: id}))["quote_of"]["tweet_id"] == id


async def test_two_spellings_may_agree_but_not_differ(ada: Person) -> None:
    one, two = [(await ada.tweet(text))["tweet_id"] for text in ("one", "two")]
    agreed = await ada.tweet("hi", ReplyToTweetId=one, reply_to_tweet_id=one)
    assert agreed["reply_to_tweet_id"] == one
    refused = await ada.post("/tweet", {"message": "hi", "ReplyToTweetId": one, "reply_to_tweet_id": two})
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"ReplyToTweetId", "reply_to_tweet_id"}


async def test_a_retweet_of_a_retweet_is_one_of_the_original_and_repeating_it_answers_the_first(
    ada: Person, bo: Person
) -> None:
    original = await ada.tweet("hello")
    first = await bo.tweet("", ReplyToTweetId=original["tweet_id"])
    again = await bo.tweet("", ReplyToTweetId=first["tweet_id"])
    assert again["tweet_id"] == first["tweet_id"]
    own = await ada.tweet("", ReplyToTweetId=first["tweet_id"])
    assert own["retweet_of"]["tweet_id"] == original["tweet_id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": " \t"}, "message"),
        ({"message": None}, "message"),
        ({"message": "x" * 281}, "message"),
        ({"message": 1}, "message"),
        ({"message": "x", "content_ids": ["none"]}, "content_ids"),
        ({"message": "x", "content_ids": ["a"] * 5}, "content_ids"),
        ({"message": "x", "content_ids": [1]}, "content_ids[0]"),
        ({"message": "x", "content_ids": "a"}, "content_ids"),
        ({"message": "x", "ReplyToTweetId": "one"}, "ReplyToTweetId"),
        ({"message": "x", "ReplyToTweetId": ""}, "ReplyToTweetId"),
        ({"message": "x", "ReplyToTweetId": 1}, "ReplyToTweetId"),
        ({"message": "x", "QuoteTweetId": "-1"}, "QuoteTweetId"),
        ({"message": "x", "quote_tweet_id": "9223372036854775808"}, "quote_tweet_id"),
        ({"message": "x", "audience": "nobody"}, "audience"),
        ({"message": "x", "time": "yesterday"}, "time"),
        ({"message": "x", "lang": "!"}, "lang"),
        ({"message": "x", "ref": ""}, "ref"),
        ({"message": "x", "ref": "r" * 65}, "ref"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_posted(
    server: NativeServer, ada: Person, body: dict[str, object], field: str
) -> None:
    refused = await ada.post("/tweet", body)
    assert refused.status_code == 422, refused.text
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/invalid"
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert (await server.get(f"/user/timeline/{ada.id}")).json()["tweets"] == []


async def test_a_reply_and_a_quote_at_once_is_refused(ada: Person) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    refused = await ada.post("/tweet", {"message": "x", "ReplyToTweetId": id, "QuoteTweetId": id})
    assert refused.status_code == 422


async def test_the_same_idempotency_key_posts_once(server: NativeServer, ada: Person) -> None:
    bodies = [{"message": "hi", "time": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2)]
    answers = [await ada.post("/tweet", body, **{"Idempotency-Key": "k1"}) for body in bodies]
    assert answers[0].json() == answers[1].json()
    other = await ada.post("/tweet", {"message": "other"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/ref-reused")
    in_body = await ada.tweet("hi", ref="k1")
    assert in_body["tweet_id"] == answers[0].json()["tweet_id"]
    assert len((await server.get(f"/user/timeline/{ada.id}")).json()["tweets"]) == 1


async def test_a_ref_whose_tweet_was_deleted_is_gone(ada: Person) -> None:
    tweet = await ada.tweet("hi", ref="r")
    await ada.does("DELETE", f"/tweet/{tweet['tweet_id']}")
    assert (await ada.post("/tweet", {"message": "hi", "ref": "r"})).status_code == 410


async def test_a_key_in_the_header_and_another_in_the_body_is_refused(ada: Person) -> None:
    refused = await ada.post("/tweet", {"message": "hi", "ref": "a"}, **{"Idempotency-Key": "b"})
    assert refused.json()["errors"][0]["field"] == "ref"


async def test_a_deleted_tweet_is_gone_and_deleting_again_changes_nothing(ada: Person, bo: Person) -> None:
    tweet = await ada.tweet("hello")
    quote = await bo.tweet("look", QuoteTweetId=tweet["tweet_id"])
    path = f"/tweet/{tweet['tweet_id']}"
    assert (await bo.delete(path)).status_code == 403
    await ada.does("DELETE", path)
    await ada.does("DELETE", path)
    assert (await ada.get(path)).status_code == 404
    assert (await bo.get(f"/tweet/{quote['tweet_id']}")).json()["quote_of"] is None


async def test_an_operator_deletes_what_is_anothers(server: NativeServer, ada: Person) -> None:
    operator = await server.join("op", operator=True)
    tweet = await ada.tweet("hello")
    await operator.does("DELETE", f"/tweet/{tweet['tweet_id']}")
    assert (await ada.get(f"/tweet/{tweet['tweet_id']}")).status_code == 404


async def test_a_like_shows_to_who_gave_it_is_counted_and_taken_back(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    tweet = await ada.tweet("hello")
    path = f"/tweet/{tweet['tweet_id']}"
    for _ in range(2):
        await bo.does("POST", path + "/like")
    assert (await bo.get(path)).json()["viewer"] == {"liked": True, "retweeted": False}
    assert (await ada.get(path)).json()["viewer"] == {"liked": False, "retweeted": False}
    likers = (await server.get(path + "/likes")).json()
    assert ([user["user_id"] for user in likers["users"]], likers["before"]) == ([bo.id], None)
    liked = await bo.get(f"/user/{bo.id}/likes")
    assert [one["tweet_id"] for one in liked.json()["tweets"]] == [tweet["tweet_id"]]
    for _ in range(2):
        await bo.does("DELETE", path + "/like")
    assert (await server.get(path + "/likes")).json()["users"] == []


async def test_a_like_aimed_at_a_retweet_goes_to_the_original(ada: Person, bo: Person) -> None:
    tweet = await ada.tweet("hello")
    retweet = await bo.tweet("", ReplyToTweetId=tweet["tweet_id"])
    await bo.does("POST", f"/tweet/{retweet['tweet_id']}/like")
    for id in (tweet["tweet_id"], retweet["tweet_id"]):
        likers = await ada.get(f"/tweet/{id}/likes")
        assert [user["user_id"] for user in likers.json()["users"]] == [bo.id]


async def test_what_others_like_is_theirs_to_know(ada: Person, bo: Person) -> None:
    assert (await ada.get(f"/user/{bo.id}/likes")).status_code == 403


async def test_retweeters_and_quotes_of_a_tweet_are_listed(server: NativeServer, ada: Person, bo: Person) -> None:
    path = f"/tweet/{(await ada.tweet('hello'))['tweet_id']}"
    await bo.tweet("", ReplyToTweetId=path[7:])
    quotes = [(await bo.tweet(f"look {n}", QuoteTweetId=path[7:]))["tweet_id"] for n in range(3)]
    retweeters = (await server.get(path + "/retweets")).json()
    assert [user["username"] for user in retweeters["users"]] == ["bo"]
    first = msgspec.json.decode((await server.get(path + "/quotes", limit=2)).content, type=TweetPage)
    rest = msgspec.json.decode(
        (await server.get(path + "/quotes", limit=2, before=first.before)).content, type=TweetPage
    )
    assert [one.tweet_id for one in [*first.tweets, *rest.tweets]] == quotes[::-1]
    assert rest.before is None


async def test_likers_are_listed_newest_first_page_by_page(server: NativeServer, ada: Person) -> None:
    path = f"/tweet/{(await ada.tweet('hello'))['tweet_id']}"
    names = [f"fan{n}" for n in range(5)]
    for name in names:
        await (await server.join(name)).does("POST", path + "/like")
    found, before = [], None
    while True:
        query = {"limit": 2} if before is None else {"limit": 2, "before": before}
        page = (await server.get(path + "/likes", **query)).json()
        found += [user["username"] for user in page["users"]]
        before = page["before"]
        if before is None:
            break
    assert found == names[::-1]


async def test_a_thread_has_its_ancestors_root_first_and_its_replies_oldest_first(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    root = await ada.tweet("root")
    middle = await bo.tweet("middle", ReplyToTweetId=root["tweet_id"])
    leaf = await ada.tweet("leaf", ReplyToTweetId=middle["tweet_id"])
    replies = [await bo.tweet(f"reply {n}", ReplyToTweetId=leaf["tweet_id"]) for n in range(3)]
    path = f"/tweet/{leaf['tweet_id']}/thread"
    thread = (await server.get(path, limit=2)).json()
    assert [one["tweet_id"] for one in thread["ancestors"]] == [root["tweet_id"], middle["tweet_id"]]
    assert thread["tweet"]["message"] == "leaf"
    assert [one["message"] for one in thread["replies"]] == ["reply 0", "reply 1"]
    rest = (await server.get(path, limit=2, after=thread["after"])).json()
    assert ([one["message"] for one in rest["replies"]], rest["after"]) == (["reply 2"], None)
    await bo.does("DELETE", f"/tweet/{middle['tweet_id']}")
    await bo.does("DELETE", f"/tweet/{replies[0]['tweet_id']}")
    thread = (await server.get(path)).json()
    assert thread["ancestors"][1] == {"tweet_id": middle["tweet_id"], "hidden": True}
    assert [one["message"] for one in thread["replies"]] == ["reply 1", "reply 2"]


@pytest.mark.parametrize("path", ["", "/thread", "/likes", "/retweets", "/quotes"])
async def test_what_is_absent_is_not_found_whatever_is_asked_of_it(
    server: NativeServer, ada: Person, path: str
) -> None:
    missing = await server.get(f"/tweet/12345{path}")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    assert (await server.get(f"/tweet/x{path}")).status_code == 422


async def test_a_change_without_a_token_is_refused(server: NativeServer, ada: Person) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    for method, path in [("POST", "/tweet"), ("DELETE", f"/tweet/{id}"), ("POST", f"/tweet/{id}/like")]:
        refused = await server.ask(method, path, json={"message": "x"})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_blocked_user_neither_sees_nor_touches_a_tweet(ada: Person, bo: Person) -> None:
    id = (await ada.tweet("hello"))["tweet_id"]
    await ada.does("POST", f"/user/{bo.id}/block")
    assert (await bo.get(f"/tweet/{id}")).status_code == 404
    assert (await bo.post(f"/tweet/{id}/like")).status_code == 404
    for key in ("ReplyToTweetId", "QuoteTweetId"):
        assert (await bo.post("/tweet", {"message": "x", key: id})).status_code == 404


async def test_a_protected_tweet_may_not_be_shared_by_who_may_see_it(server: NativeServer, bo: Person) -> None:
    shy = await server.join("shy", protected=True)
    id = (await shy.tweet("psst"))["tweet_id"]
    assert (await bo.get(f"/tweet/{id}")).status_code == 404
    await bo.does("POST", f"/user/{shy.id}/follow", 202)
    await shy.does("POST", f"/follow-requests/{bo.id}/accept")
    assert (await bo.get(f"/tweet/{id}")).status_code == 200
    assert (await bo.post("/tweet", {"message": "look", "QuoteTweetId": id})).status_code == 403
    assert (await shy.post("/tweet", {"message": "", "ReplyToTweetId": id})).status_code == 201


async def test_what_a_protected_user_likes_is_listed_to_his_followers_only(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    shy = await server.join("shy", protected=True)
    path = f"/tweet/{(await ada.tweet('hello'))['tweet_id']}"
    await shy.does("POST", path + "/like")
    await shy.tweet("", ReplyToTweetId=path[7:])
    for list in ("/likes", "/retweets"):
        assert (await bo.get(path + list)).json()["users"] == []
        assert [user["username"] for user in (await shy.get(path + list)).json()["users"]] == ["shy"]
