"""Whether costs stay flat as a town grows: 1, 2, 4, 8 and 16 times the users and tweets.

    python benchmarks/growing.py [--users N] [--repeats N]

Each size is measured in a process of its own, over a real data folder and without HTTP: processor time of a settled
page, of a cold one, of a delivery and of a stored tweet, bytes of the database a tweet, and memory, beside the formula
of docs/performance.md. Reference: the smallest size in the same run.
"""

import argparse
import asyncio
import gc
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop
from harness.figures import ROOT, Report
from harness.town import Plan, messages, opened, town

from roost.assembly.edges import build_edges
from roost.assembly.node import Node
from roost.domain.events import TweetPosted
from roost.domain.ids import TweetId, UserId
from roost.domain.tweet import Tweet
from roost.edge.settled_homes import SettledHomes

SIZES = (1, 2, 4, 8, 16)
FOLLOWS_OF_USER, TWEETS_OF_USER = 20, 10
SETTLED_MAX = 2_000
PAGES, DELIVERIES, STORED = 20_000, 400_000, 2_000
PAGE_LIMIT = 20

BASE_MB = 85.0
"""Formula of memory: the interpreter and the libraries,"""
USER_KB = 4.0
"""and a warm user's home with its inbox, relations, profile, acts and settled window,"""
FOLLOW_BYTES = 130
"""and each follow of his,"""
ID_BYTES = 8
"""and each id on a timeline,"""
TWEET_KB = 4.4
"""and each tweet at hand, with its cell, its fragment and its counts."""


class Measured(msgspec.Struct):
    """What one size's process says."""

    page_us: float
    cold_page_us: float
    delivery_us: float
    stored_us: float
    tweet_bytes: float
    memory_mb: float
    formula_mb: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--users", type=int, default=500, help="of the smallest size")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one is not None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(msgspec.json.encode(runner.run(_measure(given.users * given.one))).decode())
        return
    report = Report("growing", {"users": given.users})
    measured: dict[int, list[Measured]] = {size: [] for size in SIZES}
    for size in SIZES:  # made here: a process that makes a town is greater for it
        with town(_plan(given.users * size)):
            pass
    for _ in range(given.repeats):
        for size in SIZES:  # in turns: a slow minute of the machine spares no size
            measured[size].append(_in_a_process(given.users, size))
    for size, runs in measured.items():
        case = f"{size} times"
        figures = {
            "page_us": "us",
            "cold_page_us": "us",
            "delivery_us": "us",
            "stored_us": "us",
            "tweet_bytes": "bytes",
        }
        for name, unit in figures.items():
            values = [getattr(run, name) for run in runs]
            figure = name.rpartition("_")[0].replace("_", " ")
            report.add(case, figure, unit, values)
            ratios = [value / getattr(first, name) for value, first in zip(values, measured[1], strict=True)]
            report.add(case, f"{figure}, of the smallest", "ratio", ratios)
        report.add(case, "memory", "MB", [run.memory_mb for run in runs])
        report.add(case, "memory, of the formula", "ratio", [run.memory_mb / run.formula_mb for run in runs])


def _in_a_process(users: int, size: int) -> Measured:
    command = [sys.executable, str(ROOT / "benchmarks/growing.py"), "--users", str(users), "--one", str(size)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"{size} times failed:\n{said.stderr[-3000:]}")
    return msgspec.json.decode(said.stdout.strip().rpartition("\n")[2], type=Measured)


async def _measure(users: int) -> Measured:
    with town(_plan(users)) as there:
        people = [UserId(person.user_id) for person in there.people]
        bytes_before = _size(there.data / "roost.db")
        async with opened(there.data, timelines_cached_max=200_000) as node:
            homes = build_edges(node, node.progress.position, _ready).hot.homes
            node.engines.language.detect("its model is in memory from the first tweet on")
            cold_us = await _cold(homes, people)
            gc.collect()
            memory_mb = _rss_mb()
            formula_mb = _formula_mb(node)
            page_us = _pages(homes, people)
            delivery_us = await _deliveries(node, people)
            stored_us = await _stored(node, people)
        tweet_bytes = bytes_before / (users * TWEETS_OF_USER)
    return Measured(page_us, cold_us, delivery_us, stored_us, tweet_bytes, memory_mb, formula_mb)


