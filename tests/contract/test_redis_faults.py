"""Redis dies, hangs, is emptied, replaced, its slots move: caches answer within their bound and keep nothing wrong."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.crc import key_slot

from api.waiting import eventually
from contract import redis_servers, test_redis_timelines, test_redis_values
from contract.redis_servers import Servers
from roost.adapters.cache import repeated_pushes
from roost.adapters.cache.redis_timelines import RedisTimelines
from roost.adapters.cache.repeated_pushes import RepeatedPushes
from roost.adapters.redis_link import CALL_MS_MAX, RedisLink
from roost.domain.errors import DependencyDown
from roost.domain.ids import TweetId, UserId
from roost_cluster.engines import redis

ANA, BEN = UserId(1), UserId(2)
PATIENCE_S = 1.0
"""More than CALL_MS_MAX, as the machine may be busy."""


@pytest.fixture(params=["redis-single"])
def single() -> Iterator[Servers]:
    """One of this test's own, as it is ill-treated."""
    servers = redis_servers.start_single()
    yield servers
    servers.stop()


@pytest.fixture
async def link(single: Servers) -> AsyncIterator[RedisLink]:
    link = single.link(CALL_MS_MAX)
    yield link
    await link.close()


@pytest.fixture
async def cluster_link() -> AsyncIterator[RedisLink]:
    link = redis_servers.servers("redis-cluster").link()
    yield link
    await link.close()


def timelines_of(link: RedisLink) -> test_redis_timelines.Bench:
    bench = test_redis_timelines.Bench(link)
    bench.clock.monotonic_s = time.monotonic  # type: ignore[method-assign]  # what is recent is a matter of real time
    bench.timelines = bench.another()
    return bench


def pushes_of(bench: test_redis_timelines.Bench) -> RepeatedPushes:
    return RepeatedPushes(bench.timelines, time.monotonic)


async def answers_again(link: RedisLink) -> None:
    async def asks() -> bool:
        try:
            return bool(await link.ask_owner(b"x", ["EXISTS", b"x"], link.deadline_s()) == 0)
        except DependencyDown:
            return False

    await eventually(asks)


def other_than(servers: Servers, address: tuple[str, int]) -> redis.Node:
    return next(node for node in servers.nodes if (node.host, node.port) != address)


async def test_whatever_is_emptied_is_cold_and_fills_again(single: Servers, link: RedisLink) -> None:
    bench, values = timelines_of(link), test_redis_values.Bench(link)
    await bench.warm(ANA, 1)
    ticket = await bench.timelines.begin(BEN)
    values.load.rows = {"a": "old"}
    loading, go_on = await values.begin_load("a")
    assert await bench.timelines.note_pushed(0, 5)
    single.command("FLUSHALL")
    assert await bench.shown(ANA) is None
    assert await bench.push(5, ANA, BEN) == 0
    assert await bench.timelines.finish(BEN, ticket, [], 0) is None
    assert await bench.timelines.pushed_until() is None
    values.load.rows = {"a": "new"}
    go_on.set()
    assert await loading == {"a": "old"}
    assert await values.get("a") == {"a": "new"}
    await bench.warm(ANA, 2)
    assert await bench.push(5, ANA) == 1
    assert not link.is_down


async def test_functions_that_are_gone_are_loaded_again(single: Servers, link: RedisLink) -> None:
    bench = timelines_of(link)
    await bench.warm(ANA, 1)
    single.command("FUNCTION", "FLUSH")
    assert await bench.push(5, ANA) == 1
    single.command("FUNCTION", "FLUSH")
    assert await bench.shown(ANA) == [5, 1]


async def test_while_it_is_dead_nothing_raises_or_waits_and_it_is_told(single: Servers, link: RedisLink) -> None:
    bench, values = timelines_of(link), test_redis_values.Bench(link)
    await bench.warm(ANA, 1)
    values.load.rows = {"a": "1"}
    await values.get("a")
    single.processes[0].kill()
    began_s = time.monotonic()
    assert await bench.push(5, ANA, BEN) == 0
    assert bench.timelines.missed == 2
    assert await bench.shown(ANA) is None
    assert await bench.timelines.finish(ANA, await bench.timelines.begin(ANA), [], 0) is None
    assert not await bench.timelines.clear()
    assert not await bench.timelines.note_pushed(0, 5)
    assert await bench.timelines.pushed_until() is None
    assert await values.get("a") == {"a": "1"}
    await values.values.forget_many(["a"])
    await values.values.put_many({"a": "2"})
    assert values.values.missed > 0
    assert time.monotonic() - began_s < PATIENCE_S
    assert link.is_down
    assert link.failed_calls > 0
    epoch = link.epoch
    single.restart(0)
    await answers_again(link)
    await eventually(lambda: not link.is_down)
    assert link.epoch > epoch
    await eventually(bench.timelines.settle)
    await bench.warm(ANA, 1)
    assert await bench.push(5, ANA) == 1
    values.load.rows = {"a": "3"}
    await eventually(lambda: values_are_kept(values))


