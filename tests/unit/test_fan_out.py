"""Fan-out in turns: everybody is reached, and nobody waits for an author with very many followers."""

import asyncio
import time

import pytest

from contract.store_adapters import memory_stores
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.domain.events import FanOutRest, TweetPosted
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.tweet import Tweet, TweetCounts
from roost.reactions import fan_out
from roost.reactions.fan_out import FOLLOWERS_AT_ONCE, FanOut, LoggedRests, OwnRests
from roost.views.celebrities import CelebrityView
from roost.views.relations import CachedFollowers, FollowerView
from roost.views.tweets import TweetView

AUTHOR = UserId(1)
ID, LATER = TweetId(77), TweetId(78)
A_TURN = 100
WAIT_S = 5.0
DAY_S = 86_400.0


class Town:
    """A fan-out over warm timelines, and the turns that it left."""

    def __init__(self, followers_a_turn: int) -> None:
        self.own = OwnRests(followers_a_turn)
        self.log = MemoryEventLog(lambda: 0)
        self.homes = MemoryTimelines(800, 100_000, DAY_S, time.monotonic)
        kept: MemoryReadThrough[UserId, CachedFollowers] = MemoryReadThrough(10**6, DAY_S, time.monotonic)
        self.followers = FollowerView(MemoryRelationStore(self.log.leave), kept, page_size=A_TURN)
        celebrities = CelebrityView(MemoryCelebrityStore(self.log.leave))
        self.fan_out = FanOut(self.followers, self.homes, celebrities, self.own)

    async def has_followers(self, count: int) -> list[UserId]:
        followers = [UserId(10 + 3 * number) for number in range(count)]
        await self.followers.cache.put(AUTHOR, CachedFollowers.of(followers, self.followers.page_size))
        for follower in followers:
            await self.homes.finish(follower, await self.homes.begin(follower), (), 0)
        return followers


@pytest.mark.parametrize(
    "count", [1, FOLLOWERS_AT_ONCE - 1, FOLLOWERS_AT_ONCE, FOLLOWERS_AT_ONCE + 1, 3 * FOLLOWERS_AT_ONCE]
)
async def test_every_follower_is_reached_once_in_turns_that_are_bounded(count: int) -> None:
    town = Town(A_TURN)
    followers = await town.has_followers(count)
    await town.fan_out(TweetPosted.of(Tweet(ID, AUTHOR, "hello", Version(1))))
    turns = [town.fan_out.delivered]
    while len(town.own):
        (served,) = await town.own.batch()
        await town.fan_out(served.event)
        turns.append(town.fan_out.delivered - sum(turns))
    assert turns[0] <= FOLLOWERS_AT_ONCE
    assert max(turns[1:], default=0) <= A_TURN
    assert sum(turns) == count
    reached = [list(timeline.ids) for follower in followers if (timeline := town.homes.peek(follower)) is not None]
    assert reached == [[ID]] * count


async def test_of_several_large_fan_outs_each_has_its_turn() -> None:
    town = Town(A_TURN)
    await town.has_followers(FOLLOWERS_AT_ONCE + 3 * A_TURN)
    for id in (ID, LATER):
        await town.fan_out(TweetPosted.of(Tweet(id, AUTHOR, "hello", Version(id))))
    order = []
    while len(town.own):
        (served,) = await town.own.batch()
        await town.fan_out(served.event)
        assert isinstance(served.event, FanOutRest)
        order.append(served.event.tweet_id)
    assert order[:6] == [ID, LATER] * 3


async def test_where_too_many_wait_the_next_waits_for_room_and_those_under_way_go_on() -> None:
    own = OwnRests(rests_max=2)
    for id in (1, 2):
        await own.leave(FanOutRest(TweetId(id), AUTHOR, UserId(0)))
    third = asyncio.ensure_future(own.leave(FanOutRest(TweetId(3), AUTHOR, UserId(0))))
    await asyncio.sleep(0)
    assert not third.done()
    (served,) = await own.batch()
    assert isinstance(served.event, FanOutRest)
    await asyncio.wait_for(own.leave(served.event), WAIT_S)  # what is left of it: it had its place
    assert not third.done()
    assert len(own) == own.rests_max
    seen = []
    while len(own):
        (served,) = await own.batch()
        assert isinstance(served.event, FanOutRest)
        seen.append(served.event.tweet_id)
    assert third.done()
    assert sorted(seen) == [1, 2, 3]


async def test_a_few_give_way_to_writes_for_a_bounded_time_and_many_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    own = OwnRests(is_writing=lambda: True)
    for id in range(fan_out.FEW_RESTS + 1):
        await own.leave(FanOutRest(TweetId(id), AUTHOR, UserId(0)))
    await own.batch()
    assert slept == [0]
    slept.clear()
    await own.batch()
    assert slept == [0, *[fan_out.GIVE_WAY_S] * fan_out.GIVES_WAY_MAX]


async def test_rests_on_the_log_stand_behind_what_was_posted_meanwhile() -> None:
    town = Town(A_TURN)
    town.fan_out.rests = LoggedRests(town.log, followers_a_turn=A_TURN)
    followers = await town.has_followers(FOLLOWERS_AT_ONCE + A_TURN + 1)
    position = await town.log.end()
    await town.fan_out(TweetPosted.of(Tweet(ID, AUTHOR, "hello", Version(1))))
    other = FanOutRest(LATER, UserId(2), UserId(0))
    await town.log.append([other])
    read = await town.log.read(position, 10)
    assert read is not None
    rest, behind = (logged.event for logged in read)
    assert behind == other
    await town.fan_out(rest)
    read = await town.log.read(read[-1].position, 10)
    assert read is not None
    (last,) = read
    await town.fan_out(last.event)
    assert town.fan_out.delivered == len(followers)


async def test_what_was_delivered_is_at_hand_also_where_another_process_posted_it() -> None:
    town = Town(A_TURN)
    stores = memory_stores()
    cache: MemoryReadThrough[TweetId, Tweet] = MemoryReadThrough(9, DAY_S, time.monotonic)
    counts: MemoryReadThrough[TweetId, TweetCounts] = MemoryReadThrough(9, DAY_S, time.monotonic)
    town.fan_out.tweets = TweetView(stores.tweets, cache, stores.counts, counts)
    original = Tweet(ID, AUTHOR, "hello", Version(1))
    quote = Tweet(LATER, AUTHOR, "look", Version(2), quote_of=ID, quote_of_author=AUTHOR)
    for one in (original, quote):
        await stores.tweets.add(one, None, [])
    await town.has_followers(0)
    await town.fan_out(TweetPosted.of(quote))
    assert (cache.peek(ID), cache.peek(LATER)) == (None, None), "nobody reads it here"
    await town.has_followers(1)
    await town.fan_out(TweetPosted.of(quote))
    assert (cache.peek(ID), cache.peek(LATER)) == (original, quote)
    assert counts.peek(LATER) is not None