async def _cold(homes: SettledHomes, people: list[UserId]) -> float:
    """Rebuild and settle every home: µs each."""
    began_s = time.process_time()
    for person in people:
        await homes.settle(person)
    return (time.process_time() - began_s) / len(people) * 1e6


def _pages(homes: SettledHomes, people: list[UserId]) -> float:
    """Pages of as many users at every size, so that the processor's caches are as full; µs each."""
    draw = random.Random(1)
    some = draw.sample(people, min(SETTLED_MAX, len(people)))
    for person in some:
        if homes.page(person, PAGE_LIMIT) is None:
            raise SystemExit("a settled home gave no page")
    asked = draw.choices(some, k=PAGES)
    began_s = time.process_time()
    for person in asked:
        b",".join(homes.page(person, PAGE_LIMIT) or ())
    return (time.process_time() - began_s) / PAGES * 1e6


async def _deliveries(node: Node, people: list[UserId]) -> float:
    """Fan out tweets that nobody can read: µs a delivery."""
    authors = random.Random(2).choices(people, k=DELIVERIES // FOLLOWS_OF_USER)
    newest = (await node.engines.stores.tweets.newest_id()) + (1 << 30)
    tweets = [
        TweetPosted.of(Tweet(TweetId(newest + i), author, "", node.engines.ids.next_version()))
        for i, author in enumerate(authors)
    ]
    for author in people:
        async for _ in node.views.followers.pages(author):
            pass
    node.fan_out.tweets = None  # there are none to be brought to hand
    before, began_s = node.fan_out.delivered, time.process_time()
    for event in tweets:
        await node.fan_out(event)
    spent_s = time.process_time() - began_s
    for person in people:  # what was delivered exists nowhere else
        await node.views.caches.homes.forget(person)
    return spent_s / (node.fan_out.delivered - before) * 1e6


async def _stored(node: Node, people: list[UserId]) -> float:
    """Store tweets, 64 at a time: µs of processor time each, of all threads, reactions included."""
    ids, add = node.engines.ids, node.engines.stores.tweets.add
    authors, texts = random.Random(3).choices(people, k=STORED), messages()
    began_s = time.process_time()
    for start in range(0, STORED, 64):
        group = [
            Tweet(ids.next_tweet_id(author), author, next(texts), ids.next_version())
            for author in authors[start : start + 64]
        ]
        await asyncio.gather(*[add(tweet, None, [TweetPosted.of(tweet)]) for tweet in group])
    return (time.process_time() - began_s) / STORED * 1e6


def _formula_mb(node: Node) -> float:
    caches = node.views.caches
    kb = len(caches.homes) * USER_KB + len(caches.tweets) * TWEET_KB
    owners = list(caches.homes.warm_owners())
    follows = sum(len(kept.follows) for kept in map(caches.relations.peek, owners) if kept is not None)
    ids = sum(len(kept.ids) for kept in map(caches.homes.peek, owners) if kept is not None)
    return BASE_MB + (kb + (follows * FOLLOW_BYTES + ids * ID_BYTES) / 1024) / 1024


def _plan(users: int) -> Plan:
    def follows() -> Iterator[tuple[int, int]]:
        draw = random.Random(4)
        for user in range(users):
            yield from ((user, other) for other in draw.sample(range(users), FOLLOWS_OF_USER) if other != user)

    def tweets() -> Iterator[tuple[int, str]]:
        draw = random.Random(5)
        return (
            (draw.randrange(users), text) for text, _ in zip(messages(), range(users * TWEETS_OF_USER), strict=False)
        )

    return Plan(f"growing-{users}", users, follows, tweets)


def _size(database: Path) -> int:
    return sum(path.stat().st_size for path in database.parent.glob(f"{database.name}*"))


def _rss_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


async def _ready() -> None:
    return


if __name__ == "__main__":
    main()
