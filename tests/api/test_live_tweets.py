"""Tweets over the socket: acks, replies, retweets, quotes, refs, problems."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.live_roost import Names, live_roost
from roost.assembly.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    async with live_roost(tmp_path_factory.mktemp("roost")) as roost:
        yield Names(roost)


async def test_an_ack_repeats_the_ref_and_carries_the_tweet_as_it_reads_from_then_on(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        ack = await talk.ask({"message": "Grüße #python 🐦", "time": "2026-11-22T10:00:00Z", "ref": "r1"})
        assert (ack["type"], ack["ref"]) == ("ack", "r1")
        tweet = ack["tweet"]
        assert tweet["message"] == "Grüße #python 🐦"
        assert tweet["client_time"] == "2026-11-22T10:00:00Z"
        assert tweet["entities"]["hashtags"] == [{"tag": "python", "start": 6, "end": 13}]
        assert tweet["user"]["user_id"] == ada.id
        assert tweet == await ada.rest("GET", f"/tweet/{tweet['tweet_id']}", 200)


async def test_the_position_of_an_ack_makes_the_tweet_readable(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        ack = await talk.ask({"message": "here"})
        assert (await talk.ask({"type": "ping"}))["type"] == "pong"
        answer = await ada.roost.http.get(
            f"/user/timeline/{ada.id}", headers={**ada.headers, "X-Roost-Position": ack["position"]}
        )
        assert [tweet["tweet_id"] for tweet in answer.json()["tweets"]] == [ack["tweet"]["tweet_id"]]


async def test_a_message_without_a_ref_is_answered_with_null(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        await talk.send({"message": "no ref"})
        ack = await talk.until(lambda frame: frame["type"] == "ack")
        assert ack["ref"] is None


async def test_a_message_with_an_answered_tweet_is_a_reply(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    original = await ada.tweet("question")
    async with bo.socket() as talk:
        for name in ("ReplyToTweetId", "replyToTweetId", "reply_to_tweet_id"):
            reply = await talk.post(f"answer by {name}", **{name: original["tweet_id"]})
            assert reply["reply_to_tweet_id"] == original["tweet_id"]
            assert reply["reply_to_user_id"] == ada.id
            assert reply["retweet_of"] is None


@pytest.mark.parametrize("message", ["", "  \n\t ", None])
async def test_an_answered_tweet_and_an_empty_message_is_a_retweet(people: Names, message: str | None) -> None:
    ada, bo = await people("ada", "bo")
    original = await ada.tweet("share me")
    async with bo.socket() as talk:
        retweet = await talk.post(message or "", ReplyToTweetId=original["tweet_id"], time="2026-11-22T10:00:00Z")
        assert retweet["message"] == ""
        assert retweet["retweet_of"]["tweet_id"] == original["tweet_id"]
        assert retweet["retweet_of"]["viewer"]["retweeted"]


async def test_retweeting_again_answers_the_first_retweet(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    original = await ada.tweet("share me once")
    async with bo.socket() as talk:
        first = await talk.post(ReplyToTweetId=original["tweet_id"])
        again = await talk.post(ReplyToTweetId=original["tweet_id"])
        of_the_retweet = await talk.post(ReplyToTweetId=first["tweet_id"])
        assert first["tweet_id"] == again["tweet_id"] == of_the_retweet["tweet_id"]


async def test_a_quote_holds_the_quoted_tweet(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    original = await ada.tweet("quote me")
    async with bo.socket() as talk:
        for name in ("QuoteTweetId", "quoteTweetId", "quote_tweet_id"):
            quote = await talk.post(f"look, by {name}", **{name: original["tweet_id"]})
            assert quote["quote_of"]["message"] == "quote me"


async def test_a_refused_message_leaves_the_socket_open(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    original = await bo.tweet("original")
    async with ada.socket() as talk:
        for message, problem in (
            ({"message": ""}, ("invalid", 422)),
            ({}, ("invalid", 422)),
            ({"message": "x" * 281}, ("invalid", 422)),
            ({"message": "x", "ReplyToTweetId": "1", "QuoteTweetId": "1"}, ("invalid", 422)),
            ({"message": "x", "ReplyToTweetId": "-1"}, ("invalid", 422)),
            ({"message": "x", "ReplyToTweetId": 1}, ("invalid", 422)),
            ({"message": "x", "ReplyToTweetId": str(1 << 63)}, ("invalid", 422)),
            ({"message": "x", "ReplyToTweetId": "999"}, ("not-found", 404)),
            ({"message": "x", "content_ids": ["nothing"]}, ("invalid", 422)),
            ({"message": 5}, ("invalid", 422)),
            ({"message": "x", "time": "yesterday"}, ("invalid", 422)),
            ({"type": "dance"}, ("invalid", 422)),
            ({"type": "subscribe", "channel": "weather"}, ("invalid", 422)),
            ({"type": "subscribe", "channel": "search:"}, ("invalid", 422)),
            ({"type": "subscribe"}, ("invalid", 422)),
            ({"type": "resume"}, ("invalid", 422)),
            ({"message": "x", "ref": ""}, ("invalid", 422)),
            ({"message": "x", "ref": "r" * 65}, ("invalid", 422)),
        ):
            assert await talk.refused(message) == problem, message
        tweet = await talk.post("still here", ReplyToTweetId=original["tweet_id"])
        assert tweet["reply_to_tweet_id"] == original["tweet_id"]


async def test_what_is_no_json_object_is_answered_by_a_problem(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        for text in ("", " ", "nonsense", "[]", '"text"', "5", "null", "{", '{"message": "\\ud800"}', "[" * 30_000):
            await talk.send(text)
            frame = await talk.until(lambda frame: frame["type"] == "error")
            assert frame["problem"]["status"] in {400, 422}, frame
        assert (await talk.post("still here"))["message"] == "still here"


async def test_a_problem_repeats_the_ref_of_a_message_of_a_wrong_shape(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        await talk.send({"message": 5, "ref": "mine"})
        assert (await talk.receive())["ref"] == "mine"


async def test_the_same_ref_posts_once_on_sockets_and_rest_alike(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as phone, ada.socket() as laptop:
        first = await phone.post("once", ref="same", time="2026-11-22T10:00:00Z")
        again = await laptop.post("once", ref="same", time="2026-11-22T10:00:05Z")
        headers = {**ada.headers, "Idempotency-Key": "same"}
        over_rest = await ada.roost.http.post("/tweet", json={"message": "once"}, headers=headers)
        assert first["tweet_id"] == again["tweet_id"] == over_rest.json()["tweet_id"]
    assert await ada.home() == [first["tweet_id"]]


async def test_the_same_ref_at_the_same_time_posts_once(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as phone, ada.socket() as laptop:
        tweets = []
        for n in range(20):
            one, other = await asyncio.gather(
                phone.post(f"at once {n}", ref=f"same-{n}"), laptop.post(f"at once {n}", ref=f"same-{n}")
            )
            assert one["tweet_id"] == other["tweet_id"]
            tweets.append(one["tweet_id"])
    assert await ada.home() == tweets[::-1]


async def test_a_ref_with_another_payload_is_refused(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        await talk.post("first", ref="taken")
        assert (await talk.refused({"message": "second", "ref": "taken"}))[1] == 422
        assert (await talk.refused({"message": "first", "lang": "de", "ref": "taken"}))[1] == 422


async def test_a_ref_is_its_users_own(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as adas, bo.socket() as bos:
        mine, his = await adas.post("mine", ref="r"), await bos.post("his", ref="r")
        assert mine["tweet_id"] != his["tweet_id"]


async def test_the_ref_of_a_deleted_tweet_is_gone(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        tweet = await talk.post("soon gone", ref="gone")
        await ada.rest("DELETE", f"/tweet/{tweet['tweet_id']}")
        assert (await talk.refused({"message": "soon gone", "ref": "gone"}))[1] == 410


async def test_a_ref_is_forgotten_after_a_day(tmp_path: Path) -> None:
    async with live_roost(tmp_path) as roost:
        ada = await roost.join("ada")
        async with ada.socket() as talk:
            first = await talk.post("daily", ref="daily")
            roost.clock.advance(hours=23.9)
            assert (await talk.post("daily", ref="daily"))["tweet_id"] == first["tweet_id"]
            roost.clock.advance(hours=0.2)
            assert (await talk.post("daily", ref="daily"))["tweet_id"] != first["tweet_id"]


async def test_who_posts_too_much_is_told_when_to_go_on(tmp_path: Path) -> None:
    async with live_roost(tmp_path, Settings(post_per_hour=3)) as roost:
        ada = await roost.join("ada")
        async with ada.socket() as talk:
            for n in range(3):
                await talk.post(f"tweet {n}")
            answer = await talk.ask({"message": "one too many"})
            assert answer["problem"]["status"] == 429
            assert answer["problem"]["retry_after"] > 0
            assert (await talk.ask({"type": "ping"}))["type"] == "pong"


async def test_messages_of_one_socket_are_answered_in_their_order(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        for n in range(200):
            await talk.send({"message": f"number {n}", "ref": str(n)})
        await talk.until(lambda frame: frame.get("ref") == "199")
        acks = talk.kind("ack")
        assert [ack["ref"] for ack in acks] == [str(n) for n in range(200)]
        ids = [int(ack["tweet"]["tweet_id"]) for ack in acks]
        assert ids == sorted(set(ids))
