"""How fast and how right is the main job on real input? Both celebrity thresholds, one row each.

    python benchmarks/main_job.py --full     # 13,688 users, 68,328 follows, 100,000 tweets
    python benchmarks/main_job.py            # the part that CI takes

Figures go to benchmarks/results/main_job.csv. Exits 1 when anything was read or heard wrongly.
"""

import argparse
import asyncio
import csv
import dataclasses
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

_ROOT = Path(__file__).parents[1]
# The scenario lives with the tests and the load generator in its own folder; neither needs an installation.
sys.path[:0] = [str(_ROOT / "tests"), str(_ROOT / "loadgen")]

from scenarios.main_job.job import Outcome, run_main_job  # noqa: E402  found by the path above
from scenarios.main_job.size import FULL, PART, Size  # noqa: E402  found by the path above

_RESULTS = _ROOT / "benchmarks/results/main_job.csv"


def main() -> int:
    size = _size()
    wrong = 0
    for threshold in (None, size.celebrity_threshold):
        print(f"celebrity threshold: {threshold or 'default'}")
        with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            outcome = runner.run(run_main_job(size, Path(folder) / "data", celebrity_threshold=threshold))
        for name, figure in outcome.figures.items():
            print(f"  {name}: {figure:g}")
        for complaint in outcome.complaints:
            print(f"  WRONG {complaint}")
        wrong += len(outcome.complaints)
        _write(threshold, outcome)
    print("all right" if not wrong else f"{wrong} complaints")
    return 1 if wrong else 0


def _size() -> Size:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--full", action="store_true", help="the whole graph and 100,000 tweets")
    arguments.add_argument("--users", type=int, help="other than the size has")
    arguments.add_argument("--tweets", type=int, help="other than the size has")
    given = arguments.parse_args()
    size = FULL if given.full else PART
    changes = {"users_max": given.users, "tweets_max": given.tweets}
    return dataclasses.replace(size, **{name: value for name, value in changes.items() if value is not None})


def _write(threshold: int | None, outcome: Outcome) -> None:
    row: dict[str, object] = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
        "machine": _machine(),
        "command": shlex.join(["python", "benchmarks/main_job.py", *sys.argv[1:]]),
        "celebrity_threshold": threshold or "default",
        **outcome.figures,
        "complaints": len(outcome.complaints),
    }
    _RESULTS.parent.mkdir(exist_ok=True)
    is_new = not _RESULTS.exists()
    with _RESULTS.open("a", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, row, lineterminator="\n")
        if is_new:
            rows.writeheader()
        rows.writerow(row)


def _commit() -> str:
    known = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607  git is where the path says
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return known.stdout.strip() or "unknown"


def _machine() -> str:
    memory_gb = round(int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024)
    cores = Path("/proc/cpuinfo").read_text().count("processor\t:")
    return (
        f"{cores} cores, {memory_gb} GB, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
