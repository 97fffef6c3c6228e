"""Durable posts, follows and likes taken in a second, and how soon a post is acknowledged at 600 a second.

    python benchmarks/posting.py [--workers N] [--seconds S] [--repeats N]

Reference: the same rows inserted by a bare loop over SQLite, 64 posts a transaction, with the same pragmas; in turns
with roost. Posts come over 64 connections, as fast as they are answered; the latency is of an open loop.
"""

import argparse
import itertools
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from harness import homes
from harness.figures import Report
from harness.load import CONNECTIONS, Line, Requests, send, write_lines
from harness.servers import Server, roost
from harness.town import Person, town

from roost.adapters.sqlite_file import LOG_SCHEMA, connect
from roost.adapters.store.sqlite.tweets import SCHEMA

RATE_PER_S = 600
LEAST_SHARE = 0.9
"""At the end of a run some are still under way."""
GROUP = CONNECTIONS
ROWS_MAX = 20_000
LINES_MAX = 60_000
Row = tuple[int, int, bytes, int, str, int, bytes]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=3.0, help="of each run")
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    report = Report("posting", {"workers": given.workers})
    with (
        town(homes.plan()) as there,
        tempfile.TemporaryDirectory() as scratch,
        roost(there.data, workers=given.workers, settings=homes.SETTINGS) as server,
    ):
        posting = Posting(server, there.people, there.data / "roost.db", Path(scratch), given.seconds)
        posting.posts(report, given.repeats)
        posting.on_time(report, given.repeats)
        posting.follows_and_likes(report)


class Posting:
    """One server, its database, and what is sent to it."""

    def __init__(self, server: Server, people: list[Person], database: Path, scratch: Path, seconds: float) -> None:
        self.server = server
        self.people = people
        self.database = database
        self.scratch = scratch
        self.seconds = seconds
        self.tweets = write_lines(scratch / "posts", homes.posts(people, LINES_MAX))

    def posts(self, report: Report, repeats: int) -> None:
        rates, cpu_us, bare, ratios = [], [], [], []
        self._send(self.tweets, 1.0)
        for turn in range(repeats):
            before_s = self.server.cpu_s()
            posted = self._send(self.tweets, self.seconds)
            cpu_us.append((self.server.cpu_s() - before_s) / posted.good * 1e6)
            rates.append(posted.good_per_s)
            bare.append(_bare_rate(_posts_in(self.database), self.scratch / f"bare-{turn}.db", self.seconds / 2))
            ratios.append(rates[-1] / bare[-1])
        report.add("64 connections", "posts", "posts/s", rates)
        report.add("64 connections", "cpu a post", "us", cpu_us)
        report.add("bare inserts of 64", "posts", "posts/s", bare)
        report.add("64 connections", "of the bare inserts", "ratio", ratios)

    def on_time(self, report: Report, repeats: int) -> None:
        runs, cpu_us = [], []
        for _ in range(repeats):
            before_s = self.server.cpu_s()
            runs.append(self._send(self.tweets, 3 * self.seconds, RATE_PER_S))
            cpu_us.append((self.server.cpu_s() - before_s) / runs[-1].good * 1e6)
        report.add("600/s, open loop", "posts", "posts/s", [run.good_per_s for run in runs])
        report.add("600/s, open loop", "cpu a post", "us", cpu_us)
        report.add("600/s, open loop", "ack p50", "ms", [run.p50_ms for run in runs])
        report.add("600/s, open loop", "ack p99", "ms", [run.p99_ms for run in runs])

    def follows_and_likes(self, report: Report) -> None:
        follows = write_lines(self.scratch / "follows", _follows(self.people))
        report.add("64 connections", "follows", "follows/s", self._send(follows, self.seconds).good_per_s)
        ids = [str(tweet) for tweet, *_ in _posts_in(self.database)[:200]]
        likes = write_lines(self.scratch / "likes", _likes(self.people, ids))
        report.add("64 connections", "likes", "likes/s", self._send(likes, self.seconds).good_per_s)

    def _send(self, lines: Path, seconds: float, rate: float = 0.0) -> Requests:
        return send(self.server.port, lines, seconds, rate=rate).insist(LEAST_SHARE)


def _follows(people: Sequence[Person]) -> Iterator[Line]:
    """Pairs that do not follow one another yet, each once: among readers nobody does."""
    readers = homes.readers(people)
    for step in range(1, LINES_MAX // len(readers) + 1):
        for index, person in enumerate(readers):
            other = readers[(index + step) % len(readers)]
            yield Line("POST", f"/user/{other.user_id}/follow", person.token)


def _likes(people: Sequence[Person], tweets: Sequence[str]) -> Iterator[Line]:
    readers = homes.readers(people)
    for person, tweet in itertools.islice(((one, id) for id in tweets for one in readers), LINES_MAX):
        yield Line("POST", f"/tweet/{tweet}/like", person.token)


def _posts_in(database: Path) -> list[Row]:
    """The newest posts as the rows that each of them left, but for the log's number and time."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as reading:
        tweets = reading.execute(
            "SELECT t.tweet_id, t.deleted, t.body, u.user_id FROM tweets t"
            " JOIN user_tweets u ON u.tweet_id = t.tweet_id ORDER BY t.tweet_id DESC LIMIT ?",
            (ROWS_MAX,),
        ).fetchall()
        events = reading.execute(
            "SELECT kind, at_ms, body FROM log WHERE kind = 'TweetPosted' ORDER BY seq DESC LIMIT ?", (ROWS_MAX,)
        ).fetchall()
    return [(*tweet, *event) for tweet, event in zip(tweets, events, strict=False)]


def _bare_rate(rows: Sequence[Row], path: Path, seconds: float) -> float:
    """Posts a second of a loop that does nothing but insert their rows, in rising order, in groups."""
    rising = rows[::-1]
    with closing(connect(path, "FULL")) as database:
        database.executescript(LOG_SCHEMA + SCHEMA)
        posts, began_s = 0, time.perf_counter()
        for start in itertools.cycle(range(0, len(rising) - GROUP, GROUP)):
            if start == 0 and posts:
                database.executescript("DELETE FROM tweets; DELETE FROM user_tweets; DELETE FROM log;")
            group = rising[start : start + GROUP]
            database.execute("BEGIN IMMEDIATE")
            for tweet_id, deleted, body, user_id, kind, at_ms, event in group:
                database.execute("INSERT INTO tweets VALUES (?, ?, ?)", (tweet_id, deleted, body))
                database.execute("INSERT INTO user_tweets VALUES (?, ?)", (user_id, tweet_id))
                database.execute("INSERT INTO log (kind, at_ms, body) VALUES (?, ?, ?)", (kind, at_ms, event))
            database.execute("COMMIT")
            posts += len(group)
            if time.perf_counter() - began_s >= seconds:
                break
        return posts / (time.perf_counter() - began_s)


if __name__ == "__main__":
    main()
