"""What RedisValues and RedisFollowers promise, over a single server and over a cluster of three primaries."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from contract import redis_servers
from contract.test_read_through import Loader
from roost.adapters.cache.redis_followers import RedisFollowers
from roost.adapters.cache.redis_values import RedisValues
from roost.adapters.clock.manual import ManualClock
from roost.adapters.redis_bytes import VALUE_BYTES_MAX, RedisBytes
from roost.adapters.redis_link import RedisLink
from roost.domain.ids import UserId

ANA = UserId(1)
TTL_S = 100.0
FOLLOWERS_MAX = 50


@dataclass
class Bench:
    link: RedisLink
    make: type[RedisValues[str, str]] = RedisValues
    kept: type[RedisBytes] = RedisBytes
    prefix: str = field(default_factory=redis_servers.fresh_prefix)
    clock: ManualClock = field(default_factory=ManualClock)
    load: Loader = field(default_factory=Loader)

    def __post_init__(self) -> None:
        self.values = self.another()

    def bytes(self) -> RedisBytes:
        return self.kept(self.link, self.prefix, redis_servers.RANDOMNESS, self.clock.monotonic_s, TTL_S)

    def another(self) -> RedisValues[str, str]:
        """The same values as another process has them."""
        decode = msgspec.msgpack.Decoder(str).decode
        return self.make(self.bytes(), msgspec.msgpack.Encoder().encode, decode)

    async def get(self, *keys: str) -> Mapping[str, str]:
        return await self.values.get_many(keys, self.load)

    async def begin_load(self, key: str) -> "tuple[asyncio.Task[Mapping[str, str]], asyncio.Event]":
        """A load that has read its row and is yet to answer; setting the event lets it."""
        self.load.gate, self.load.reading = asyncio.Event(), asyncio.Event()
        task = asyncio.ensure_future(self.get(key))
        await self.load.reading.wait()
        gate, self.load.gate = self.load.gate, None
        return task, gate

    async def ask(self, name: str, *command: str | int) -> object:
        """Of the key itself: the command's first word, the key, its other words."""
        key = f"{self.prefix}{name}".encode()
        return await self.link.ask_owner(key, [command[0], key, *command[1:]], self.link.deadline_s())


