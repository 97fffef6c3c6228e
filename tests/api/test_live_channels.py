"""Live channels beside home: hashtags and searches, with the rules of search for who sees what."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api.live_roost import LOGS, Names, Talk, live_roost
from roost.edge.live.channels import CHANNELS_PER_SOCKET_MAX

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOGS)
async def people(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    async with live_roost(tmp_path_factory.mktemp("roost"), change=LOGS[request.param]) as roost:
        yield Names(roost)


async def subscribe(talk: Talk, channel: str) -> str:
    answer = await talk.ask({"type": "subscribe", "channel": channel})
    assert (answer["type"], answer["channel"]) == ("subscribed", channel)
    return channel


async def test_a_hashtag_brings_the_tweets_of_anybody_without_regard_to_case(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        channel = await subscribe(talk, "hashtag:Straße")
        heard = [await bo.tweet("#straße"), await bo.tweet("und #STRAßE")]
        await bo.tweet("straße without a sign, #straßen")
        await bo.retweet(heard[0]["tweet_id"])
        await talk.caught_up()
        assert talk.tweets(channel) == [tweet["tweet_id"] for tweet in heard]
        assert talk.tweets() == []


async def test_a_search_brings_what_it_finds(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    async with ada.socket() as talk:
        channel = await subscribe(talk, f'search:"two cats" -dogs from:{bo.user.username}')
        heard = await bo.tweet("I have two cats.")
        await bo.tweet("I have two cats and dogs")
        await bo.tweet("cats two")
        await cy.tweet("I have two cats")
        await talk.caught_up()
        assert talk.tweets(channel) == [heard["tweet_id"]]


async def test_a_tweet_may_come_on_the_home_channel_and_on_others_once_each(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        channels = [await subscribe(talk, f"hashtag:x{ada.id}"), await subscribe(talk, f"search:#x{ada.id}")]
        await subscribe(talk, channels[0])
        tweet = await bo.tweet(f"#x{ada.id} #X{ada.id}")
        await talk.caught_up()
        for channel in ("home", *channels):
            assert talk.tweets(channel) == [tweet["tweet_id"]]


async def test_unsubscribing_ends_a_channel(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        channel = await subscribe(talk, f"hashtag:y{ada.id}")
        for _ in range(2):
            assert (await talk.ask({"type": "unsubscribe", "channel": channel}))["type"] == "unsubscribed"
        await bo.tweet(f"#y{ada.id}")
        await talk.caught_up()
        assert talk.tweets(channel) == []
    assert not ada.roost.edges.room.channels.has_members()


async def test_channels_end_with_their_socket(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        await subscribe(talk, "search:anything")
        await subscribe(talk, "hashtag:anything")
        assert ada.roost.edges.room.channels.has_members()
    async with ada.socket() as talk:
        await talk.caught_up()
        assert not ada.roost.edges.room.channels.has_members()


async def test_a_socket_has_a_bound_of_channels(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        for n in range(CHANNELS_PER_SOCKET_MAX):
            await subscribe(talk, f"hashtag:t{n}")
        assert await talk.refused({"type": "subscribe", "channel": "hashtag:more"}) == ("invalid", 422)


async def test_blocks_and_protection_hide_and_a_mute_does_not(people: Names) -> None:
    ada, bo, cy, di, ed = await people("ada", "bo", "cy", "di", "ed")
    [fay] = await people("fay", protected=True)
    [gil] = await people("gil", protected=True)
    await ada.rest("POST", f"/user/{bo.id}/block")
    await cy.rest("POST", f"/user/{ada.id}/block")
    await ada.rest("POST", f"/user/{di.id}/mute")
    await ada.rest("POST", f"/user/{fay.id}/follow", 202)
    await fay.rest("POST", f"/follow-requests/{ada.id}/accept")
    async with ada.socket() as talk:
        channel = await subscribe(talk, f"hashtag:z{ada.id}")
        tweets = {person.id: await person.tweet(f"#z{ada.id}") for person in (bo, cy, di, ed, fay, gil)}
        await talk.caught_up()
        assert sorted(talk.tweets(channel)) == [tweets[person.id]["tweet_id"] for person in (di, ed, fay)]


async def test_only_public_tweets_enter_channels(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        channel = await subscribe(talk, f"hashtag:a{ada.id}")
        for audience in ("unlisted", "followers", "mentioned"):
            await bo.tweet(f"#a{ada.id} {audience}", audience=audience)
        heard = await bo.tweet(f"#a{ada.id} public")
        await talk.caught_up()
        assert talk.tweets(channel) == [heard["tweet_id"]]


async def test_deletes_are_told_to_who_listens_to_a_channel(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    async with ada.socket() as talk:
        await subscribe(talk, f"hashtag:b{ada.id}")
        tweet = await bo.tweet(f"#b{ada.id}")
        await bo.rest("DELETE", f"/tweet/{tweet['tweet_id']}")
        assert (await talk.caught_up()).deleted() == [tweet["tweet_id"]]
