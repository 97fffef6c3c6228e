"""Draw the newest figures of benchmarks/results as SVG, and list them in docs/performance.md.

    python benchmarks/plots.py

A bar a case with its spread, of the newest day on which the benchmark ran; references are grey, targets red lines.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures, by benchmarks/plots.py -->", "<!-- end of figures -->"
MORE = ("pushing", "mixed")
"""Listed, not drawn."""
RESULTS, IMAGES = ROOT / "benchmarks" / "results", ROOT / "docs" / "images"
WIDTH, LEFT, RIGHT, BAR, GAP, TOP = 860, 330, 130, 18, 8, 46
INK, MUTED, FILL, BASE = "#24292f", "#6e7781", "#0969da", "#afb8c1"


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure of one case; `is_base` for a reference."""

    label: str
    median: float
    low: float
    high: float
    is_base: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one figure of one benchmark; `target` is drawn as a line, `base` is in the names of references."""

    image: str
    benchmark: str
    figure: str
    title: str
    base: str = "floor"
    target: float | None = None


CHARTS = (
    Chart("bench-reading", "reading", "tweets read", "Home timelines read, tweets/s", target=600_000),
    Chart("bench-reading-cpu", "reading", "cpu a page", "Processor time of a page, µs"),
    Chart("bench-fan-out", "fan_out", "deliveries", "Deliveries a second of a core", "bare", 2_000_000),
    Chart("bench-posting", "posting", "posts", "Durable posts a second", "bare"),
    Chart("bench-searching", "searching", "searches", "Searches a second", "bare"),
    Chart("bench-starting", "starting", "ready after", "Seconds from start to ready"),
    Chart("bench-fairness", "fairness", "tweet to timeline p99", "Tweet to timeline, p99, ms", "silent"),
    Chart("bench-pages-growth", "growing", "page", "Settled page by size of the town, µs", "1 times"),
    Chart("bench-memory-growth", "growing", "memory", "Memory by size of the town, MB", ""),
)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    section = []
    for chart in CHARTS:
        rows = _newest(chart.benchmark, chart.figure)
        if not rows:
            print(f"no figures of {chart.benchmark} yet: run `roost bench {chart.benchmark}`")
            continue
        bars = [_bar(row, chart.base) for row in rows]
        note = f"{rows[-1]['date'][:10]}, commit {rows[-1]['commit']}, {rows[-1]['machine']}"
        (IMAGES / f"{chart.image}.svg").write_text(_drawn(chart, bars, note), encoding="utf-8")
        print(f"docs/images/{chart.image}.svg")
        section.append(f"![{chart.title}](images/{chart.image}.svg)")
    for benchmark in dict.fromkeys([*(chart.benchmark for chart in CHARTS), *MORE]):
        section += _table(benchmark)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text("\n\n".join([before + BEGIN, *section, END]) + after, encoding="utf-8")


def _table(benchmark: str) -> list[str]:
    """Every figure of the newest day, as one table."""
    rows = _newest(benchmark)
    if not rows:
        return []
    lines = ["| case | figure | median | least | most | |", "|---|---|---:|---:|---:|---|"]
    for row in rows:
        median, low, high = (_number(float(row[name])) for name in ("median", "low", "high"))
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(f"| {row['case']}{note} | {row['figure']} | {median} | {low} | {high} | {row['unit']} |")
    newest = rows[-1]
    where = f"`roost bench {benchmark}`, {newest['date'][:10]}, commit {newest['commit']}, {newest['machine']}:"
    return [f"### {benchmark}", where, "\n".join(lines)]


def _newest(benchmark: str, figure: str | None = None) -> list[dict[str, str]]:
    """The last row of each case and figure, of the newest day on which it was measured."""
    path = RESULTS / f"{benchmark}.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if figure in (None, row["figure"])]
    newest_day = max((row["date"][:10] for row in rows), default="")
    last = {(row["case"], row["figure"], row["note"]): row for row in rows if row["date"][:10] == newest_day}
    return list(last.values())


def _bar(row: dict[str, str], base: str) -> Bar:
    is_base = bool(base) and base in row["case"]
    return Bar(row["case"], float(row["median"]), float(row["low"]), float(row["high"]), is_base)


def _drawn(chart: Chart, bars: Sequence[Bar], note: str) -> str:
    most = max([*(bar.high for bar in bars), chart.target or 0.0]) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + len(bars) * (BAR + GAP) + 34
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
            f' font-size="13" role="img" aria-label="{escape(chart.title)}">'
        ),
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" fill="{INK}">{escape(chart.title)}</text>',
    ]
    for number, bar in enumerate(bars):
        y = TOP + number * (BAR + GAP)
        middle = y + BAR / 2
        end = LEFT + bar.median * scale
        parts += [
            f'<text x="{LEFT - 8}" y="{middle + 4.5}" text-anchor="end" fill="{INK}">{escape(bar.label)}</text>',
            (
                f'<rect x="{LEFT}" y="{y}" width="{max(bar.median * scale, 1):.1f}" height="{BAR}"'
                f' fill="{BASE if bar.is_base else FILL}"/>'
            ),
            f'<path d="M{LEFT + bar.low * scale:.1f} {middle}H{LEFT + bar.high * scale:.1f}" stroke="{INK}"/>',
            (
                f'<text x="{max(end, LEFT + bar.high * scale) + 6:.1f}" y="{middle + 4.5}" fill="{INK}">'
                f"{_number(bar.median)}</text>"
            ),
        ]
    bottom = TOP + len(bars) * (BAR + GAP)
    if chart.target is not None:
        x = LEFT + chart.target * scale
        parts.append(f'<path d="M{x:.1f} {TOP - 6}V{bottom}" stroke="#cf222e" stroke-dasharray="4 3"/>')
    parts.append(f'<text x="16" y="{bottom + 20}" font-size="11" fill="{MUTED}">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
