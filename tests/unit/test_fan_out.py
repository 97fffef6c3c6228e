"""Fan-out in turns: everybody is reached, and nobody waits for an author with very many followers."""

import time

import pytest

from roost.adapters.cache.memory import MemoryReadThrough, MemoryTimelines
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.domain.events import FanOutRest, TweetPosted
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.tweet import Tweet
from roost.reactions.fan_out import FOLLOWERS_A_TURN, FanOut
from roost.views.celebrities import CelebrityView
from roost.views.relations import CachedFollowers, FollowerView

AUTHOR = UserId(1)
ID = TweetId(77)
DAY_S = 86_400.0


class Town:
    """A fan-out over warm timelines, and the turns that it left on the log."""

    def __init__(self) -> None:
        self.log = MemoryEventLog(lambda: 0)
        self.homes = MemoryTimelines(800, 100_000, DAY_S, time.monotonic)
        kept: MemoryReadThrough[UserId, CachedFollowers] = MemoryReadThrough(10**6, DAY_S, time.monotonic)
        self.followers = FollowerView(MemoryRelationStore(self.log.leave), kept)
        celebrities = CelebrityView(MemoryCelebrityStore(self.log.leave))
        self.fan_out = FanOut(self.followers, self.homes, celebrities, self.log)

    async def has_followers(self, count: int) -> list[UserId]:
        followers = [UserId(10 + 3 * number) for number in range(count)]
        await self.followers.cache.put(AUTHOR, CachedFollowers(tuple(followers), complete=True))
        for follower in followers:
            await self.homes.finish(follower, await self.homes.begin(follower), (), 0)
        return followers

    async def rests(self, after: Position) -> list[FanOutRest]:
        read = await self.log.read(after, 100)
        return [logged.event for logged in read or () if isinstance(logged.event, FanOutRest)]


@pytest.mark.parametrize(
    "count", [1, FOLLOWERS_A_TURN - 1, FOLLOWERS_A_TURN, FOLLOWERS_A_TURN + 1, 3 * FOLLOWERS_A_TURN]
)
async def test_every_follower_is_reached_once_in_turns_that_are_bounded(count: int) -> None:
    town = Town()
    followers = await town.has_followers(count)
    position = await town.log.end()
    await town.fan_out(TweetPosted.of(Tweet(ID, AUTHOR, "hello", Version(1))))
    turns = [town.fan_out.delivered]
    while rests := await town.rests(position):
        assert len(rests) == 1
        position = await town.log.end()
        await town.fan_out(rests[0])
        turns.append(town.fan_out.delivered - sum(turns))
    assert max(turns) <= FOLLOWERS_A_TURN
    assert sum(turns) == count
    reached = [timeline.ids for follower in followers if (timeline := town.homes.peek(follower)) is not None]
    assert reached == [[ID]] * count


async def test_what_another_process_left_for_itself_is_not_done_here() -> None:
    town = Town()
    await town.has_followers(3)
    await town.fan_out(FanOutRest(ID, AUTHOR, UserId(0), node=5))
    assert town.fan_out.delivered == 0
