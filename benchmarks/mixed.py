"""600 tweets/s by Zipf authors over the real follow graph, all users warm, while 2,000 pages/s are read.

    python benchmarks/mixed.py [--workers N] [--seconds S] [--full]

A tweet is delivered to about 790 homes. Both loads are open loops: latencies count from when a request was due. With
--full there are 100,000 tweets, else 10,000. Reference: the floor (benchmarks/floor) at the same rate of pages.
"""

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from harness import graph, homes
from harness.figures import Report
from harness.load import ONCE, Line, send, sending, write_lines
from harness.servers import Server, floor, roost
from harness.town import Person, messages, town

TWEETS_PER_S, PAGES_PER_S = 600, 2_000
POST_CONNECTIONS = 64
WARM_S_MAX = 300.0
LEAST_SHARE = 0.5
"""A machine that does not keep up shows it in the figures; one that answers less than this is broken."""
FLOOR_USERS = 2_000
PAGE_LIMIT = 20


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=12.0)
    arguments.add_argument("--full", action="store_true", help="100,000 tweets are there")
    given = arguments.parse_args()
    tweets = 100_000 if given.full else 10_000
    report = Report("mixed", {"workers": given.workers, "tweets": tweets})
    with (
        town(graph.plan(tweets)) as there,
        tempfile.TemporaryDirectory() as scratch,
        roost(there.data, workers=given.workers) as server,
    ):
        mixed(report, server, there.people, Path(scratch), given.seconds)


def mixed(report: Report, server: Server, people: Sequence[Person], scratch: Path, seconds: float) -> None:
    case = f"{TWEETS_PER_S} tweets/s, {PAGES_PER_S} pages/s"
    posts = write_lines(scratch / "posts", _posts(people, int(TWEETS_PER_S * seconds) + 1))
    pages = write_lines(scratch / "pages", _pages(people, int(PAGES_PER_S * seconds) + 1))
    before_mb = server.memory_mb()
    _warm(server, people, scratch)
    report.add("all users warm", "memory", "MB", server.memory_mb())
    report.add("all users warm", "memory a warm user", "kB", (server.memory_mb() - before_mb) * 1024 / len(people))
    quiet_s = server.cpu_s()
    read = send(server.port, pages, seconds / 3, rate=PAGES_PER_S).insist(LEAST_SHARE)
    report.add(f"{PAGES_PER_S} pages/s alone", "cpu a page", "us", (server.cpu_s() - quiet_s) / read.good * 1e6)
    report.add(f"{PAGES_PER_S} pages/s alone", "page p99", "ms", read.p99_ms)
    before_s = server.cpu_s()
    with sending(server.port, posts, seconds, rate=TWEETS_PER_S, connections=POST_CONNECTIONS) as load:
        read = send(server.port, pages, seconds, rate=PAGES_PER_S).insist(LEAST_SHARE)
        posted = load.result().insist(LEAST_SHARE)
    spent_s = server.cpu_s() - before_s
    delivered = posted.good * graph.mean_followers(people)
    report.add(case, "pages", "pages/s", read.good_per_s)
    report.add(case, "page p50", "ms", read.p50_ms)
    report.add(case, "page p99", "ms", read.p99_ms)
    report.add(case, "posts", "posts/s", posted.good_per_s)
    report.add(case, "ack p50", "ms", posted.p50_ms)
    report.add(case, "ack p99", "ms", posted.p99_ms)
    report.add(case, "deliveries a tweet", "", delivered / posted.good)
    report.add(case, "cpu of a core", "share", spent_s / seconds)
    report.add(case, "memory", "MB", server.memory_mb())
    floor_pages, full = _floor_pages(server, people, scratch)
    with floor(floor_pages) as reference:
        targets = write_lines(scratch / "floor-targets", _pages(full, int(PAGES_PER_S * seconds)))
        send(reference.port, targets, 1.0, rate=PAGES_PER_S)
        before_s = reference.cpu_s()
        base = send(reference.port, targets, seconds / 3, rate=PAGES_PER_S).insist(0.999)
        report.add("floor", "cpu a page", "us", (reference.cpu_s() - before_s) / base.good * 1e6)
        report.add("floor", "page p99", "ms", base.p99_ms)


def _warm(server: Server, people: Sequence[Person], scratch: Path) -> None:
    """Each home is read twice, by few connections: the second time it is answered at once."""
    lines = write_lines(scratch / "warm", (_page(one) for one in people for _ in range(2)))
    send(server.port, lines, WARM_S_MAX, rate=ONCE, connections=4).insist(0.999)


def _page(person: Person) -> Line:
    return Line("GET", f"{person.home_path}&limit={PAGE_LIMIT}", person.token)


def _pages(people: Sequence[Person], count: int) -> Iterator[Line]:
    draw = random.Random(3)
    return (_page(draw.choice(people)) for _ in range(count))


def _posts(people: Sequence[Person], count: int) -> Iterator[Line]:
    encode = msgspec.json.Encoder().encode
    for author, message in zip(graph.zipf(len(people), count, seed=4), messages(), strict=False):
        yield Line("POST", "/tweet", people[author].token, encode({"message": message}).decode())


def _floor_pages(server: Server, people: Sequence[Person], scratch: Path) -> tuple[Path, list[Person]]:
    """For the floor, and whose homes it has: those that fill a page."""
    path = scratch / "pages.msgpack"
    pages = [one for one in homes.fetch(server, people[:FLOOR_USERS], PAGE_LIMIT) if len(one[1].tweets) == PAGE_LIMIT]
    homes.write_floor_pages(path, pages)
    return path, [person for person, _, _ in pages]


if __name__ == "__main__":
    main()
