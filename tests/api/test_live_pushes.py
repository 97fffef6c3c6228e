"""What a socket is told of: who is pushed what, judged at the moment of sending."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from api.live_roost import LOGS, Names, Person, Talk, live_roost

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOGS)
async def people(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    async with live_roost(tmp_path_factory.mktemp("roost"), change=LOGS[request.param]) as roost:
        yield Names(roost)


async def gets(talk: Talk, act: str, author: Person) -> bool:
    """Whether the next tweet of `author` comes over this socket; his home timeline agrees."""
    tweet = await author.tweet(f"after {act}")
    await talk.caught_up()
    came = tweet["tweet_id"] in talk.tweets()
    assert (tweet["tweet_id"] in await talk.person.home()) == came
    return came


async def test_the_first_frame_says_who_listens_and_from_where(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        assert talk.got[0] == {"type": "hello", "user_id": ada.id, "cursor": talk.cursor}


async def test_tweets_replies_retweets_and_quotes_of_the_followed_arrive_as_they_read(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        tweet = await bo.tweet("tweet")
        posted = [
            tweet,
            await bo.tweet("reply to oneself", ReplyToTweetId=tweet["tweet_id"]),
            await bo.retweet(tweet["tweet_id"]),
            await bo.tweet("quote", QuoteTweetId=tweet["tweet_id"]),
        ]
        await talk.caught_up()
        assert talk.tweets() == [one["tweet_id"] for one in posted]
        for frame in talk.kind("tweet"):
            read = await ada.rest("GET", f"/tweet/{frame['tweet']['tweet_id']}", 200)
            if frame["tweet"]["retweet_of"] is None:  # the counts of the nested one go on
                assert {**frame["tweet"], "counts": None, "quote_of": None} == {
                    **read,
                    "counts": None,
                    "quote_of": None,
                }


async def test_tweets_of_strangers_do_not_arrive(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        assert not await gets(talk, "nothing", bo)


async def test_a_reply_arrives_where_the_answered_is_followed_too(people: Names) -> None:
    ada, bo, cy, di = await people("ada", "bo", "cy", "di")
    await ada.follow(bo, cy)
    asked = {person.id: (await person.tweet("question"))["tweet_id"] for person in (ada, bo, cy, di)}
    async with ada.socket() as talk:
        expected = []
        for person in (ada, bo, cy, di):
            reply = await bo.tweet("answer", ReplyToTweetId=asked[person.id])
            if person is not di:
                expected.append(reply["tweet_id"])
        await talk.caught_up()
        assert talk.tweets() == expected


async def test_ones_own_tweets_arrive_on_every_device(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as phone, ada.socket() as laptop:
        posted = [(await phone.post("by phone"))["tweet_id"], (await ada.tweet("by REST"))["tweet_id"]]
        for talk in (phone, laptop):
            await talk.caught_up()
            assert talk.tweets() == posted


async def test_followers_on_two_devices_are_told_on_both_and_one_may_leave(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as phone:
        async with ada.socket() as laptop:
            first = await bo.tweet("first")
            assert (await laptop.caught_up()).tweets() == [first["tweet_id"]]
        second = await bo.tweet("second")
        assert (await phone.caught_up()).tweets() == [first["tweet_id"], second["tweet_id"]]


async def test_cursors_rise_and_never_pass_what_is_still_to_come(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        for n in range(20):
            await bo.tweet(f"number {n}")
        await talk.caught_up()
        log = ada.roost.node.engines.log
        cursors = [frame["cursor"] for frame in talk.got if "cursor" in frame]
        assert all(log.is_reached(one, by=next) for one, next in pairwise(cursors))


async def test_follow_and_unfollow_count_from_the_next_tweet_on(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        assert not await gets(talk, "nothing", bo)
        await ada.follow(bo)
        assert await gets(talk, "follow", bo)
        await ada.rest("DELETE", f"/user/{bo.id}/follow")
        assert not await gets(talk, "unfollow", bo)
        await ada.follow(bo)
        assert await gets(talk, "follow again", bo)


@pytest.mark.parametrize("kind", ["block", "mute"])
async def test_block_and_mute_silence_and_end(people: Names, kind: str) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        await ada.rest("POST", f"/user/{bo.id}/{kind}")
        assert not await gets(talk, kind, bo)
        await ada.rest("DELETE", f"/user/{bo.id}/{kind}")
        if kind == "block":  # it ended the follow
            await ada.follow(bo)
        assert await gets(talk, f"un{kind}", bo)


async def test_the_blocked_is_told_nothing_more_by_who_blocked_him(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        assert await gets(talk, "follow", bo)
        await bo.rest("POST", f"/user/{ada.id}/block")
        assert not await gets(talk, "block", bo)
        mention = await bo.tweet(f"about @{ada.user.username}")
        assert mention["tweet_id"] not in (await talk.caught_up()).tweets()
        assert talk.notified() == []


@pytest.mark.parametrize("kind", ["block", "mute"])
async def test_retweets_of_the_blocked_or_muted_are_left_out_and_quotes_tell_apart(people: Names, kind: str) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    await ada.follow(bo)
    hidden, other = await cy.tweet("original"), await cy.tweet("another")
    await ada.rest("POST", f"/user/{cy.id}/{kind}")
    async with ada.socket() as talk:
        await bo.retweet(hidden["tweet_id"])
        quote = await bo.tweet("look", QuoteTweetId=other["tweet_id"])
        await talk.caught_up()
        assert talk.tweets() == [quote["tweet_id"]]
        quoted = talk.kind("tweet")[0]["tweet"]["quote_of"]
        assert (quoted is None) == (kind == "block")


async def test_the_protected_are_heard_by_the_accepted_only(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    await ada.follow(bo)
    async with ada.socket() as adas, cy.socket() as cys:
        await bo.change(protected=True)
        await cy.rest("POST", f"/user/{bo.id}/follow", 202)
        assert await gets(adas, "protection", bo)
        assert not await gets(cys, "request", bo)
        await bo.rest("POST", f"/follow-requests/{cy.id}/accept")
        assert await gets(cys, "acceptance", bo)
        await bo.rest("POST", f"/user/{ada.id}/block")
        await bo.rest("DELETE", f"/user/{ada.id}/block")
        assert not await gets(adas, "removal", bo)


async def test_a_delete_is_told_to_who_may_have_seen_it(people: Names) -> None:
    ada, bo, cy, di = await people("ada", "bo", "cy", "di")
    await ada.follow(bo)
    await cy.follow(ada)
    async with ada.socket() as adas, bo.socket() as bos, cy.socket() as cys, di.socket() as dis:
        tweet = await bo.tweet("soon gone")
        await ada.retweet(tweet["tweet_id"])  # so it reaches cy
        await bo.rest("DELETE", f"/tweet/{tweet['tweet_id']}")
        for talk in (adas, bos, cys):
            assert (await talk.caught_up()).deleted() == [tweet["tweet_id"]]
        assert (await dis.caught_up()).deleted() == []


async def test_undoing_a_retweet_is_a_delete_of_its_own_id(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    original = await ada.tweet("original")
    async with ada.socket() as talk:
        retweet = await bo.retweet(original["tweet_id"])
        await bo.rest("DELETE", f"/tweet/{retweet['tweet_id']}")
        assert (await talk.caught_up()).deleted() == [retweet["tweet_id"]]
        assert (await ada.home())[0] == original["tweet_id"]


async def test_a_tweet_that_is_deleted_before_it_is_told_does_not_arrive(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    room = ada.roost.node.reactors["push_live"]
    async with ada.socket() as talk:
        async with room.paused:
            tweet = await bo.tweet("too quick")
            await bo.rest("DELETE", f"/tweet/{tweet['tweet_id']}")
        await talk.caught_up()
        assert tweet["tweet_id"] not in talk.tweets()


async def test_notifications_arrive_for_every_kind(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        tweet = await ada.tweet("original")
        await bo.follow(ada)
        await bo.rest("POST", f"/tweet/{tweet['tweet_id']}/like")
        await bo.tweet("answer", ReplyToTweetId=tweet["tweet_id"])
        await bo.tweet("quote", QuoteTweetId=tweet["tweet_id"])
        await bo.retweet(tweet["tweet_id"])
        await bo.tweet(f"hello @{ada.user.username}")
        await talk.caught_up()
        name = bo.user.username
        assert sorted(talk.notified()) == sorted(
            (kind, name) for kind in ("follow", "like", "reply", "quote", "retweet", "mention")
        )
        listed = (await ada.rest("GET", "/notifications", 200))["notifications"]
        pushed = [frame["notification"] for frame in talk.kind("notification")]
        ids = [one["notification_id"] for one in pushed]
        assert sorted(ids) == sorted(one["notification_id"] for one in listed)


async def test_a_request_to_follow_is_notified_and_what_the_muted_do_is_not(people: Names) -> None:
    [ada] = await people("ada", protected=True)
    bo, cy = await people("bo", "cy")
    await ada.rest("POST", f"/user/{cy.id}/mute")
    async with ada.socket() as talk:
        await bo.rest("POST", f"/user/{ada.id}/follow", 202)
        await cy.rest("POST", f"/user/{ada.id}/follow", 202)
        await cy.tweet(f"hello @{ada.user.username}")
        await talk.caught_up()
        assert talk.notified() == [("follow_request", bo.user.username)]


async def test_flags_are_the_listeners_own(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    original = await cy.tweet("original")
    for person in (ada, bo):
        await person.follow(cy)
    await ada.rest("POST", f"/tweet/{original['tweet_id']}/like")
    async with ada.socket() as adas, bo.socket() as bos:
        await cy.retweet(original["tweet_id"])
        await asyncio.gather(adas.caught_up(), bos.caught_up())
        liked = [talk.kind("tweet")[0]["tweet"]["retweet_of"]["viewer"]["liked"] for talk in (adas, bos)]
        assert liked == [True, False]


async def test_a_like_of_one_listener_is_not_shown_to_another(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    for person in (ada, bo):
        await person.follow(cy)
    room = ada.roost.node.reactors["push_live"]
    async with ada.socket() as adas, bo.socket() as bos:
        async with room.paused:
            first, second = await cy.tweet("ada likes this"), await cy.tweet("bo likes this")
            await ada.rest("POST", f"/tweet/{first['tweet_id']}/like")
            await bo.rest("POST", f"/tweet/{second['tweet_id']}/like")
        await asyncio.gather(adas.caught_up(), bos.caught_up())
        assert not bos.kind("tweet")[0]["tweet"]["viewer"]["liked"]
        assert not adas.kind("tweet")[1]["tweet"]["viewer"]["liked"]


async def test_tweets_that_an_author_posts_on_several_devices_at_once_come_in_order(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk, bo.socket() as one, bo.socket() as two, bo.socket() as three:

        async def post(device: Talk, n: int) -> None:
            # Mentions make the way to the store longer.
            await device.post(f"number {n}" + f" @{ada.user.username} @bo{n}" * (n % 3))

        for n in range(40):
            await asyncio.gather(*(post(device, n + i) for i, device in enumerate((one, two, three))))
        await talk.caught_up()
        ids = [int(id) for id in talk.tweets()]
        assert len(ids) == 120
        assert ids == sorted(ids)