async def values_are_kept(values: test_redis_values.Bench) -> bool:
    """Whether a value that was read once is there the next time."""
    await values.get("a")
    asked = len(values.load.asked)
    return await values.get("a") == values.load.rows and len(values.load.asked) == asked


async def test_a_wait_for_one_that_hangs_is_bounded_and_rare(single: Servers, link: RedisLink) -> None:
    bench = timelines_of(link)
    await bench.warm(ANA, 1)
    single.processes[0].freeze()
    try:
        began_s = time.monotonic()
        assert await bench.shown(ANA) is None
        first_s = time.monotonic() - began_s
        for _ in range(100):
            assert await bench.shown(ANA) is None
        assert first_s >= CALL_MS_MAX / 1000 * 0.9
        assert time.monotonic() - began_s < first_s + PATIENCE_S
    finally:
        single.processes[0].thaw()
    await answers_again(link)
    assert await bench.shown(ANA) == [1]


async def test_what_could_not_be_forgotten_is_not_believed(single: Servers, link: RedisLink) -> None:
    bench, values = timelines_of(link), test_redis_values.Bench(link)
    await bench.warm(ANA, 1)
    await bench.warm(BEN, 1)
    values.load.rows = {"a": "old", "b": "other"}
    await values.get("a", "b")
    single.processes[0].freeze()
    try:
        await bench.timelines.forget(ANA)
        await values.values.forget_many(["a"])
    finally:
        single.processes[0].thaw()
    await answers_again(link)
    values.load.rows = {"a": "new"}
    assert await bench.shown(ANA) is None
    assert await values.get("a", "b") == {"a": "new", "b": "other"}
    assert await bench.shown(BEN) == [1]
    assert await bench.timelines.settle()
    assert await bench.another().read(ANA) is None


async def test_what_could_not_be_cleared_is_not_believed_and_cleared_later(single: Servers, link: RedisLink) -> None:
    bench = timelines_of(link)
    await bench.warm(ANA, 1)
    single.processes[0].freeze()
    try:
        assert not await bench.timelines.clear()
    finally:
        single.processes[0].thaw()
    await answers_again(link)
    assert await bench.shown(ANA) is None
    await eventually(bench.timelines.settle)
    assert await bench.another().read(ANA) is None
    await bench.warm(ANA, 2)
    assert await bench.shown(ANA) == [2]


async def test_pushes_that_redis_missed_come_later_and_until_then_nobody_is_told_that_all_is_pushed(
    single: Servers, link: RedisLink
) -> None:
    bench = timelines_of(link)
    pushes = pushes_of(bench)
    await bench.warm(ANA, 1)
    assert await pushes.note_pushed(0, 100)
    single.processes[0].freeze()
    try:
        assert await pushes.push(TweetId(5), (ANA, BEN)) == 0
        assert pushes.owed == 1
        assert not await pushes.note_pushed(0, 200)
    finally:
        single.processes[0].thaw()
    await eventually(lambda: pushes.note_pushed(0, 300))
    assert pushes.owed == 0
    assert await bench.shown(ANA) == [5, 1]
    assert await bench.timelines.pushed_until() == 300


async def test_after_more_missed_pushes_than_are_remembered_all_are_cold(
    single: Servers, link: RedisLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_pushes, "OWED_MAX", 3)
    bench = timelines_of(link)
    pushes = pushes_of(bench)
    await bench.warm(ANA, 1)
    single.processes[0].freeze()
    try:
        for id in range(5, 10):
            await pushes.push(TweetId(id), (ANA,))
        assert not await pushes.mend()
    finally:
        single.processes[0].thaw()
    await eventually(pushes.mend)
    assert await bench.another().read(ANA) is None
    await bench.warm(ANA, 9)
    assert await pushes.push(TweetId(10), (ANA,)) == 1


async def test_a_refusal_names_the_server_and_no_secret(single: Servers, link: RedisLink) -> None:
    single.command("CONFIG", "SET", "requirepass", "a-secret")
    intruder = RedisLink([(single.nodes[0].host, single.nodes[0].port)], time.monotonic, password="wrong-secret")
    with pytest.raises(DependencyDown, match=str(single.nodes[0].port)) as raised:
        await intruder.ask_owner(b"x", ["GET", b"x"], intruder.deadline_s())
    assert "secret" not in str(raised.value)
    assert await timelines_of(intruder).shown(ANA) is None
    await intruder.close()


