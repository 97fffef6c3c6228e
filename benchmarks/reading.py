"""Home timelines read in a second, alone and while 600 tweets/s are delivered to 200 followers each.

    python benchmarks/reading.py [--workers N] [--limit 20 --limit 40] [--seconds S] [--repeats N]

Reference: benchmarks/floor, a raw server of the same bytes, on the same cores, in turns with roost. Load: wrk, with a
user drawn anew for each page. Every answer must be a full 200.
"""

import argparse
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from harness import homes
from harness.figures import Report
from harness.load import Pages, Sending, sending, write_lines, wrk
from harness.servers import Server, floor, roost
from harness.town import Person, town

TWEETS_PER_S = 600
POST_CONNECTIONS = 16
WARM_S = 2.0


def main() -> None:
    given = _arguments()
    with town(homes.plan()) as there, tempfile.TemporaryDirectory() as scratch:
        for workers in given.workers or (1, 2):
            with roost(there.data, workers=workers, settings=homes.SETTINGS) as server:
                Reading(server, there.people, Path(scratch), workers, given.seconds).run(
                    given.limit or (20, 40), given.repeats
                )


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, action="append", help="1, then 2, unless given")
    arguments.add_argument("--limit", type=int, action="append", help="20, then 40, unless given")
    arguments.add_argument("--seconds", type=float, default=2.0, help="whole ones, of each run")
    arguments.add_argument("--repeats", type=int, default=3)
    return arguments.parse_args()


class Reading:
    """One server, measured beside the floor with as many workers."""

    def __init__(self, server: Server, people: list[Person], scratch: Path, workers: int, seconds: float) -> None:
        self.server = server
        self.people = people
        self.scratch = scratch
        self.workers = workers
        self.seconds = seconds
        self.posts = 0

    def run(self, limits: tuple[int, ...], repeats: int) -> None:
        readers = homes.readers(self.people)
        pages = self.scratch / "pages.msgpack"
        homes.write_floor_pages(pages, homes.fetch(self.server, readers, max(limits)))
        with floor(pages, workers=self.workers) as reference:
            for limit in limits:
                self._one_limit(reference, limit, repeats)

    def _one_limit(self, reference: Server, limit: int, repeats: int) -> None:
        report = Report("reading", {"workers": self.workers, "limit": limit})
        readers = homes.readers(self.people)
        targets = write_lines(
            self.scratch / "targets", (f"{one.home_path}&limit={limit}\t{one.token}" for one in readers)
        )
        full_bytes = _mean_bytes(self.server, readers[:: len(readers) // 50], limit)
        self._wrk(self.server, targets, WARM_S)
        self._wrk(reference, targets, WARM_S / 2)
        figures: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
        for _ in range(repeats):
            self._wrk(self.server, targets, WARM_S / 2)  # take up what was posted in the run before
            base, base_us = self._measured(reference, targets, full_bytes)
            quiet, quiet_us = self._measured(self.server, targets, full_bytes)
            with self._posting() as load:
                busy, busy_us = self._measured(self.server, targets, full_bytes)
                posted = load.result()
            for case, pages, us in (
                ("floor", base, base_us),
                ("read-only", quiet, quiet_us),
                ("while posting", busy, busy_us),
            ):
                figures[case, "tweets read", "tweets/s"].append(limit * pages.pages / pages.seconds)
                figures[case, "cpu a page", "us"].append(us)
                figures[case, "page p99", "ms"].append(pages.p99_ms)
            base_rate = base.pages / base.seconds
            figures["read-only", "of the floor", "ratio"].append(quiet.pages / quiet.seconds / base_rate)
            figures["while posting", "of the floor", "ratio"].append(busy.pages / busy.seconds / base_rate)
            figures["while posting", "posted", "tweets/s"].append(posted.good / posted.seconds)
            figures["while posting", "ack p99", "ms"].append(posted.p99_ms)
        for (case, figure, unit), values in figures.items():
            report.add(f"{self.workers}w limit {limit} {case}", figure, unit, values)

    def _posting(self) -> AbstractContextManager[Sending]:
        count = round(TWEETS_PER_S * (self.seconds + 1))
        by = itertools.islice(itertools.cycle(homes.authors(self.people)), self.posts, None)
        self.posts += count
        lines = write_lines(self.scratch / "posts", homes.posts(by, count))
        return sending(self.server.port, lines, self.seconds + 1, rate=TWEETS_PER_S, connections=POST_CONNECTIONS)

    def _measured(self, server: Server, targets: Path, full_bytes: float) -> tuple[Pages, float]:
        """The pages of one run, and the processor time of each in µs."""
        before_s = server.cpu_s()
        pages = self._wrk(server, targets, self.seconds)
        cpu_us = (server.cpu_s() - before_s) / pages.pages * 1e6
        if pages.refused or pages.broken:
            raise SystemExit(f"{pages.refused} refusals and {pages.broken} broken answers among {pages.pages}")
        if pages.bytes / pages.pages < 0.9 * full_bytes:
            raise SystemExit(f"pages of {pages.bytes / pages.pages:.0f} bytes, {full_bytes:.0f} expected: not full")
        return pages, cpu_us

    def _wrk(self, server: Server, targets: Path, seconds: float) -> Pages:
        return wrk(server.port, targets, seconds, threads=self.workers)


def _mean_bytes(server: Server, people: Sequence[Person], limit: int) -> float:
    """Of a full page's tweets. Raises SystemExit where a page is not full."""
    sizes = []
    for _, page, _ in homes.fetch(server, people, limit):
        if len(page.tweets) != limit:
            raise SystemExit(f"a page of {len(page.tweets)} tweets, {limit} expected")
        sizes.append(sum(len(bytes(tweet)) for tweet in page.tweets))
    return sum(sizes) / len(sizes)


if __name__ == "__main__":
    main()
