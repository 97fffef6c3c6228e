"""What the Cassandra stores promise of facts whose announcement has to wait."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from contract.cassandra_server import RecordingSession, stores_of
from contract.store_adapters import ANA, BEN, CEM, ref, tweet
from roost.adapters.store.cassandra import outbox as outboxes
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.stores import CassandraStores
from roost.domain.errors import DependencyDown
from roost.domain.events import Event, LikeChanged, RelationChanged, TweetPosted
from roost.domain.ids import Position, TweetId, Version
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import Tweet
from roost.ports.likes import Like

ROWS_OF_OUTBOX = Cql("SELECT id FROM outbox LIMIT 1000", walks=True)
FOLLOW = Relation(RelationKind.FOLLOW, BEN, ANA, Version(5))


@dataclass
class Log:
    """A log that may be down, or answer never."""

    told: list[Event] = field(default_factory=list)
    is_down: bool = False
    is_stuck: bool = False

    async def announce(self, events: Sequence[Event]) -> Position | None:
        if self.is_stuck:
            await asyncio.Event().wait()
        if self.is_down:
            raise DependencyDown("the log does not answer")
        self.told += events
        return Position(str(len(self.told)))


@dataclass(frozen=True)
class Bench:
    session: RecordingSession
    stores: CassandraStores
    log: Log

    async def post(self, posted: Tweet) -> Position | None:
        return (await self.stores.tweets.add(posted, None, [TweetPosted.of(posted)])).position

    async def pending(self) -> list[Event]:
        return [event for _, event in await self.stores.outbox.pending(100)]

    async def cleared(self) -> int:
        """How many rows the outbox has once what was told is cleared."""
        await self.stores.outbox.close()
        return len(await self.session.rows(ROWS_OF_OUTBOX))


@asynccontextmanager
async def bench(grace_ms: int = 0) -> AsyncIterator[Bench]:
    log = Log()
    async with stores_of(log.announce, grace_ms=grace_ms) as (session, stores):
        yield Bench(session, stores, log)


async def test_what_was_told_leaves_the_outbox() -> None:
    async with bench() as it:
        assert await it.post(tweet(1)) == "1"
        assert await it.cleared() == 0
        assert await it.pending() == []


async def test_what_could_not_be_told_is_pending_until_it_is_done() -> None:
    async with bench() as it:
        it.log.is_down = True
        assert await it.post(tweet(1)) is None
        assert await it.stores.likes.add(Like(BEN, TweetId(1), ANA, Version(3))) == it.stores.outbox.before_all
        assert it.log.told == []
        expected = [TweetPosted.of(tweet(1)), LikeChanged(BEN, TweetId(1), ANA, now=True, version=Version(3))]
        pending = await it.stores.outbox.pending(100)
        assert [event for _, event in pending] == expected
        assert await it.pending() == expected
        await it.stores.outbox.done([pending[0][0]])
        assert await it.pending() == expected[1:]
        await it.stores.outbox.done([key for key, _ in pending])
        assert await it.pending() == []


async def test_a_log_that_never_answers_does_not_keep_a_post_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "ANNOUNCE_S_MAX", 0.05)
    async with bench() as it:
        it.log.is_stuck = True
        assert await it.post(tweet(1)) is None
        assert await it.stores.tweets.get_many([TweetId(1)]) == {1: tweet(1)}
        assert await it.pending() == [TweetPosted.of(tweet(1))]


async def test_pending_facts_come_oldest_first_and_no_more_than_asked_for() -> None:
    async with bench() as it:
        it.log.is_down = True
        posts = [tweet(id) for id in (5, 3, 8, 1)]
        for posted in posts:
            await it.post(posted)
        first = await it.stores.outbox.pending(3)
        assert [event for _, event in first] == [TweetPosted.of(posted) for posted in posts[:3]]
        await it.stores.outbox.done([key for key, _ in first])
        assert await it.pending() == [TweetPosted.of(posts[3])]


async def test_what_could_not_be_told_is_told_once_the_log_is_back_and_then_no_more() -> None:
    async with bench() as it:
        it.log.is_down = True
        posts = [tweet(id) for id in (1, 2)]
        for posted in posts:
            await it.post(posted)
        assert not await it.stores.outbox.tell_again()
        it.log.is_down = False
        assert await it.stores.outbox.tell_again()
        assert it.log.told == [TweetPosted.of(posted) for posted in posts]
        assert await it.cleared() == 0
        assert await it.stores.outbox.tell_again()
        assert len(it.log.told) == len(posts)


async def test_facts_that_may_still_be_told_by_who_left_them_are_not_given_out() -> None:
    async with bench(grace_ms=60_000) as it:
        it.log.is_down = True
        await it.post(tweet(1))
        assert await it.pending() == []


async def test_a_repeated_post_whose_announcement_waits_has_no_position() -> None:
    async with bench() as it:
        it.log.is_down = True
        posts = [await it.stores.tweets.add(tweet(1), ref(), [TweetPosted.of(tweet(1))]) for _ in range(2)]
        assert [posted.position for posted in posts] == [None, None]
        assert posts[1].repeated


async def test_a_decision_that_changes_nothing_leaves_no_fact() -> None:
    async with bench() as it:
        await it.stores.relations.add(FOLLOW, 10)
        await asyncio.gather(*(it.stores.relations.add(FOLLOW, 10) for _ in range(3)))
        assert await it.cleared() == 0
        assert it.log.told == [_told(now=True)]


async def test_lists_that_a_crash_left_behind_are_mended_before_the_fact_is_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with bench() as it:
        relations = it.stores.relations
        await crash_after_deciding(it, monkeypatch)
        assert await relations.holds(RelationKind.FOLLOW, BEN, ANA) == FOLLOW
        assert await relations.followers(ANA, ANA, 9) == []
        assert await it.pending() == [_told(now=True)]
        assert await relations.followers(ANA, ANA, 9) == [BEN]
        assert await relations.of_subject(RelationKind.FOLLOW, BEN, None, 9) == [FOLLOW]


async def test_a_fact_of_what_was_undone_since_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as it:
        relations = it.stores.relations
        await crash_after_deciding(it, monkeypatch)
        await relations.remove(RelationKind.FOLLOW, BEN, ANA, Version(6))
        newer = Relation(RelationKind.FOLLOW, BEN, ANA, Version(9))
        await relations.add(newer, 10)
        assert _told(now=True) not in await it.pending()
        assert await relations.of_object(RelationKind.FOLLOW, ANA, None, 9) == [newer]
        assert await relations.followers(ANA, ANA, 9) == [BEN]


async def test_a_block_that_a_crash_cut_in_two_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as it:
        relations = it.stores.relations
        await relations.add(Relation(RelationKind.FOLLOW, CEM, BEN, Version(1)), 10)
        await crash_after_deciding(it, monkeypatch, Relation(RelationKind.BLOCK, BEN, CEM, Version(5)))
        assert (await relations.relations(CEM)).blocked_by == frozenset()
        await it.pending()
        assert (await relations.relations(CEM)).blocked_by == {BEN}
        assert await relations.holds(RelationKind.FOLLOW, CEM, BEN) is None


async def crash_after_deciding(it: Bench, monkeypatch: pytest.MonkeyPatch, relation: Relation = FOLLOW) -> None:
    """Add a relation, and stop before the lists follow."""
    lists = it.stores.relations._lists  # noqa: SLF001 - there is no other way to stop in between

    async def crash(*_: object) -> None:
        raise DependencyDown("gone in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(type(lists), "follow", crash)
        with pytest.raises(DependencyDown):
            await it.stores.relations.add(relation, 10)


def _told(*, now: bool) -> RelationChanged:
    return RelationChanged(BEN, ANA, RelationKind.FOLLOW.value, now, Version(5))
