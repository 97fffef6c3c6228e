"""Under more load than the machine can bear: what is refused, how soon, and what becomes of the rest.

    python benchmarks/overload.py [--workers N] [--seconds S] [--repeats N]

First the highest rate that is held: as many as come over 64 connections. Then an open loop at 0.7 of it, which is the
reference, and one far beyond: 3 times for posts and searches, 1.3 times for pages of home timelines. Latencies count
from when a request was due, those of the accepted and of the refused apart.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import quote

from harness import homes
from harness.figures import Report
from harness.load import Line, Requests, send, write_lines
from harness.servers import Server, roost
from harness.town import Person, messages, town

LINES_MAX = 60_000
CONNECTIONS_BEYOND = 512
HELD_SHARE = 0.7
PAGE_LIMIT = 20
BEYOND = {"posts": 3.0, "searches": 3.0, "pages": 1.3}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--seconds", type=float, default=5.0, help="of each load")
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    report = Report("overload", {"workers": given.workers})
    with (
        town(homes.plan()) as there,
        tempfile.TemporaryDirectory() as scratch,
        roost(there.data, workers=given.workers, settings=homes.SETTINGS) as server,
    ):
        readers = homes.readers(there.people)
        loads: dict[str, Callable[[], Iterable[Line]]] = {
            "pages": lambda: _pages(readers),
            "searches": lambda: _searches(readers),
            "posts": lambda: homes.posts(there.people, LINES_MAX),
        }
        for name, lines in loads.items():
            _measure(report, server, name, write_lines(Path(scratch) / name, lines()), given)


def _measure(report: Report, server: Server, name: str, lines: Path, given: argparse.Namespace) -> None:
    send(server.port, lines, 2.0)  # warm
    calm: list[Requests] = []
    beyond: list[Requests] = []
    held: list[float] = []
    for _ in range(given.repeats):
        held.append(send(server.port, lines, given.seconds / 2).good_per_s)
        calm.append(send(server.port, lines, given.seconds, rate=HELD_SHARE * held[-1]))
        rate = BEYOND[name] * held[-1]
        beyond.append(send(server.port, lines, given.seconds, rate=rate, connections=CONNECTIONS_BEYOND))
    case = f"{name} at {BEYOND[name]:g} times"
    report.add(f"{name}, closed loop", "held", "1/s", held)
    report.add(f"{name} at {HELD_SHARE:g} times", "accepted p50", "ms", [run.accepted.p50_ms for run in calm])
    report.add(f"{name} at {HELD_SHARE:g} times", "accepted p99", "ms", [run.accepted.p99_ms for run in calm])
    report.add(
        case,
        "accepted, of the highest held",
        "share",
        [run.good_per_s / most for run, most in zip(beyond, held, strict=True)],
    )
    report.add(case, "accepted p50", "ms", [run.accepted.p50_ms for run in beyond])
    report.add(case, "accepted p99", "ms", [run.accepted.p99_ms for run in beyond])
    report.add(case, "refused with 503", "share", [run.refused.count / run.sent for run in beyond])
    report.add(case, "refused p50", "ms", [run.refused.p50_ms for run in beyond])
    report.add(case, "refused p99", "ms", [run.refused.p99_ms for run in beyond])
    others = [run.sent - run.good - run.refused.count for run in beyond]
    report.add(case, "answered otherwise or not at all", "", others)


def _pages(readers: Iterable[Person]) -> Iterable[Line]:
    return (Line("GET", f"{one.home_path}&limit={PAGE_LIMIT}", one.token) for one in readers)


def _searches(readers: Iterable[Person]) -> Iterable[Line]:
    words = (
        word for text in messages() for word in text.split() if word.isascii() and word.isalpha() and len(word) > 4
    )
    asked = itertools.islice(zip(words, itertools.cycle(readers), strict=False), 2_000)
    return (Line("GET", f"/search?q={quote(word)}", one.token) for word, one in asked)


if __name__ == "__main__":
    main()