async def test_slots_that_moved_are_found_by_all_calls(cluster_link: RedisLink) -> None:
    servers, bench = redis_servers.servers("redis-cluster"), timelines_of(cluster_link)
    values = test_redis_values.Bench(cluster_link)
    await bench.warm(ANA, 1)
    await bench.warm(BEN, 1)
    values.load.rows = {"a": "old", "b": "other"}
    await values.get("a", "b")
    for key in (f"{bench.prefix}{ANA}", f"{values.prefix}a"):
        await move(servers, cluster_link, key.encode())
    epoch = cluster_link.epoch
    assert await bench.push(5, ANA, BEN) == 2

    async def the_link_knows() -> bool:
        assert (await bench.shown(ANA), await bench.shown(BEN)) == ([5, 1], [5, 1])
        return cluster_link.epoch > epoch

    await eventually(the_link_knows)
    await values.another().forget_many(["a"])
    values.load.rows = {"a": "new"}
    assert await values.get("a", "b") == {"a": "new", "b": "other"}
    await move(servers, cluster_link, f"{bench.prefix}{ANA}".encode())
    assert await bench.shown(ANA) == [5, 1]


async def move(servers: Servers, link: RedisLink, key: bytes) -> None:
    """To another primary, behind the link's back."""
    (owner,) = await link.owners([key], link.deadline_s())
    source = next(node for node in servers.nodes if (node.host, node.port) == owner)
    redis.move_slot(key_slot(key), source, other_than(servers, owner))


async def test_while_a_slot_moves_what_is_there_and_what_comes_are_both_found(cluster_link: RedisLink) -> None:
    servers, bench = redis_servers.servers("redis-cluster"), timelines_of(cluster_link)
    key = f"{bench.prefix}{ANA}".encode()
    slot = key_slot(key)
    same = next(UserId(id) for id in range(2, 1 << 20) if key_slot(f"{bench.prefix}{id}".encode()) == slot)
    cold = next(UserId(id) for id in range(same + 1, 1 << 20) if key_slot(f"{bench.prefix}{id}".encode()) == slot)
    await bench.warm(ANA, 1)
    (owner,) = await cluster_link.owners([key], cluster_link.deadline_s())
    source = next(node for node in servers.nodes if (node.host, node.port) == owner)
    target = other_than(servers, owner)
    redis.begin_move(slot, source, target)
    await bench.warm(same, 1)  # it comes to stand on the target
    assert await bench.push(5, ANA, same, cold) == 2
    redis.end_move(slot, source, target)
    assert await bench.push(6, ANA, same, cold) == 2
    assert (await bench.shown(ANA), await bench.shown(same)) == ([6, 5, 1], [6, 5, 1])
    assert bench.timelines.missed == 0
    await bench.timelines.forget_many((ANA, same))
    assert (await bench.shown(ANA), await bench.shown(same)) == (None, None)


async def test_a_primary_that_is_killed_takes_only_its_own_down_and_its_replica_gets_what_it_missed() -> None:
    servers = redis_servers.start_cluster(3, 1)
    link = servers.link()
    try:
        bench = timelines_of(link)
        pushes = pushes_of(bench)
        owners = tuple(UserId(id) for id in range(1, 61))
        for owner in owners:
            await bench.warm(owner, 1)
        assert await pushes.push(TweetId(2), owners) == 60
        redis_servers.wait_until(lambda: redis.is_well(servers.nodes[3], 4))
        epoch = link.epoch
        servers.processes[0].kill()
        taken = await pushes.push(TweetId(3), owners)
        assert 20 <= taken < 60
        assert pushes.owed == 1
        assert not await pushes.note_pushed(0, 1)
        await eventually(lambda: pushes.note_pushed(0, 2))
        assert link.epoch > epoch
        assert [await bench.shown(owner) for owner in owners] == [[3, 2, 1]] * 60
        assert await pushes.push(TweetId(4), owners) == 60
        assert not link.is_down
    finally:
        await link.close()
        servers.stop()


async def test_a_cluster_that_is_not_there_is_down() -> None:
    link = RedisLink([("127.0.0.1", 1)], time.monotonic, is_cluster=True)
    timelines = RedisTimelines(link, "t:", 20, redis_servers.RANDOMNESS, time.monotonic)
    assert await timelines.push(TweetId(1), (ANA,)) == 0
    assert await timelines.read(ANA) is None
    assert timelines.missed == 1
    assert link.is_down
    await link.close()
