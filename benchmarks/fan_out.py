"""Deliveries onto warm home timelines that one core makes in a second.

    python benchmarks/fan_out.py [--repeats N]

The product's reaction, its follower cache and its timelines, in this process, without log and store. Reference: a loop
that appends to lists in a dict, for the same followers; in turns.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence

from harness.figures import Report

from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.domain.events import TweetPosted
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.timeline import TIMELINE_LENGTH_DEFAULT
from roost.domain.tweet import Tweet
from roost.reactions.fan_out import FanOut, OwnRests
from roost.views.celebrities import CelebrityView
from roost.views.relations import CachedFollowers, FollowerView

FOLLOWERS = (200, 790, 13_000)
OWNERS = 13_000
DELIVERIES = 1_000_000
"""Of each run: each timeline gets some 80 ids, as many as a trim takes off."""
AUTHOR = UserId(1)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    given = arguments.parse_args()
    report = Report("fan_out")
    for followers in FOLLOWERS:
        rates, bare, ratios = [], [], []
        for _ in range(given.repeats):
            rates.append(asyncio.run(_rate(followers)))
            bare.append(_bare_rate(followers))
            ratios.append(rates[-1] / bare[-1])
        report.add(f"{followers} followers", "deliveries", "1/s a core", rates)
        report.add(f"{followers} followers, bare loop", "deliveries", "1/s a core", bare)
        report.add(f"{followers} followers", "of the bare loop", "ratio", ratios)


async def _rate(followers: int) -> float:
    """Deliveries a second of processor time."""
    homes = MemoryTimelines(TIMELINE_LENGTH_DEFAULT, OWNERS, 86_400.0, time.monotonic)
    for owner in range(2, OWNERS + 2):
        ticket = await homes.begin(UserId(owner))
        await homes.finish(UserId(owner), ticket, [TweetId(id) for id in range(1, TIMELINE_LENGTH_DEFAULT)], 1)
    kept: MemoryReadThrough[UserId, CachedFollowers] = MemoryReadThrough(10**9, 86_400.0, time.monotonic)
    log = MemoryEventLog(lambda: 0)
    authors = [UserId(-1 - number) for number in range(OWNERS // followers)]
    for number, author in enumerate(authors):
        await kept.put(author, CachedFollowers.of(list(_followers(number, followers))))
    rests = OwnRests()
    fan_out = FanOut(
        FollowerView(MemoryRelationStore(log.leave), kept), homes, CelebrityView(MemoryCelebrityStore(log.leave)), rests
    )
    tweets = DELIVERIES // followers
    events = [
        TweetPosted.of(Tweet(TweetId(10_000 + number), authors[number % len(authors)], "", Version(number)))
        for number in range(tweets)
    ]
    began_s = time.process_time()
    for event in events:
        await fan_out(event)
        while len(rests):
            for rest in await rests.batch():
                await fan_out(rest.event)
    spent_s = time.process_time() - began_s
    assert fan_out.delivered == tweets * followers
    return fan_out.delivered / spent_s


def _bare_rate(followers: int) -> float:
    homes: dict[int, list[int]] = {owner: list(range(TIMELINE_LENGTH_DEFAULT)) for owner in range(2, OWNERS + 2)}
    authors = [_followers(number, followers) for number in range(OWNERS // followers)]
    tweets = DELIVERIES // followers
    began_s = time.process_time()
    for number in range(tweets):
        id = 10_000 + number
        for owner in authors[number % len(authors)]:
            homes[owner].append(id)
    return tweets * followers / (time.process_time() - began_s)


def _followers(number: int, count: int) -> Sequence[UserId]:
    """Spread over all owners, as followers are: the timelines that a tweet goes to do not lie side by side."""
    step = OWNERS // count
    return [UserId(2 + (number + index * step) % OWNERS) for index in range(count)]


if __name__ == "__main__":
    main()
