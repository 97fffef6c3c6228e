"""`roost bench`: the benchmarks of a checkout, one command each."""

import ast
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

FOLDER = Path(__file__).parents[3] / "benchmarks"
LONG = ("main_job", "crash", "reliability")
"""Scenarios of many minutes: run by their names, not by `all`."""
NOT_MEASURING = "plots"

bench = App(name="bench", help="Measure roost beside its references; results go to benchmarks/results.")


@bench.command(name="list")
def list_benchmarks() -> None:
    """What there is to measure."""
    for name, path in _benchmarks().items():
        print(f"{name:12} {_question(path)}")  # noqa: T201 - what was asked for


@bench.command(name="all")
def run_all() -> None:
    """Every benchmark, one after the other; some 10 minutes. Goes on past one that fails, and says so at the end."""
    failed = [name for name in _benchmarks() if name not in LONG and _run(name, ())]
    if failed:
        sys.exit(f"roost bench: failed: {', '.join(failed)}")


@bench.default
def run_one(name: str, *options: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """One benchmark.

    Parameters
    ----------
    name: as `roost bench list` says
    options: its own options: `roost bench reading --workers 2`

    """
    known = _benchmarks()
    if name not in known:
        sys.exit(f"roost bench: there is no benchmark {name[:40]!r}: there are {', '.join(known)}, and all")
    sys.exit(_run(name, options))


def _run(name: str, options: tuple[str, ...]) -> int:
    print(f"{name}: {_question(FOLDER / f'{name}.py')}", flush=True)  # noqa: T201 - a heading of the figures below
    began_s = time.monotonic()
    code = subprocess.run([sys.executable, str(FOLDER / f"{name}.py"), *options], check=False).returncode  # noqa: S603 - ours
    print(f"  {time.monotonic() - began_s:.0f} s", flush=True)  # noqa: T201
    return code


def _benchmarks() -> dict[str, Path]:
    """The files of the checkout's folder by name. Exits where roost was installed without a checkout."""
    if not FOLDER.is_dir():
        sys.exit(f"roost bench needs a checkout of roost: there is no folder {FOLDER}")
    return {path.stem: path for path in sorted(FOLDER.glob("*.py")) if path.stem != NOT_MEASURING}


def _question(path: Path) -> str:
    """The first line of the file's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
