"""Whether a roost that is killed at any moment loses or doubles what it acknowledged, and how soon is it back.

    python benchmarks/crash.py --kills 50 [--seed 7]

Figures go to benchmarks/results/crash.csv. Exits 1 when anything was lost, doubled or wrong.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# The scenario lives with the tests: it needs no installation.
sys.path[:0] = [str(_ROOT / "tests")]

from harness.figures import append_row  # noqa: E402  found by the path above

from scenarios.crash.rounds import Outcome, crash_again_and_again, seed_of_now  # noqa: E402  found by the path above


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=seed_of_now(), help="of the acts and of the moments")
    given = arguments.parse_args()
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(crash_again_and_again(Path(folder), given.kills, given.seed, _passed_on()))
    for name, figure in outcome.figures.items():
        print(f"  {name}: {figure:g}")
    for complaint in outcome.complaints:
        print(f"  WRONG {complaint}")
    _write(given.seed, outcome)
    return 1 if outcome.complaints else 0


def _passed_on() -> dict[str, str]:
    """So that a checkout may be measured that is not the installed one."""
    return {name: value for name, value in os.environ.items() if name == "PYTHONPATH"}  # noqa: TID251  no setting


def _write(seed: int, outcome: Outcome) -> None:
    append_row("crash", {"seed": seed, **outcome.figures, "complaints": len(outcome.complaints)})


if __name__ == "__main__":
    sys.exit(main())
