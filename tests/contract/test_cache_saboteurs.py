"""The cache contracts must catch a wrong adapter: each saboteur breaks one promise and is named for it."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from inspect import iscoroutinefunction

import pytest

from contract import test_read_through as values
from contract import test_timeline_cache as timelines
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import INBOX_ROOM, MemoryTimelines, _Warm
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import IdList
from roost.ports.cache import Load, ReadThrough, TimelineCache


class LateFillsAreKept(MemoryReadThrough[str, str]):
    def _void_loads(self, key: str) -> None:
        pass


class LateFillsAreKeptAfterClearing(MemoryReadThrough[str, str]):
    async def clear(self) -> None:
        for key in list(self._entries):
            self._drop(key)


class FillsReplaceWhatWasPut(MemoryReadThrough[str, str]):
    async def put(self, key: str, value: str) -> None:
        self._keep(key, value)


class EqualLoadsAreTakenForOne(MemoryReadThrough[str, str]):
    """Of two loads of the same keys, the one that ends hides the other."""

    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        async def loading(missing: Sequence[str]) -> Mapping[str, str]:
            loaded = await load(missing)
            for number, fillable in self._loading.items():
                self._loading[number] = set(fillable)  # what was under way fills a set of its own
            return loaded

        return await super().get_many(keys, loading)


class ForgettingDropsAllLoads(MemoryReadThrough[str, str]):
    def _void_loads(self, key: str) -> None:
        for fillable in self._loading.values():
            fillable.clear()


class ForgettingForgetsNothing(MemoryReadThrough[str, str]):
    async def forget(self, key: str) -> None:
        self._void_loads(key)


class ForgettingForgetsAll(MemoryReadThrough[str, str]):
    async def forget(self, key: str) -> None:
        await self.clear()


class LoadsEachKeyByItself(MemoryReadThrough[str, str]):
    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for key in keys:
            found |= await super().get_many([key], load)
        return found


class LoadsAllAgain(MemoryReadThrough[str, str]):
    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        if any(key not in self._entries for key in keys):
            for key in keys:
                self._drop(key)
        return await super().get_many(keys, load)


class KeepsWhatIsNotThere(MemoryReadThrough[str, str]):
    async def get_many(self, keys: Collection[str], load: Load[str, str]) -> Mapping[str, str]:
        found = await super().get_many(keys, load)
        self._absent = getattr(self, "_absent", set()) | (set(keys) - found.keys())
        return {key: value for key, value in found.items() if key not in self._absent}


class FirstInFirstOut(MemoryReadThrough[str, str]):
    def peek(self, key: str) -> str | None:
        order = list(self._entries)
        value = super().peek(key)
        for each in order:
            if each in self._entries:
                self._entries.move_to_end(each)
        return value


class HasNoBound(MemoryReadThrough[str, str]):
    def _keep(self, key: str, value: str) -> None:
        self._weight = 0
        super()._keep(key, value)


class CountsEntriesOnly(MemoryReadThrough[str, str]):
    def _keep(self, key: str, value: str) -> None:
        self._weigh = lambda _: 1
        super()._keep(key, value)


class ForgetsWeightsOfWhatIsReplaced(MemoryReadThrough[str, str]):
    def _keep(self, key: str, value: str) -> None:
        self._entries.pop(key, None)
        super()._keep(key, value)


class LivesForEver(MemoryReadThrough[str, str]):
    def peek(self, key: str) -> str | None:
        entry = self._entries.get(key)
        return None if entry is None else self._renewed(key, entry.value)

    def _renewed(self, key: str, value: str) -> str:
        self._entries[key].used_s = self._now_s()
        self._entries.move_to_end(key)
        return value


class DiesTheTimeToLiveAfterItCame(MemoryReadThrough[str, str]):
    def peek(self, key: str) -> str | None:
        entry = self._entries.get(key)
        came_s = None if entry is None else entry.used_s
        value = super().peek(key)
        if entry is not None and came_s is not None:
            entry.used_s = came_s
        return value


async def _is_caught(promise: Callable[..., Awaitable[None]], bench: object) -> None:
    with pytest.raises((AssertionError, KeyError)):
        await promise(bench)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (LateFillsAreKept, values.test_a_load_that_was_under_way_when_its_key_was_forgotten_is_answered_and_not_kept),
        (LateFillsAreKeptAfterClearing, values.test_a_load_that_was_under_way_when_all_was_cleared_is_not_kept),
        (FillsReplaceWhatWasPut, values.test_a_load_that_was_under_way_when_a_value_was_put_does_not_replace_it),
        (EqualLoadsAreTakenForOne, values.test_of_two_loads_of_the_same_key_the_end_of_one_does_not_hide_the_other),
        (ForgettingDropsAllLoads, values.test_a_load_of_another_key_is_kept_whatever_is_forgotten),
        (ForgettingForgetsNothing, values.test_what_is_forgotten_is_loaded_anew_and_nothing_else),
        (ForgettingForgetsAll, values.test_what_is_forgotten_is_loaded_anew_and_nothing_else),
        (LoadsEachKeyByItself, values.test_what_is_missing_is_loaded_in_one_call_and_then_at_hand),
        (LoadsAllAgain, values.test_only_what_is_missing_is_loaded),
        (KeepsWhatIsNotThere, values.test_what_does_not_exist_is_absent_and_asked_for_again),
        (FirstInFirstOut, values.test_beyond_the_bound_what_is_unused_longest_goes),
        (HasNoBound, values.test_however_much_is_kept_the_bound_holds),
        (CountsEntriesOnly, values.test_what_is_heavier_than_the_bound_is_answered_and_not_kept),
        (ForgetsWeightsOfWhatIsReplaced, values.test_the_bound_is_one_of_weight_where_entries_weigh_differently),
        (LivesForEver, values.test_what_is_unused_for_the_time_to_live_goes),
        (DiesTheTimeToLiveAfterItCame, values.test_what_is_used_stays_longer_than_the_time_to_live),
    ],
)
async def test_a_wrong_read_through_is_caught(
    saboteur: type[MemoryReadThrough[str, str]], promise: Callable[..., Awaitable[None]]
) -> None:
    def make(*bounds: object) -> ReadThrough[str, str]:
        return saboteur(*bounds)  # type: ignore[arg-type]  # as the contract gives them

    await _is_caught(promise, values.Bench(make))


class PushesDuringARebuildAreLost(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        if owner in self._warming:
            self._warming[owner][1].clear()
        return await super().finish(owner, ticket, ids, floor)


class EveryRebuildCollectsAllPushes(MemoryTimelines):
    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        for _, pushed in self._warming.values():
            pushed.add(id)
        return await super().push(id, owners)


class PushesBelowTheFloorAreKept(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        pushed = self._warming[owner][1] if owner in self._warming else set()
        return await super().finish(owner, ticket, [*ids, *pushed], floor)


class RebuildsAreNeverVoid(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        self._warming[owner] = (ticket, set())
        return await super().finish(owner, ticket, ids, floor)


class ClearingSparesRebuilds(MemoryTimelines):
    async def clear(self) -> None:
        self._warm.clear()


class ForgettingSparesRebuilds(MemoryTimelines):
    async def forget(self, owner: UserId) -> None:
        self._warm.pop(owner, None)


class ForgettingForgetsAllTimelines(MemoryTimelines):
    async def forget(self, owner: UserId) -> None:
        await self.clear()


class AnOlderRebuildCounts(MemoryTimelines):
    async def begin(self, owner: UserId) -> int:
        if owner in self._warming:
            return self._warming[owner][0]
        return await super().begin(owner)


class PushesWarm(MemoryTimelines):
    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        for owner in owners:
            if owner not in self._warm:
                await self.finish(owner, await self.begin(owner), (), 0)
        return await super().push(id, owners)


class PushesAtTheTopOnly(MemoryTimelines):
    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        for owner in owners:
            if owner in self._warm:
                self._warm[owner].ids.append(id)
        return len(owners)


class PushesAreUses(MemoryTimelines):
    async def push(self, id: TweetId, owners: Collection[UserId]) -> int:
        for owner in owners:
            self.peek(owner)
        return await super().push(id, owners)


class RemembersWhoWasWarm(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        found = await super().finish(owner, ticket, ids, floor)
        self._boxes_of._changes = 0  # noqa: SLF001 - what a saboteur is for
        return found


class WhatFillsABoxIsLost(MemoryTimelines):
    def _take_in(self, timeline: _Warm) -> None:
        pushed = self._inboxes.empty(timeline.box)
        if 0 < len(pushed) < INBOX_ROOM:
            timeline.take_in(pushed)


class KeepsTimelinesForEver(MemoryTimelines):
    def peek(self, owner: UserId) -> IdList | None:
        if owner in self._warm:
            self._warm[owner].used_s = self._now_s()
        return super().peek(owner)


class ReadingIsNoUse(MemoryTimelines):
    def peek(self, owner: UserId) -> IdList | None:
        kept = self._warm.get(owner)
        used_s = None if kept is None else kept.used_s
        found = super().peek(owner)
        if kept is not None and used_s is not None:
            kept.used_s = used_s
        return found


class KeepsEveryOwner(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        self._owners_max += 1
        return await super().finish(owner, ticket, ids, floor)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (PushesDuringARebuildAreLost, timelines.test_what_is_pushed_during_a_rebuild_is_in_it),
        (EveryRebuildCollectsAllPushes, timelines.test_a_rebuild_of_many_owners_collects_for_each_his_own),
        (PushesBelowTheFloorAreKept, timelines.test_what_was_pushed_below_the_floor_of_a_rebuild_is_not),
        (RebuildsAreNeverVoid, timelines.test_a_rebuild_is_void_once_the_timeline_was_forgotten),
        (ClearingSparesRebuilds, timelines.test_a_rebuild_is_void_once_all_were_cleared),
        (ForgettingSparesRebuilds, timelines.test_a_rebuild_is_void_once_the_timeline_was_forgotten),
        (ForgettingForgetsAllTimelines, timelines.test_what_is_forgotten_is_cold),
        (AnOlderRebuildCounts, timelines.test_of_two_rebuilds_the_later_one_counts),
        (PushesWarm, timelines.test_a_cold_timeline_stays_cold_whatever_is_pushed),
        (PushesAtTheTopOnly, timelines.test_pushing_twice_changes_nothing_and_late_pushes_find_their_place),
        (PushesAreUses, timelines.test_beyond_the_bound_the_timeline_that_is_unread_longest_goes),
        (PushesAreUses, timelines.test_what_is_unread_for_the_time_to_live_goes_whatever_was_pushed),
        (RemembersWhoWasWarm, timelines.test_who_becomes_warm_between_two_pushes_takes_the_second),
        (WhatFillsABoxIsLost, timelines.test_each_of_a_crowd_takes_what_is_pushed_to_all_however_much_it_is),
        (KeepsTimelinesForEver, timelines.test_what_is_unread_for_the_time_to_live_goes_whatever_was_pushed),
        (ReadingIsNoUse, timelines.test_what_is_read_stays_longer_than_the_time_to_live),
        (KeepsEveryOwner, timelines.test_beyond_the_bound_the_timeline_that_is_unread_longest_goes),
    ],
)
async def test_a_wrong_timeline_cache_is_caught(
    saboteur: type[MemoryTimelines], promise: Callable[..., Awaitable[None]]
) -> None:
    def make(*bounds: object) -> TimelineCache:
        return saboteur(*bounds)  # type: ignore[arg-type]  # as the contract gives them

    await _is_caught(promise, timelines.Bench(make))


class _Unbroken(MemoryTimelines):
    """Breaks nothing."""


@pytest.mark.parametrize("promise", [promise for name, promise in vars(timelines).items() if name.startswith("test_")])
async def test_an_adapter_that_breaks_nothing_passes(promise: Callable[..., Awaitable[None]]) -> None:
    if iscoroutinefunction(promise) and not hasattr(promise, "hypothesis"):
        await promise(timelines.Bench(_Unbroken))