@pytest.fixture(params=redis_servers.KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(redis_servers.link(request.param))


async def test_what_is_missing_is_loaded_in_one_call_and_then_there_for_all(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    assert await bench.get("a", "b") == {"a": "1", "b": "2"}
    assert await bench.another().get_many(["a", "b"], bench.load) == {"a": "1", "b": "2"}
    assert bench.load.asked == [["a", "b"]]


async def test_only_what_is_missing_is_loaded(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    await bench.get("a")
    assert await bench.get("a", "b") == {"a": "1", "b": "2"}
    assert bench.load.asked == [["a"], ["b"]]


async def test_what_does_not_exist_is_absent_and_asked_for_again(bench: Bench) -> None:
    assert await bench.get("a") == {}
    bench.load.rows = {"a": "1"}
    assert await bench.get("a") == {"a": "1"}


async def test_what_is_put_is_there_and_replaces_what_was(bench: Bench) -> None:
    await bench.values.put_many({"a": "1"})
    await bench.another().put_many({"a": "2", "b": "3"})
    assert await bench.get("a", "b") == {"a": "2", "b": "3"}
    assert bench.load.asked == []


async def test_what_is_forgotten_by_anybody_is_loaded_anew_and_nothing_else(bench: Bench) -> None:
    bench.load.rows = {"a": "1", "b": "2"}
    await bench.get("a", "b")
    bench.load.rows = {"a": "3", "b": "4"}
    await bench.another().forget_many(["a"])
    assert await bench.get("a", "b") == {"a": "3", "b": "2"}


async def test_clearing_forgets_everything_of_ones_own(bench: Bench) -> None:
    other = Bench(bench.link, bench.make, bench.kept)
    await other.values.put_many({"a": "1"})
    await bench.values.put_many({str(number): "old" for number in range(50)})
    assert await bench.values.clear()
    bench.load.rows = {str(number): "new" for number in range(50)}
    assert set((await bench.get(*bench.load.rows)).values()) == {"new"}
    assert await other.get("a") == {"a": "1"}


async def test_a_load_that_was_under_way_when_its_key_was_forgotten_is_answered_and_not_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.another().forget_many(["a"])
    go_on.set()
    assert await loading == {"a": "old"}
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_that_was_under_way_when_all_was_cleared_is_not_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.another().clear()
    go_on.set()
    await loading
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_that_was_under_way_when_a_value_was_put_does_not_replace_it(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    loading, go_on = await bench.begin_load("a")
    await bench.another().put_many({"a": "new"})
    go_on.set()
    await loading
    assert await bench.get("a") == {"a": "new"}


async def test_a_load_of_another_key_is_kept_whatever_is_forgotten(bench: Bench) -> None:
    bench.load.rows = {"a": "1"}
    loading, go_on = await bench.begin_load("a")
    await bench.another().forget_many(["b"])
    go_on.set()
    await loading
    await bench.get("a")
    assert bench.load.asked == [["a"]]


async def test_a_load_that_begins_after_the_key_was_forgotten_is_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    early, go_on = await bench.begin_load("a")
    bench.load.rows = {"a": "new"}
    await bench.another().forget_many(["a"])
    assert await bench.get("a") == {"a": "new"}
    go_on.set()
    await early
    assert await bench.get("a") == {"a": "new"}
    assert len(bench.load.asked) == 2


async def test_of_two_loads_the_one_that_began_before_the_forgetting_is_not_kept(bench: Bench) -> None:
    bench.load.rows = {"a": "old"}
    early, early_goes_on = await bench.begin_load("a")
    await bench.another().forget_many(["a"])
    bench.load.rows = {"a": "new"}
    late, late_goes_on = await bench.begin_load("a")
    early_goes_on.set()
    await early
    late_goes_on.set()
    await late
    assert await bench.get("a") == {"a": "new"}
    assert len(bench.load.asked) == 2


async def test_a_load_that_fails_leaves_nothing_behind(bench: Bench) -> None:
    async def failing(_: Collection[str]) -> Mapping[str, str]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await bench.values.get_many(["a"], failing)
    bench.load.rows = {"a": "1"}
    assert await bench.get("a") == {"a": "1"}
    await bench.get("a")
    assert bench.load.asked == [["a"]]


async def test_many_keys_are_read_in_parts(bench: Bench) -> None:
    bench.load.rows = {str(number): "x" * 100 for number in range(2_500)}
    assert await bench.get(*bench.load.rows) == bench.load.rows
    assert await bench.get(*bench.load.rows) == bench.load.rows
    assert len(bench.load.asked) == 1


async def test_what_cannot_be_decoded_is_loaded_and_replaced(bench: Bench) -> None:
    await bench.ask("a", "SET", "=\xc1")
    bench.load.rows = {"a": "1"}
    assert await bench.get("a") == {"a": "1"}
    assert await bench.get("a") == {"a": "1"}
    assert bench.load.asked == [["a"]]


async def test_what_is_too_large_is_answered_and_not_kept(bench: Bench) -> None:
    large = "x" * (VALUE_BYTES_MAX + 1)
    bench.load.rows = {"a": large}
    assert await bench.get("a") == {"a": large}
    assert await bench.ask("a", "STRLEN") != VALUE_BYTES_MAX
    await bench.values.put_many({"b": "small"})
    await bench.values.put_many({"b": large})
    assert await bench.get("b") == {}


async def test_a_value_goes_when_unused_for_the_time_to_live_and_a_read_is_a_use(bench: Bench) -> None:
    await bench.values.put_many({"a": "1"})
    await bench.ask("a", "PEXPIRE", 1_000)
    await bench.get("a")
    left_ms = await bench.ask("a", "PTTL")
    assert isinstance(left_ms, int)
    assert 90_000 < left_ms <= TTL_S * 1000


@dataclass
class Follows:
    """Who follows whom, as the store has it."""

    rows: dict[UserId, Sequence[UserId]] = field(default_factory=dict)
    asked: int = 0
    gate: asyncio.Event | None = None
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, author: UserId) -> Sequence[UserId] | None:
        self.asked += 1
        found = self.rows[author]
        if self.gate is not None:
            self.reading.set()
            await self.gate.wait()
        return found


@pytest.fixture
def followers(bench: Bench) -> RedisFollowers:
    return RedisFollowers(bench.bytes(), FOLLOWERS_MAX)


def people(*ids: int) -> tuple[UserId, ...]:
    return tuple(UserId(id) for id in ids)


@pytest.mark.parametrize("ids", [(), (5,), (1, 2, (1 << 63) - 1), tuple(range(1, FOLLOWERS_MAX + 1))])
async def test_followers_are_loaded_once_and_come_back_as_they_were(
    followers: RedisFollowers, ids: tuple[int, ...]
) -> None:
    follows = Follows({ANA: list(people(*ids))})
    assert await followers.of(ANA, follows) == people(*ids)
    assert await followers.of(ANA, follows) == people(*ids)
    assert follows.asked == 1


async def test_of_an_author_with_more_followers_than_the_bound_only_that_is_kept(followers: RedisFollowers) -> None:
    follows = Follows({ANA: people(*range(1, FOLLOWERS_MAX + 2))})
    assert await followers.of(ANA, follows) is None
    assert await followers.of(ANA, follows) is None
    assert follows.asked == 1


async def test_followers_are_loaded_anew_once_forgotten(followers: RedisFollowers) -> None:
    follows = Follows({ANA: people(2)})
    await followers.of(ANA, follows)
    follows.rows[ANA] = people(2, 3)
    await followers.forget(ANA)
    assert await followers.of(ANA, follows) == people(2, 3)
    follows.rows[ANA] = people(3)
    assert await followers.clear()
    assert await followers.of(ANA, follows) == people(3)


async def test_followers_that_were_read_before_the_forgetting_are_not_kept(followers: RedisFollowers) -> None:
    follows = Follows({ANA: people(2)}, gate=asyncio.Event())
    loading = asyncio.ensure_future(followers.of(ANA, follows))
    await follows.reading.wait()
    await followers.forget(ANA)
    assert follows.gate is not None
    follows.gate.set()
    assert await loading == people(2)
    follows.rows[ANA] = people(2, 3)
    assert await followers.of(ANA, follows) == people(2, 3)
