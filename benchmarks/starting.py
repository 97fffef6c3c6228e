"""How soon roost is ready, on an empty folder and on a full one, and how soon a cold user has the first page.

    python benchmarks/starting.py [--workers N] [--repeats N] [--full]

The full folder holds 100,000 tweets, with --full a million, made through the product's stores and kept between runs.
Reference: the floor, which has nothing to open, started in the same way.
"""

import argparse
import http.client
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from harness.figures import Report
from harness.servers import Server, floor, roost
from harness.town import Person, Plan, messages, town

USERS, FOLLOWS_OF_USER = 2_000, 50
COLD_USERS = 40


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--full", action="store_true", help="a million tweets")
    given = arguments.parse_args()
    tweets = 1_000_000 if given.full else 100_000
    report = Report("starting", {"workers": given.workers, "tweets": tweets})
    with tempfile.TemporaryDirectory() as scratch, town(_plan(tweets)) as there:
        empty = []
        for turn in range(given.repeats):
            with roost(Path(scratch) / f"empty-{turn}", workers=given.workers) as server:
                empty.append(server.ready_s)
        report.add("empty folder", "ready after", "s", empty)
        full, memory, first = [], [], []
        for turn in range(given.repeats):
            with roost(there.data, workers=given.workers) as server:
                full.append(server.ready_s)
                memory.append(server.memory_mb())
                first += _first_pages(server, there.people[turn * COLD_USERS : (turn + 1) * COLD_USERS])
        report.add(f"{tweets} tweets", "ready after", "s", full)
        report.add(f"{tweets} tweets", "memory when ready", "MB", memory)
        report.add("cold user", "first page after, median", "ms", first)
        report.add("cold user", "first page after, worst", "ms", max(first))
        pages = Path(scratch) / "none.msgpack"
        pages.write_bytes(msgspec.msgpack.encode({"headers": [], "fragments": [], "homes": {}, "cursors": []}))
        base = []
        for _ in range(given.repeats):
            with floor(pages, workers=given.workers) as server:
                base.append(server.ready_s)
        report.add("floor", "ready after", "s", base)


def _first_pages(server: Server, people: Sequence[Person]) -> list[float]:
    """Milliseconds of the first home timeline of each, over one connection that is open already."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/health/live")
    connection.getresponse().read()
    taken = []
    for person in people:
        began_s = time.perf_counter()
        connection.request("GET", person.home_path, headers={"Authorization": f"Bearer {person.token}"})
        answer = connection.getresponse()
        answer.read()
        taken.append((time.perf_counter() - began_s) * 1e3)
        if answer.status != http.client.OK:
            raise SystemExit(f"{answer.status} for a home timeline")
    connection.close()
    return taken


def _plan(tweets: int) -> Plan:
    def follows() -> Iterator[tuple[int, int]]:
        draw = random.Random(1)
        for user in range(USERS):
            yield from ((user, other) for other in draw.sample(range(USERS), FOLLOWS_OF_USER) if other != user)

    def posts() -> Iterator[tuple[int, str]]:
        draw = random.Random(2)
        return ((draw.randrange(USERS), message) for message, _ in zip(messages(), range(tweets), strict=False))

    return Plan(f"starting-{tweets}", USERS, follows, posts)


if __name__ == "__main__":
    main()
