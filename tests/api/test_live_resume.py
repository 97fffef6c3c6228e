"""Resuming by cursor: what was missed comes, nothing is lost, and what cannot be known is a gap."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from api.live_roost import LOGS, Json, Names, Person, Talk, live_roost
from api.waiting import eventually
from roost.assembly.settings import Settings
from roost.edge.live.limits import Limits

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=LOGS)
async def people(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    async with live_roost(tmp_path_factory.mktemp("roost"), change=LOGS[request.param]) as roost:
        yield Names(roost)


async def resumed(talk: Talk) -> Json:
    return await talk.until(lambda frame: frame["type"] in {"resumed", "gap"})


async def left_with(person: Person) -> str:
    """The cursor of a socket that was open for a moment."""
    async with person.socket() as talk:
        return (await talk.caught_up()).cursor


@pytest.mark.parametrize("by", ["query", "message"])
async def test_missed_tweets_deletes_and_notifications_come(people: Names, by: str) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    await ada.follow(bo)
    seen = await bo.tweet("seen")
    cursor = await left_with(ada)
    missed = [await bo.tweet("missed"), await ada.tweet("by REST"), await bo.tweet(f"hi @{ada.user.username}")]
    await cy.tweet("of a stranger")
    await cy.retweet(seen["tweet_id"])
    await bo.rest("DELETE", f"/tweet/{seen['tweet_id']}")
    await cy.rest("POST", f"/tweet/{missed[1]['tweet_id']}/like")
    await ada.roost.told()
    async with ada.socket(f"?cursor={cursor}" if by == "query" else "") as talk:
        if by == "message":
            await talk.send({"type": "resume", "cursor": cursor})
        assert (await resumed(talk))["type"] == "resumed"
        assert talk.tweets() == [tweet["tweet_id"] for tweet in missed]
        assert talk.deleted() == [seen["tweet_id"]]
        assert sorted(talk.notified()) == [("like", cy.user.username), ("mention", bo.user.username)]
        live = await bo.tweet("live again")
        assert (await talk.caught_up()).tweets()[-1] == live["tweet_id"]
        assert len(talk.tweets()) == 4


async def test_a_resume_tells_of_a_delete_to_who_saw_only_the_retweet(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    await ada.follow(bo)
    original = await cy.tweet("original")
    await bo.retweet(original["tweet_id"])
    cursor = await left_with(ada)
    await cy.rest("DELETE", f"/tweet/{original['tweet_id']}")
    await ada.roost.told()
    async with ada.socket(f"?cursor={cursor}") as talk:
        await resumed(talk)
        assert talk.deleted() == [original["tweet_id"]]


async def test_every_frame_is_a_place_to_go_on_from(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        posted = [(await bo.tweet(f"number {n}"))["tweet_id"] for n in range(5)]
        await talk.caught_up()
        cursors = [frame["cursor"] for frame in talk.kind("hello") + talk.kind("tweet")]
    for n, cursor in enumerate(cursors):
        async with ada.socket(f"?cursor={cursor}") as talk:
            await resumed(talk)
            sent = talk.tweets()
            # None is missed. Out of a log that is not in order, some may come again.
            assert sent == posted[len(posted) - len(sent) :]
            assert len(sent) >= len(posted[n:])


async def test_what_is_resumed_is_judged_when_it_is_sent(people: Names) -> None:
    ada, bo, cy, di = await people("ada", "bo", "cy", "di")
    await ada.follow(bo, cy)
    cursor = await left_with(ada)
    for person in (bo, cy, di):
        await person.tweet("missed")
    gone = await bo.tweet("missed and gone")
    await bo.rest("DELETE", f"/tweet/{gone['tweet_id']}")
    await ada.rest("POST", f"/user/{bo.id}/mute")
    await ada.rest("DELETE", f"/user/{cy.id}/follow")
    await ada.follow(di)
    async with ada.socket(f"?cursor={cursor}") as talk:
        await resumed(talk)
        assert [frame["tweet"]["user"]["user_id"] for frame in talk.kind("tweet")] == [di.id]


@pytest.mark.parametrize("cursor", ["nonsense", "0x1", "-1", "999999999999", "9" * 30, "١", " 1", "1e3", "1.0"])
async def test_an_unknown_cursor_is_answered_by_a_gap(people: Names, cursor: str) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        await talk.send({"type": "resume", "cursor": cursor})
        gap = await resumed(talk)
        assert gap["type"] == "gap"
        tweet = await bo.tweet("goes on live")
        assert (await talk.caught_up()).tweets() == [tweet["tweet_id"]]
        await talk.send({"type": "resume", "cursor": gap["cursor"]})
        await resumed(talk)
        assert set(talk.tweets()) == {tweet["tweet_id"]}


async def test_a_cursor_that_is_too_long_is_a_problem(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        assert await talk.refused({"type": "resume", "cursor": "1" * 201}) == ("invalid", 422)
    async with ada.socket("?cursor=" + "1" * 300) as talk:
        assert (await talk.receive())["problem"]["status"] == 422


async def test_a_cursor_older_than_the_window_is_answered_by_a_gap(tmp_path: Path) -> None:
    async with live_roost(tmp_path) as roost:
        ada = await roost.join("ada")
        cursor = await left_with(ada)
        await ada.tweet("soon too old")
        async with ada.socket(f"?cursor={cursor}") as talk:
            assert (await resumed(talk))["type"] == "resumed"
        roost.clock.advance(hours=0.26)
        async with ada.socket(f"?cursor={cursor}") as talk:
            assert (await resumed(talk))["type"] == "gap"


async def test_a_cursor_too_many_facts_back_is_answered_by_a_gap(tmp_path: Path) -> None:
    async with live_roost(tmp_path, Settings(rate_limits=False, resume_events_max=50)) as roost:
        ada = await roost.join("ada")
        cursor = await left_with(ada)
        for n in range(60):
            await ada.tweet(f"number {n}")
        async with ada.socket(f"?cursor={cursor}") as talk:
            assert (await resumed(talk))["type"] == "gap"


async def test_a_cursor_is_good_after_a_restart(tmp_path: Path) -> None:
    async with live_roost(tmp_path) as roost:
        ada = await roost.join("ada")
        cursor = await left_with(ada)
        missed = await ada.tweet("missed")
    async with live_roost(tmp_path) as roost:
        again = Person(roost, ada.user, ada.token)
        async with again.socket(f"?cursor={cursor}") as talk:
            await resumed(talk)
            assert talk.tweets() == [missed["tweet_id"]]


async def test_channels_are_resumed_with_the_home(people: Names) -> None:
    ada, bo, cy = await people("ada", "bo", "cy")
    await ada.follow(bo)
    cursor = await left_with(ada)
    tag = f"tag{ada.id}"
    of_bo, of_cy = await bo.tweet(f"missed #{tag}"), await cy.tweet(f"missed too #{tag.upper()}")
    async with ada.socket() as talk:
        for channel in (f"hashtag:{tag}", f"search:missed from:{cy.user.username}"):
            assert (await talk.ask({"type": "subscribe", "channel": channel}))["type"] == "subscribed"
        await cy.rest("DELETE", f"/tweet/{(await cy.tweet('gone'))['tweet_id']}")
        await talk.send({"type": "resume", "cursor": cursor})
        await resumed(talk)
        assert talk.tweets() == [of_bo["tweet_id"]]
        assert talk.tweets(f"hashtag:{tag}") == [of_bo["tweet_id"], of_cy["tweet_id"]]
        assert talk.tweets(f"search:missed from:{cy.user.username}") == [of_cy["tweet_id"]]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_disconnects_while_tweets_pour_in_lose_nothing(people: Names, seed: int) -> None:
    chance = Random(seed)
    [ada, *authors] = await people("ada", "bo", "cy", "di")
    await ada.follow(*authors)
    pouring = asyncio.gather(*(pour(author, ada, Random(f"{seed} {n}")) for n, author in enumerate(authors)))
    got, cursor = Collected(), ""
    while not pouring.done():
        async with ada.socket(f"?cursor={cursor}" if cursor else "") as talk:
            await receive_some(talk, chance.randrange(1, 12), pouring)
            if chance.random() < 0.7:
                talk.connection.transport.abort()
            cursor = talk.cursor
            got.take(talk)
    poured = await pouring
    await ada.roost.told()
    async with ada.socket(f"?cursor={cursor}") as talk:
        await resumed(talk)
        got.take(talk)
    deleted = {id for posted in poured for id, gone in posted if gone}
    for posted in poured:
        kept = [id for id, gone in posted if not gone]
        assert [id for id in got.tweets if id in set(kept)] == kept  # each, and in order
    assert deleted <= got.deleted
    assert set(got.tweets) - deleted <= {id for posted in poured for id, _ in posted}
    listed = (await ada.rest("GET", "/notifications", 200, params={"limit": 100}))["notifications"]
    assert {one["notification_id"] for one in listed} <= got.notifications


async def receive_some(talk: Talk, frames: int, pouring: "asyncio.Future[list[list[tuple[str, bool]]]]") -> None:
    """So many frames, or fewer where no more pour in."""
    for _ in range(frames):
        reading = asyncio.ensure_future(talk.receive())
        await asyncio.wait({reading, pouring}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            reading.cancel()
            await asyncio.wait({reading})
            return
        await reading


async def pour(author: Person, mentioned: Person, chance: Random) -> list[tuple[str, bool]]:
    """Ids in order, and whether each was deleted again."""
    posted: list[tuple[str, bool]] = []
    async with author.socket() as talk:
        for n in range(60):
            name = f" @{mentioned.user.username}" if chance.random() < 0.2 else ""
            tweet = await talk.post(f"number {n}{name}", ref=str(n))
            gone = chance.random() < 0.1
            if gone:
                await author.rest("DELETE", f"/tweet/{tweet['tweet_id']}")
            posted.append((tweet["tweet_id"], gone))
    return posted


class Collected:
    """What came over all sockets together, each once, by its first coming."""

    def __init__(self) -> None:
        self._tweets: dict[str, None] = {}
        self.deleted: set[str] = set()
        self.notifications: set[str] = set()

    @property
    def tweets(self) -> list[str]:
        return list(self._tweets)

    def take(self, talk: Talk) -> None:
        assert talk.kind("gap") == []
        ids = talk.tweets()
        assert len(ids) == len(set(ids))  # once a connection
        self._tweets.update(dict.fromkeys(ids))
        self.deleted.update(talk.deleted())
        self.notifications.update(frame["notification"]["notification_id"] for frame in talk.kind("notification"))


async def test_who_resumes_again_and_again_on_one_socket_misses_nothing(people: Names) -> None:
    ada, bo = await people("ada", "bo")
    await ada.follow(bo)
    async with ada.socket() as talk:
        pouring = asyncio.ensure_future(pour(bo, ada, Random(1)))
        while not pouring.done():
            await talk.send({"type": "resume", "cursor": talk.cursor})
            await resumed(talk)
        posted = await pouring
        await talk.caught_up()
        kept = [id for id, gone in posted if not gone]
        assert [id for id in dict.fromkeys(talk.tweets()) if id in set(kept)] == kept


async def test_who_reads_too_slowly_gets_a_gap_and_may_resume_from_it(tmp_path: Path) -> None:
    limits = Limits(owed_frames_max=20, write_buffer_bytes_max=4_096, send_buffer_bytes=4_096)
    async with live_roost(tmp_path, limits=limits) as roost:
        ada, bo = await roost.join("ada"), await roost.join("bo")
        await ada.follow(bo)
        narrow = socket.create_connection(("127.0.0.1", roost.port))
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        async with ada.socket(sock=narrow, max_queue=1) as slow, bo.socket() as writer:
            posted: list[str] = []
            while not roost.edges.hub.counts.gaps:
                posted.append((await writer.post(f"{len(posted)} " + "x" * 200))["tweet_id"])
            gap = await slow.until(lambda frame: frame["type"] == "gap")
            posted.append((await writer.post("after the gap"))["tweet_id"])
            await slow.caught_up()
            came = slow.tweets()
            assert came[-1] == posted[-1]
            assert set(came) < set(posted)
            assert posted[: len(came) - 1] == came[:-1]
        # Whoever fetches from the gap's cursor on misses nothing that came after it.
        async with ada.socket(f"?cursor={gap['cursor']}") as talk:
            await resumed(talk)
            assert talk.tweets() == posted[posted.index(talk.tweets()[0]) :]


async def test_a_resume_waits_for_a_slow_reader_and_leaves_nothing_out(tmp_path: Path) -> None:
    limits = Limits(owed_frames_max=20, write_buffer_bytes_max=4_096, send_buffer_bytes=4_096)
    async with live_roost(tmp_path, limits=limits) as roost:
        ada, bo = await roost.join("ada"), await roost.join("bo")
        await ada.follow(bo)
        cursor = await left_with(ada)
        async with bo.socket() as writer:
            posted = [(await writer.post(f"{n} " + "x" * 200))["tweet_id"] for n in range(90)]
            narrow = socket.create_connection(("127.0.0.1", roost.port))
            narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            async with ada.socket(f"?cursor={cursor}", sock=narrow, max_queue=1) as slow:
                [member] = list(roost.edges.room._by_user[ada.user.id].values())  # noqa: SLF001
                await eventually(lambda: not member._socket.writable)  # type: ignore[attr-defined]  # noqa: SLF001
                posted += [(await writer.post(f"during {n}"))["tweet_id"] for n in range(30)]
                assert (await resumed(slow))["type"] == "resumed"
                await slow.caught_up()
                assert slow.tweets() == posted
                assert slow.kind("gap") == []
