"""The contracts of what Redis shares must catch a wrong adapter: each saboteur breaks one promise and is named so."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import Any

import pytest

from contract import redis_servers
from contract import test_redis_timelines as timelines
from contract import test_redis_values as values
from roost.adapters.cache.redis_followers import RedisFollowers
from roost.adapters.cache.redis_timelines import Put, RedisTimelines
from roost.adapters.cache.redis_values import RedisValues
from roost.adapters.redis_bytes import RedisBytes, Taken
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList
from roost.ports.cache import Load

Promise = Callable[..., Awaitable[None]]


class PushesWarm(RedisTimelines):
    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put:
        for owner in owners:
            await self.finish(owner, await self.begin(owner), (), 0)
        return await super().put(id, owners)


class PushesToTheFirstNode(RedisTimelines):
    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put:
        return await super().put(id, list(owners)[:1_000])


class CountsWhoeverIsPushedTo(RedisTimelines):
    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put:
        put = await super().put(id, owners)
        return Put(len(owners), put.missed)


class AllRebuildsShareATicket(RedisTimelines):
    async def _call(self, name: str, owner: UserId, *arguments: Any) -> Any:
        if name in ("begin", "finish"):
            arguments = (7, *arguments[1:])
        return await super()._call(name, owner, *arguments)


class RebuildsAreNeverVoid(RedisTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        found = await super().finish(owner, ticket, ids, floor)
        return found or await super().finish(owner, await self.begin(owner), ids, floor)


class PushesDuringARebuildAreLost(RedisTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        return await super().finish(owner, await self.begin(owner), ids, floor)


class ReadsHaveNoFloor(RedisTimelines):
    def _list(self, answer: Sequence[bytes] | None) -> IdList | None:
        if not answer:
            return None
        return IdList(self._length_max, (TweetId(int(id)) for id in answer[:-1]), 0)


class ForgettingForgetsNothing(RedisTimelines):
    async def forget_many(self, owners: Collection[UserId]) -> None:
        pass


class ForgettingForgetsAll(RedisTimelines):
    async def forget_many(self, owners: Collection[UserId]) -> None:
        await self.clear()


class ClearingForgetsNothing(RedisTimelines):
    async def clear(self) -> bool:
        return True


class ClearsThoseOfOthers(RedisTimelines):
    async def clear(self) -> bool:
        until_s = self._link.deadline_s()
        for address in await self._link.primaries(until_s):
            await self._link.ask(address, [["FLUSHALL"]], until_s)
        return True


class PushesAreUses(RedisTimelines):
    async def put(self, id: TweetId, owners: Collection[UserId]) -> Put:
        for owner in owners:
            await self.read(owner)
        return await super().put(id, owners)


class NeverTrims(RedisTimelines):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._length_max *= 100


class IgnoresPartsThatSayNothing(RedisTimelines):
    async def pushed_until(self) -> int | None:
        self._parts = 1
        return await super().pushed_until()


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (PushesWarm, timelines.test_a_cold_timeline_stays_cold_whatever_is_pushed),
        (PushesToTheFirstNode, timelines.test_each_of_a_crowd_takes_what_is_pushed_to_all),
        (CountsWhoeverIsPushedTo, timelines.test_each_of_a_crowd_takes_what_is_pushed_to_all),
        (AllRebuildsShareATicket, timelines.test_of_two_rebuilds_the_later_one_counts),
        (AllRebuildsShareATicket, timelines.test_a_rebuild_begun_after_the_forgetting_is_not_void),
        (RebuildsAreNeverVoid, timelines.test_a_rebuild_is_void_once_the_timeline_was_forgotten),
        (RebuildsAreNeverVoid, timelines.test_a_rebuild_is_void_once_all_were_cleared),
        (RebuildsAreNeverVoid, timelines.test_a_rebuild_finishes_once),
        (PushesDuringARebuildAreLost, timelines.test_what_is_pushed_during_a_rebuild_is_in_it),
        (ReadsHaveNoFloor, timelines.test_what_was_pushed_below_the_floor_of_a_rebuild_is_not),
        (ForgettingForgetsNothing, timelines.test_what_is_forgotten_is_cold_and_nothing_else),
        (ForgettingForgetsAll, timelines.test_what_is_forgotten_is_cold_and_nothing_else),
        (ClearingForgetsNothing, timelines.test_clearing_makes_all_cold_on_every_node_and_nothing_of_others),
        (ClearsThoseOfOthers, timelines.test_clearing_makes_all_cold_on_every_node_and_nothing_of_others),
        (PushesAreUses, timelines.test_a_push_is_no_use_and_a_read_is),
        (NeverTrims, timelines.test_a_list_is_trimmed_now_and_then_and_its_floor_rises),
        (IgnoresPartsThatSayNothing, timelines.test_all_is_pushed_until_the_part_that_is_behind),
    ],
    ids=lambda value: f"redis-{value.__name__}",
)
async def test_wrong_timelines_are_caught(saboteur: type[RedisTimelines], promise: Promise) -> None:
    with pytest.raises(AssertionError):
        await promise(timelines.Bench(redis_servers.link("redis-single"), saboteur))


class LateFillsAreKept(RedisBytes):
    async def fill(self, tokens: Mapping[bytes, bytes], values: Mapping[bytes, bytes]) -> None:
        await self.put(values)


class OneTokenForAll(RedisBytes):
    async def take(self, keys: Sequence[bytes]) -> Taken:
        random, self._random = self._random, type(redis_servers.RANDOMNESS)(1)
        taken = await super().take(keys)
        self._random = random
        return taken


class FillsNothing(RedisBytes):
    async def fill(self, tokens: Mapping[bytes, bytes], values: Mapping[bytes, bytes]) -> None:
        pass


class ForgetsNothing(RedisBytes):
    async def forget(self, keys: Sequence[bytes]) -> None:
        pass


class ForgetsAll(RedisBytes):
    async def forget(self, keys: Sequence[bytes]) -> None:
        await self.clear()


class ClearsNothing(RedisBytes):
    async def clear(self) -> bool:
        return True


class PutsOnlyWhereNothingIs(RedisBytes):
    async def put(self, values: Mapping[bytes, bytes]) -> None:
        there = (await self.take(list(values))).values
        await super().put({key: value for key, value in values.items() if key not in there})


class DiesTheTimeToLiveAfterItCame(RedisBytes):
    async def take(self, keys: Sequence[bytes]) -> Taken:
        self._ttl_ms = 500
        return await super().take(keys)


class LoadsEachKeyByItself(RedisValues[str, str]):
    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key in keys:
            found |= await super().get_many([key], load)
        return found


class LoadsAllAgain(RedisValues[str, str]):
    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        return await load(list(keys))


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (
            LateFillsAreKept,
            values.test_a_load_that_was_under_way_when_its_key_was_forgotten_is_answered_and_not_kept,
        ),
        (LateFillsAreKept, values.test_a_load_that_was_under_way_when_all_was_cleared_is_not_kept),
        (LateFillsAreKept, values.test_a_load_that_was_under_way_when_a_value_was_put_does_not_replace_it),
        (OneTokenForAll, values.test_of_two_loads_the_one_that_began_before_the_forgetting_is_not_kept),
        (FillsNothing, values.test_what_is_missing_is_loaded_in_one_call_and_then_there_for_all),
        (FillsNothing, values.test_a_load_of_another_key_is_kept_whatever_is_forgotten),
        (FillsNothing, values.test_a_load_that_begins_after_the_key_was_forgotten_is_kept),
        (ForgetsNothing, values.test_what_is_forgotten_by_anybody_is_loaded_anew_and_nothing_else),
        (ForgetsAll, values.test_what_is_forgotten_by_anybody_is_loaded_anew_and_nothing_else),
        (ClearsNothing, values.test_clearing_forgets_everything_of_ones_own),
        (PutsOnlyWhereNothingIs, values.test_what_is_put_is_there_and_replaces_what_was),
        (DiesTheTimeToLiveAfterItCame, values.test_a_value_goes_when_unused_for_the_time_to_live_and_a_read_is_a_use),
        (LoadsEachKeyByItself, values.test_what_is_missing_is_loaded_in_one_call_and_then_there_for_all),
        (LoadsAllAgain, values.test_only_what_is_missing_is_loaded),
    ],
    ids=lambda value: f"redis-{value.__name__}",
)
async def test_wrong_values_are_caught(
    saboteur: type[RedisBytes] | type[RedisValues[str, str]], promise: Promise
) -> None:
    link = redis_servers.link("redis-single")
    wrong = values.Bench(link, saboteur) if issubclass(saboteur, RedisValues) else values.Bench(link, kept=saboteur)
    with pytest.raises((AssertionError, KeyError, ValueError)):
        await promise(wrong)


class KeepsHoweverMany(RedisFollowers):
    def __init__(self, kept: RedisBytes, followers_max: int) -> None:
        super().__init__(kept, 10 * followers_max)


class NeverForgets(RedisFollowers):
    async def forget(self, author: UserId) -> None:
        pass


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (KeepsHoweverMany, values.test_of_an_author_with_more_followers_than_the_bound_only_that_is_kept),
        (NeverForgets, values.test_followers_are_loaded_anew_once_forgotten),
        (NeverForgets, values.test_followers_that_were_read_before_the_forgetting_are_not_kept),
    ],
    ids=lambda value: f"redis-{value.__name__}",
)
async def test_wrong_followers_are_caught(saboteur: type[RedisFollowers], promise: Promise) -> None:
    bench = values.Bench(redis_servers.link("redis-single"))
    with pytest.raises(AssertionError):
        await promise(saboteur(bench.bytes(), values.FOLLOWERS_MAX))


class _Unbroken(RedisTimelines):
    """Breaks nothing."""


@pytest.mark.parametrize(
    "promise",
    [promise for name, promise in vars(timelines).items() if name.startswith("test_")],
    ids=lambda value: f"redis-{value.__name__}",
)
async def test_timelines_that_break_nothing_pass(promise: Promise) -> None:
    if iscoroutinefunction(promise) and not hasattr(promise, "hypothesis"):
        await promise(timelines.Bench(redis_servers.link("redis-single"), _Unbroken))
