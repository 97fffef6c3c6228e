"""Whether one author with very many followers delays the tweets of others.

    python benchmarks/fairness.py [--followers N ...] [--seconds S]

50 others tweet at 200/s in all, an open loop; each tweet's time is taken from when it was due until it stands on the
home timeline of its last follower. In turns the one with many followers (13,000, then 1,000,000) tweets once a second,
below the celebrity threshold, and is silent: that is the reference. All in this process,
over a real data folder: durable posts, the log, all reactions.
"""

import argparse
import asyncio
import itertools
import sqlite3
import time
from collections.abc import Iterator, Sequence

import uvloop
from harness.figures import Report
from harness.town import Person, Plan, messages, opened, town

from roost.adapters.sqlite_file import SqliteFile
from roost.assembly.edges import build_edges
from roost.assembly.node import Node
from roost.commands.post_tweet import Draft, PostTweet
from roost.domain.ids import TweetId, UserId, compose_id

OTHERS, READERS = 50, 1_000
FOLLOWERS_OF_OTHER = 20
RATE_PER_S = 200
LOUD_EVERY_S = 1.0
WARM_S, TURNS = 1.5, 3
LOOK_EVERY_S = 0.001
SERVED_S_MAX = 60.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--followers", type=int, action="append", help="13,000, then 1,000,000, unless given")
    arguments.add_argument("--seconds", type=float, default=9.0, help="with him silent, and as many with him tweeting")
    given = arguments.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for followers in given.followers or (13_000, 1_000_000):
            runner.run(_one(followers, given.seconds))


async def _one(followers: int, seconds: float) -> None:
    report = Report("fairness", {"followers": followers})
    with town(_plan()) as there:
        settings = {"celebrity_threshold": 10**9, "timelines_cached_max": 2 * followers + 10_000}
        async with opened(there.data, follower_ids_cached_max=10**8, **settings) as node:
            loud, others = there.people[0], there.people[1 : OTHERS + 1]
            await _follow(node, loud, followers)
            crowd = await _warm(node, followers, there.people[OTHERS + 1 :])
            town_of = Town(node, _post_tweet(node), others, there.people[OTHERS + 1 :])
            await town_of.tweet(WARM_S)
            quiet, aloud, served = [], [], []
            for _ in range(TURNS):
                quiet.append(_p99_ms(await town_of.tweet(seconds / TURNS)))
                loudly = asyncio.create_task(town_of.loud(loud, crowd, seconds / TURNS, served))
                aloud.append(_p99_ms(await town_of.tweet(seconds / TURNS)))
                await loudly
    case = f"{followers} followers"
    report.add(f"{case}, silent", "tweet to timeline p99", "ms", quiet)
    report.add(f"{case}, tweeting", "tweet to timeline p99", "ms", aloud)
    ratios = [busy / calm for busy, calm in zip(aloud, quiet, strict=True)]
    report.add(f"{case}, tweeting", "p99 of the silent one's", "ratio", ratios)
    report.add(f"{case}, tweeting", "all followers served", "s", served)


class Town:
    """Who tweets, and what is looked at."""

    def __init__(self, node: Node, post: PostTweet, others: Sequence[Person], readers: Sequence[Person]) -> None:
        self.node = node
        self.post = post
        self.others = others
        self.last_follower = {
            author.user_id: UserId(readers[_last_follower(index)].user_id) for index, author in enumerate(others)
        }
        self.messages = messages()

    async def tweet(self, seconds: float) -> list[float]:
        """Seconds from due to the last follower's timeline, of each tweet."""
        tasks, began_s = [], time.perf_counter()
        for number, author in zip(range(int(RATE_PER_S * seconds)), itertools.cycle(self.others), strict=False):
            due_s = began_s + number / RATE_PER_S
            await asyncio.sleep(max(due_s - time.perf_counter(), 0))
            tasks.append(asyncio.create_task(self._one(author, due_s)))
        return list(await asyncio.gather(*tasks))

    async def loud(self, author: Person, crowd: UserId, seconds: float, served: list[float]) -> None:
        """Tweet now and then, and note how long all followers take; not before the one before is through."""
        until_s = time.perf_counter() + seconds
        while time.perf_counter() < until_s:
            began_s = time.perf_counter()
            posted = await self.post(UserId(author.user_id), Draft(message=next(self.messages)))
            await self._arrived(posted.seen.tweet.id, crowd)
            served.append(time.perf_counter() - began_s)
            await asyncio.sleep(max(began_s + LOUD_EVERY_S - time.perf_counter(), 0))

    async def _one(self, author: Person, due_s: float) -> float:
        posted = await self.post(UserId(author.user_id), Draft(message=next(self.messages)))
        await self._arrived(posted.seen.tweet.id, self.last_follower[author.user_id])
        return time.perf_counter() - due_s

    async def _arrived(self, id: TweetId, owner: UserId) -> None:
        async with asyncio.timeout(SERVED_S_MAX):
            while True:
                timeline = self.node.views.caches.homes.peek(owner)
                if timeline is not None and id in timeline.ids[-RATE_PER_S:]:
                    return
                await asyncio.sleep(LOOK_EVERY_S)


def _post_tweet(node: Node) -> PostTweet:
    """The command, as an edge has it."""

    async def ready() -> None:
        return

    return build_edges(node, node.progress.position, ready).entrance.desk.post


def _plan() -> Plan:
    return Plan(f"fairness-{OTHERS}-{READERS}", 1 + OTHERS + READERS, _follows, list)


def _follows() -> Iterator[tuple[int, int]]:
    for author in range(OTHERS):
        for step in range(FOLLOWERS_OF_OTHER):
            yield 1 + OTHERS + (author * FOLLOWERS_OF_OTHER + step) % READERS, 1 + author


def _last_follower(author: int) -> int:
    return (author * FOLLOWERS_OF_OTHER + FOLLOWERS_OF_OTHER - 1) % READERS


async def _follow(node: Node, author: Person, followers: int) -> None:
    """Rows of followers who exist as ids only, put in at once: nobody asks for their accounts."""
    file: SqliteFile = node.engines.stores.relations._file  # type: ignore[attr-defined]  # noqa: SLF001 - a million rows
    now = node.engines.ids.next_version()
    rows = [("follow", _crowd(number), author.user_id, now + number) for number in range(followers)]

    def job(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT INTO relations (kind, subject, object, version) VALUES (?, ?, ?, ?)", rows)

    await file.write(job)
    await node.views.caches.followers.forget(UserId(author.user_id))


async def _warm(node: Node, followers: int, readers: Sequence[Person]) -> UserId:
    """Empty warm timelines for all of them; the last to be served."""
    homes = node.views.caches.homes
    owners = [*(_crowd(number) for number in range(followers)), *(UserId(one.user_id) for one in readers)]
    for owner in owners:
        await homes.finish(owner, await homes.begin(owner), (), 0)
    return _crowd(followers - 1)


def _crowd(number: int) -> UserId:
    """Rising, and older than everybody's."""
    return UserId(compose_id(1_200_000_000_000 + number, 0, 0))


def _p99_ms(taken_s: Sequence[float]) -> float:
    rising = sorted(taken_s)
    return 1e3 * rising[min(round(len(rising) * 0.99), len(rising) - 1)]


if __name__ == "__main__":
    main()
