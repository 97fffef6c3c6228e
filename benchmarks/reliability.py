"""What a cluster notices of each fault: a table in docs/reliability.md, written from this run's own figures.

    python benchmarks/reliability.py           # the whole cluster, every kind of process; some 25 minutes
    python benchmarks/reliability.py --small   # one server of each kind, the faults that such a one can bear

A steady load of posts, follows and reads goes through both balancers; each fault is injected while it goes on, and is
healed before the next. Exits 1 when something was lost or doubled, or a request was answered as it may not be.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(_ROOT / part) for part in ("tests", "loadgen", "servers")]

from harness.figures import append_row, machine  # noqa: E402  found by the path above

from scenarios.cluster.faults import Fault, Row, endure  # noqa: E402
from scenarios.cluster.load import SteadyLoad  # noqa: E402
from scenarios.cluster.local import local_cluster  # noqa: E402
from scenarios.cluster.table import FAULTS, SMALL_FAULTS, table  # noqa: E402

PAGE = _ROOT / "docs/reliability.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


async def _run(faults: list[Fault], *flags: str) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        async with local_cluster(Path(folder), *flags) as cluster:
            load = SteadyLoad(cluster.urls)
            try:
                await load.begin()
                for fault in faults:
                    row = await endure(cluster, load, fault)
                    rows.append(row)
                    print(row, flush=True)
            finally:
                await load.end()
    return rows


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--small", action="store_true", help="one server of each kind; writes no page")
    arguments.add_argument("--only", help="faults whose names hold this")
    given = arguments.parse_args()
    faults = [fault for fault in (SMALL_FAULTS if given.small else FAULTS) if (given.only or "") in fault.name]
    rows = asyncio.run(_run(faults, *(["--small"] if given.small else [])))
    for row in rows:
        append_row("reliability", {"cluster": "small" if given.small else "whole", **row.figures})
    if not given.small and not given.only:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        tail = rest.partition(END)[2]
        day = time.strftime("%Y-%m-%d", time.gmtime())
        PAGE.write_text(f"{head}{BEGIN}\n{day}, {machine()}.\n\n{table(rows)}\n{END}{tail}")
    print(table(rows))
    wrong = [row for row in rows if row.lost or row.doubled or row.complaints]
    print("all right" if not wrong else f"{len(wrong)} faults did harm")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
