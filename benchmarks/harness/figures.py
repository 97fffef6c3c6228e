"""Figures of a run: printed as they come, and appended to benchmarks/results/NAME.csv, a row each."""

import csv
import platform
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of what the repeats gave, between the least and the greatest."""

    median: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values), len(values))

    def __str__(self) -> str:
        if self.runs == 1:
            return short(self.median)
        return f"{short(self.median)}  ({short(self.low)} .. {short(self.high)}, {self.runs} runs)"


@dataclass(slots=True)
class Report:
    """The figures of one benchmark. `note` is kept with each row: what the run was given."""

    name: str
    note: Mapping[str, object] = field(default_factory=dict)

    def add(self, case: str, figure: str, unit: str, values: Sequence[float] | float) -> float:
        """Print and keep one figure of one case; its median."""
        spread = Spread.of([float(one) for one in (values if isinstance(values, Sequence) else [values])])
        print(f"  {case + ':':38} {figure:32} {spread} {unit}", flush=True)
        append_row(
            self.name,
            {
                "case": case,
                "figure": figure,
                "unit": unit,
                "median": float(f"{spread.median:.6g}"),
                "low": float(f"{spread.low:.6g}"),
                "high": float(f"{spread.high:.6g}"),
                "runs": spread.runs,
                "note": " ".join(f"{name}={value}" for name, value in self.note.items()),
            },
        )
        return spread.median


def append_row(name: str, row: Mapping[str, object]) -> None:
    """One more row of results/NAME.csv, behind when, at which commit, where and by what command it was measured."""
    path = RESULTS / f"{name}.csv"
    whole = {
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "machine": machine(),
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        **row,
    }
    path.parent.mkdir(exist_ok=True)
    known: list[dict[str, str]] = []
    columns: list[str] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            reading = csv.DictReader(file)
            columns = list(reading.fieldnames or ())
            known = list(reading)
    new = [column for column in whole if column not in columns]
    if not new:
        with path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, columns, lineterminator="\n").writerow(whole)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, [*columns, *new], restval="", lineterminator="\n")
        rows.writeheader()
        rows.writerows([*known, whole])


def commit() -> str:
    """The checkout's commit, with `-dirty` where product or benchmarks differ from it; results do not count."""
    changed = _git("status", "--porcelain", "--", "src", "loadgen", "benchmarks/*.py", "benchmarks/*/*.py")
    return (_git("rev-parse", "--short", "HEAD") or "unknown") + ("-dirty" if changed else "")


def machine() -> str:
    """Enough to tell results of different machines apart."""
    memory_gb = round(int(Path("/proc/meminfo").read_text().split()[1]) / 1024 / 1024)
    cpu = Path("/proc/cpuinfo").read_text()
    cores = cpu.count("processor\t:")
    model = next((line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")), "")
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{cores} cores {model}, {memory_gb} GB, {system}".replace("  ", " ")


def short(value: float) -> str:
    """A number as a person reads it: four digits that count."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _git(*arguments: str) -> str:
    known = subprocess.run(
        ["git", *arguments],  # noqa: S607  git is where the path says
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return known.stdout.strip()
