"""The main job on real input, how fast and how right: both celebrity thresholds, one row each.

    python benchmarks/main_job.py --full     # 13,688 users, 68,328 follows, 100,000 tweets
    python benchmarks/main_job.py            # the part that CI takes

Figures go to benchmarks/results/main_job.csv. Exits 1 when anything was read or heard wrongly.
"""

import argparse
import asyncio
import dataclasses
import sys
import tempfile
from pathlib import Path

import uvloop

_ROOT = Path(__file__).parents[1]
# The scenario lives with the tests and the load generator in its own folder; neither needs an installation.
sys.path[:0] = [str(_ROOT / "tests"), str(_ROOT / "loadgen")]

from harness.figures import append_row  # noqa: E402  found by the path above

from scenarios.main_job.job import Outcome, run_main_job  # noqa: E402  found by the path above
from scenarios.main_job.size import FULL, PART, Size  # noqa: E402  found by the path above


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
    of_run = {"celebrity_threshold": threshold or "default"}
    append_row("main_job", {**of_run, **outcome.figures, "complaints": len(outcome.complaints)})


if __name__ == "__main__":
    sys.exit(main())
