"""What is Cassandra's own: the schema's version, outages, races between processes, lists that outgrow a partition."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from contract.cassandra_server import ADDRESS, RecordingSession, stores_of
from contract.own_server import free_port
from contract.store_adapters import ANA, BEN, CEM, DEE, NOW_MS, content, quote, ref, reply, retweet, tweet
from roost.adapters.clock.system import SystemClock
from roost.adapters.store.cassandra import buckets, claims, schema
from roost.adapters.store.cassandra.claims import ClaimKind, Claims
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.stores import CassandraStores
from roost.domain.errors import AlreadyTaken, DependencyDown, Draining, Invalid, Overloaded
from roost.domain.events import Event
from roost.domain.ids import ContentId, Position, TweetId, UserId, Version, compose_id
from roost.domain.relation import Relation, RelationKind
from roost.domain.timeline import Page
from roost.domain.user import Account, User
from roost.ports.likes import Like

CLAIM = Cql("INSERT INTO claims (kind, key, holder, at_ms) VALUES (?, ?, ?, ?) IF NOT EXISTS")


async def announce(events: Sequence[Event]) -> Position | None:
    return Position("1")


@dataclass(frozen=True)
class Bench:
    session: RecordingSession
    stores: CassandraStores


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with stores_of(announce) as (session, stores):
        yield Bench(session, stores)


async def test_a_keyspace_of_a_newer_program_is_refused() -> None:
    session = await RecordingSession().open()
    try:
        await session.write(schema.KEEP_VERSION, schema.VERSION + 1)
        with pytest.raises(DependencyDown, match="newer program"):
            await RecordingSession().open()
    finally:
        await session.write(schema.KEEP_VERSION, schema.VERSION)
        await session.close()


async def test_where_nobody_answers_opening_is_refused_in_time() -> None:
    nobody = free_port()
    began_s = time.monotonic()
    with pytest.raises(DependencyDown, match="Cassandra"):
        await CassandraSession([ADDRESS], nobody, "nobody").open()
    assert time.monotonic() - began_s < 15


async def test_a_closed_session_says_that_this_node_is_on_its_way_out() -> None:
    session = await RecordingSession().open()
    await session.close()
    with pytest.raises(Draining):
        await session.rows(schema.KEPT_VERSION)


@pytest.mark.parametrize("name", ["", "Roost", "a-b", "1a", "x" * 49])
def test_a_name_that_is_none_of_a_keyspace_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="keyspace"):
        CassandraSession([ADDRESS], 1, name)


async def test_of_two_processes_one_has_the_name_the_ref_the_retweet_and_the_last_place(bench: Bench) -> None:
    async with AsyncExitStack() as stack:
        rivals = [bench.stores, (await stack.enter_async_context(stores_of(announce)))[1]]
        original = tweet(1, DEE)
        await bench.stores.tweets.add(original, None, [])

        def register(number: int) -> object:
            id = UserId(500 + number)
            user = User(id, "same", "", 1, Version(1))
            return rivals[number].accounts.create(user, Account(id, f"u{number}@x", f"u{number}@x", None, ""), None, [])

        outcomes = await asyncio.gather(*(register(n) for n in range(2)), return_exceptions=True)  # type: ignore[call-overload]
        assert sum(isinstance(each, AlreadyTaken) for each in outcomes) == 1
        posts = await asyncio.gather(*(rivals[n % 2].tweets.add(tweet(10 + n), ref(), []) for n in range(6)))
        assert len({posted.tweet_id for posted in posts}) == 1
        assert sum(not posted.repeated for posted in posts) == 1
        retweets = [retweet(20 + n, original, BEN) for n in range(6)]
        posts = await asyncio.gather(*(rivals[n % 2].tweets.add(each, None, []) for n, each in enumerate(retweets)))
        assert len({posted.tweet_id for posted in posts}) == 1
        follows = [Relation(RelationKind.FOLLOW, CEM, UserId(200 + n), Version(n)) for n in range(1, 7)]
        added = [rivals[n % 2].relations.add(each, 2) for n, each in enumerate(follows)]
        refused = [each for each in await asyncio.gather(*added, return_exceptions=True) if isinstance(each, Invalid)]
        assert (len(refused), len((await bench.stores.relations.relations(CEM)).follows)) == (4, 2)


async def test_lists_are_whole_when_they_outgrow_their_buckets(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "ROWS_MAX", 3)
    stores, original = bench.stores, tweet(1)
    await stores.tweets.add(original, None, [])
    users = [UserId(1_000 + n) for n in range(30)]
    for number, user in enumerate(users):
        for posted in (reply(100 + number, original, user), quote(200 + number, original, user)):
            await stores.tweets.add(posted, None, [])
        await stores.likes.add(Like(user, TweetId(1), ANA, Version(300 + number)))
        await stores.relations.add(Relation(RelationKind.FOLLOW, user, ANA, Version(400 + number)), 10)
        if number % 5 == 0:
            await stores.counts.recount([TweetId(1)], [ANA], Version(1 + number))
    assert await stores.tweets.replies_to(TweetId(1), None, 50) == list(range(100, 130))
    assert await stores.tweets.quotes_of(TweetId(1), TweetId(220), 5) == [219, 218, 217, 216, 215]
    assert [like.version for like in await stores.likes.of_tweet(TweetId(1), None, 7)] == list(range(329, 322, -1))
    assert await stores.relations.followers(ANA, UserId(1_009), 5) == users[10:15]
    of_object = await stores.relations.of_object(RelationKind.FOLLOW, ANA, None, 4)
    assert [each.subject for each in of_object] == users[:25:-1]
    for number, user in enumerate(users[:29]):
        await stores.likes.remove(user, TweetId(1))
        await stores.relations.remove(RelationKind.FOLLOW, user, ANA, Version(900))
        await stores.tweets.delete(reply(100 + number, original, user), Version(900), [])
    assert [like.user_id for like in await stores.likes.of_tweet(TweetId(1), None, 9)] == users[29:]
    assert await stores.relations.followers(ANA, UserId(0), 9) == users[29:]
    assert await stores.relations.follower_counts([ANA]) == {ANA: 1}
    assert await stores.tweets.replies_to(TweetId(1), None, 9) == [129]


async def test_lists_go_on_over_months_and_shards(bench: Bench) -> None:
    tweets, month_ms = bench.stores.tweets, 30 * 86_400_000
    ids = [compose_id(NOW_MS + n * month_ms, shard=n % 3, node=1) for n in range(12)]
    for id in ids:
        await tweets.add(tweet(id), None, [])
    await tweets.add(tweet(ids[3] + 1, BEN), None, [])
    assert await tweets.by_author(ANA, Page(5)) == ids[:6:-1]
    assert await tweets.by_author(ANA, Page(3, after=TweetId(ids[2]))) == ids[5:2:-1]
    assert await tweets.by_authors([ANA, BEN], TweetId(ids[5]), TweetId(ids[2]), 9) == [ids[4], ids[3] + 1, ids[3]]
    assert await tweets.newest_id() == ids[-1]
    everything = sorted([*ids, ids[3] + 1])
    walked: list[int] = []
    while step := await tweets.scan(TweetId(walked[-1] if walked else 0), 2):
        walked += [each.id for each in step]
    assert walked == everything


async def test_a_claim_whose_rows_never_came_is_taken_over_once_it_is_old(bench: Bench) -> None:
    now_ms = SystemClock().now_ms()
    await bench.session.decide([CLAIM("username", "ana", 999, now_ms - claims.UNDER_WAY_MS_MAX - 1)])
    await bench.stores.accounts.create(
        User(ANA, "Ana", "", 1, Version(1)), Account(ANA, "a@x", "a@x", None, ""), None, []
    )
    assert await bench.stores.accounts.ids_by_name(["ana"]) == {"ana": ANA}


async def test_a_fresh_claim_is_waited_for_and_not_taken(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "WAIT_S_MAX", 0.1)

    async def never(_: int) -> None:
        return None

    mine = Claims(bench.session, SystemClock().now_ms)
    assert await mine.claim(ClaimKind.USERNAME, "ana", ANA, never) == ANA
    with pytest.raises(Overloaded):
        await mine.claim(ClaimKind.USERNAME, "ana", BEN, never)
    await mine.release(ClaimKind.USERNAME, "ana", BEN)
    await mine.release(ClaimKind.USERNAME, "ana", ANA)
    assert await mine.claim(ClaimKind.USERNAME, "ana", BEN, never) == BEN


async def test_content_of_a_post_that_never_came_is_free_and_abandoned_once_that_is_long_ago(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents, tweets = bench.stores.contents, bench.stores.tweets
    for id in ("c1", "c2", "c3"):
        await contents.add(content(id), 1_000)
        await contents.claim(ANA, [ContentId(id)], TweetId(7))
    with pytest.raises(Invalid):
        await contents.claim(ANA, [ContentId("c1")], TweetId(8))
    assert await contents.abandoned(NOW_MS + 1, 9) == []
    monkeypatch.setattr("roost.adapters.store.cassandra.contents.UNDER_WAY_MS_MAX", -1)
    await tweets.add(tweet(8, content=(ContentId("c1"),)), None, [])
    assert [each.id for each in await contents.abandoned(NOW_MS + 1, 9)] == ["c2", "c3"]
    await contents.remove_unclaimed([ContentId(id) for id in ("c1", "c2", "c3")])
    assert list(await contents.get_many([ContentId(id) for id in ("c1", "c2", "c3")])) == ["c1"]


async def test_a_ticket_is_used_once_by_whoever_is_first(bench: Bench) -> None:
    tickets, now_ms = bench.stores.used_tickets, SystemClock().now_ms()
    uses = await asyncio.gather(*(tickets.use(b"one", now_ms + 30_000, now_ms) for _ in range(6)))
    assert sorted(uses) == [False] * 5 + [True]
    assert await tickets.use(b"two", now_ms + 30_000, now_ms)
    assert not await tickets.use(b"one", now_ms + 30_000, now_ms + 1)
    with pytest.raises(ValueError, match="good for"):
        await tickets.use(b"three", now_ms + 999_000_000, now_ms)
