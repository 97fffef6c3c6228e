"""Node numbers in Cassandra: one holder each, taken over long after the last renewal; and ids minted under them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api.waiting import eventually
from contract.cassandra_server import RecordingSession, empty
from roost.adapters.clock.manual import ManualClock
from roost.adapters.clock.system import SystemClock
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.leases import CassandraNodeLeases
from roost.assembly.cluster import lease as leasing
from roost.assembly.cluster.lease import leased_mint
from roost.domain.errors import DependencyDown
from roost.domain.ids import UserId
from roost.ports.leases import CLOCK_OFF_MS_MAX, RELET_MS, USABLE_S, NodeLease

AGE = Cql("UPDATE node_leases SET at_ms = ? WHERE one = 0 AND number = ? IF holder = ?")
TAKE = Cql("UPDATE node_leases SET holder = ? WHERE one = 0 AND number = 0 IF holder = ?")


@pytest.fixture
async def session() -> AsyncIterator[RecordingSession]:
    opened = await RecordingSession().open()
    await empty(opened)
    yield opened
    await opened.close()


async def test_each_holder_has_a_number_of_its_own(session: RecordingSession) -> None:
    leases = CassandraNodeLeases(session)
    taken = await asyncio.gather(*(leases.take(f"holder {n}") for n in range(6)))
    assert sorted(lease.number for lease in taken) == list(range(6))


async def test_a_number_that_is_renewed_is_nobody_elses_and_one_that_is_given_back_is_let_at_once(
    session: RecordingSession,
) -> None:
    leases = CassandraNodeLeases(session)
    assert await leases.take("a") == NodeLease(0, 0)
    assert await leases.renew(0, "a", 7_000)
    assert not await leases.renew(0, "b", 8_000)
    assert (await leases.take("b")).number == 1
    await leases.release(0, "b", 9_000)
    assert (await leases.take("c")).number == 2, "another cannot give it back"
    await leases.release(0, "a", 9_500)
    assert await leases.take("d") == NodeLease(0, 9_500)
    assert not await leases.renew(0, "a", 9_600)


async def test_a_number_is_let_again_long_after_its_last_renewal(session: RecordingSession) -> None:
    leases = CassandraNodeLeases(session)
    await leases.take("a")
    await leases.renew(0, "a", 5_000)
    now_ms = await leases.now_ms()
    await session.decide([AGE(now_ms - RELET_MS + 60_000, 0, "a")])
    assert (await leases.take("b")).number == 1
    await session.decide([AGE(now_ms - RELET_MS - 1_000, 0, "a")])
    assert await leases.take("c") == NodeLease(0, 5_000)


async def test_a_holder_that_stood_still_mints_nothing_until_its_number_is_renewed(
    session: RecordingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leasing, "RENEW_EVERY_S", 0.05)
    clock, lost = ManualClock(SystemClock().now_ms()), list[str]()
    async with leased_mint(CassandraNodeLeases(session), clock, lambda: lost.append("lost")) as ids:
        first = ids.next_tweet_id(UserId(1))
        clock._steady_ms += round(1_000 * USABLE_S) + 1  # noqa: SLF001 - as after SIGSTOP: no time passes for the rest
        with pytest.raises(DependencyDown, match="not renewed"):
            ids.next_tweet_id(UserId(1))
        clock._steady_ms -= round(1_000 * USABLE_S)  # noqa: SLF001

        def mints() -> bool:
            return ids.next_tweet_id(UserId(1)) > first

        await eventually(mints)
        (row,) = await session.rows(Cql("SELECT holder FROM node_leases WHERE one = 0"))
        await session.decide(
            [Cql("UPDATE node_leases SET holder = ? WHERE one = 0 AND number = 0 IF holder = ?")("x", row[0])]
        )
        await eventually(lambda: lost)
        with pytest.raises(DependencyDown, match="another process"):
            ids.next_version()


async def test_a_clock_that_is_off_mints_nothing(session: RecordingSession) -> None:
    clock = ManualClock(SystemClock().now_ms() + CLOCK_OFF_MS_MAX + 5_000)
    async with leased_mint(CassandraNodeLeases(session), clock, lambda: None) as ids:
        with pytest.raises(DependencyDown, match="clock"):
            ids.next_user_id()
