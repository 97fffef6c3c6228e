"""Searches answered in a second, and how soon a tweet is found while 600 a second are posted.

    python benchmarks/searching.py [--workers N] [--seconds S] [--full]

Reference: the same words asked of a bare FTS5 table of the same tweets, newest 20 ids, by one loop; in turns with
roost. 100,000 tweets with --full, else 20,000.
"""

import argparse
import http.client
import itertools
import random
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import msgspec
from harness.figures import Report
from harness.graph import zipf
from harness.load import Line, send, sending, write_lines
from harness.servers import Server, roost
from harness.town import Person, Plan, messages, town

USERS = 1_000
CONNECTIONS = 16
QUERIES = 400
RATE_PER_S = 600
PROBES = 25
PROBE_EVERY_S = 0.2
LOOK_EVERY_S = 0.02
VISIBLE_S_MAX = 10.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=3.0)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--full", action="store_true")
    given = arguments.parse_args()
    tweets = 100_000 if given.full else 20_000
    plan = Plan(f"searching-{tweets}", USERS, list, lambda: zip(zipf(USERS, tweets, 1), messages(), strict=False))
    report = Report("searching", {"workers": given.workers, "tweets": tweets})
    texts = list(itertools.islice(messages(), tweets))
    with (
        town(plan) as there,
        tempfile.TemporaryDirectory() as scratch,
        roost(there.data, workers=given.workers) as server,
        closing(_bare(Path(scratch) / "bare.db", texts)) as bare,
    ):
        _rates(report, server, there.people, bare, texts, Path(scratch), given)
        _visible(report, server, there.people, Path(scratch))


def _rates(
    report: Report,
    server: Server,
    people: Sequence[Person],
    bare: sqlite3.Connection,
    texts: Sequence[str],
    scratch: Path,
    given: argparse.Namespace,
) -> None:
    queries = _queries(texts)
    asked = (
        Line("GET", f"/search?q={quote(query)}", one.token) for query, one in zip(queries, itertools.cycle(people))
    )
    lines = write_lines(scratch / "searches", asked)
    send(server.port, lines, 1.0, connections=CONNECTIONS)
    rates, cpu_us, base, ratios = [], [], [], []
    for _ in range(given.repeats):
        before_s = server.cpu_s()
        found = send(server.port, lines, given.seconds, connections=CONNECTIONS).insist()
        cpu_us.append((server.cpu_s() - before_s) / found.good * 1e6)
        rates.append(found.good_per_s)
        base.append(_bare_rate(bare, queries, given.seconds / 2))
        ratios.append(rates[-1] / base[-1])
    report.add("words", "searches", "1/s", rates)
    report.add("words", "cpu a search", "us", cpu_us)
    report.add("bare fts5", "searches", "1/s", base)
    report.add("words", "of bare fts5", "ratio", ratios)


def _visible(report: Report, server: Server, people: Sequence[Person], scratch: Path) -> None:
    encode = msgspec.json.Encoder().encode
    by = zip(itertools.cycle(people), messages(), range(60_000), strict=False)
    posts = write_lines(
        scratch / "posts",
        (Line("POST", "/tweet", one.token, encode({"message": text}).decode()) for one, text, _ in by),
    )
    seconds = PROBES * PROBE_EVERY_S * 2
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with sending(server.port, posts, seconds, rate=RATE_PER_S, connections=32) as load:
        taken = sorted(_found_after(connection, people[number], number) for number in range(PROBES))
        posted = load.result()
    connection.close()
    report.add(f"{RATE_PER_S} tweets/s", "posted", "tweets/s", posted.good_per_s)
    report.add(f"{RATE_PER_S} tweets/s", "found after, median", "ms", statistics.median(taken) * 1e3)
    report.add(f"{RATE_PER_S} tweets/s", f"found after, worst of {PROBES}", "ms", taken[-1] * 1e3)


def _found_after(connection: http.client.HTTPConnection, person: Person, number: int) -> float:
    """Seconds from the ack of a tweet with a word of its own until a search finds it."""
    word = f"probe{number}x{time.monotonic_ns()}"
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    connection.request("POST", "/tweet", msgspec.json.encode({"message": f"look for {word}"}), headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.CREATED:
        raise SystemExit(f"{answer.status} for a tweet")
    began_s = time.perf_counter()
    while time.perf_counter() - began_s < VISIBLE_S_MAX:
        connection.request("GET", f"/search?q={word}", headers=headers)
        if word.encode() in connection.getresponse().read():
            taken_s = time.perf_counter() - began_s
            time.sleep(max(PROBE_EVERY_S - taken_s, 0))
            return taken_s
        time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"not found within {VISIBLE_S_MAX:g} s")


def _queries(texts: Sequence[str]) -> list[str]:
    """One or two words, drawn as often as they are used, but for the very commonest."""
    words = [word for text in texts for word in text.lower().split() if word.isascii() and word.isalpha()]
    common = {word for word, _ in Counter(words).most_common(20)}
    draw = random.Random(5)
    fitting = [word for word in draw.sample(words, 4 * QUERIES) if word not in common and len(word) > 3]
    pairs = [" ".join(pair) for pair in zip(fitting[:QUERIES:4], fitting[1:QUERIES:4], strict=False)]
    return [*fitting[: QUERIES - len(pairs)], *pairs]


def _bare(path: Path, texts: Sequence[str]) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.executescript("PRAGMA journal_mode=WAL; CREATE VIRTUAL TABLE t USING fts5 (message, content='');")
    database.executemany("INSERT INTO t (rowid, message) VALUES (?, ?)", enumerate(texts, 1))
    database.commit()
    return database


def _bare_rate(database: sqlite3.Connection, queries: Sequence[str], seconds: float) -> float:
    asked, began_s = 0, time.perf_counter()
    while time.perf_counter() - began_s < seconds:
        for query in queries[asked % len(queries) :][:20]:
            database.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid DESC LIMIT 20", (query,)).fetchall()
            asked += 1
    return asked / (time.perf_counter() - began_s)


if __name__ == "__main__":
    main()
