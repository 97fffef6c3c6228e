"""The `roost` command."""

import sys
from importlib.metadata import version

from cyclopts import App, CycloptsError

from roost.cli.backup import backup
from roost.cli.bench import bench
from roost.cli.capacity import capacity_table
from roost.cli.doctor import doctor
from roost.cli.load import load
from roost.cli.operator import operator
from roost.cli.partitions import partitions
from roost.cli.rebuild import rebuild
from roost.cli.restore import restore
from roost.cli.serve import serve
from roost.cli.settings import settings

app = App(name="roost", help="A complete, self-hosted Twitter.", version=version("roost"))
app.command(serve)
app.command(settings)
app.command(load)
app.command(doctor)
app.command(rebuild)
app.command(backup)
app.command(restore)
app.command(operator)
app.command(partitions)
app.command(bench)
app.command(capacity_table, name="capacity")


def main() -> None:
    """Run the command line. What is wrong with it is said in one line; an interrupt is the user's word, not a fault."""
    try:
        app(print_error=False, exit_on_error=False)
    except CycloptsError as error:
        sys.exit(f"roost: {' '.join(str(error).split())}")
    except KeyboardInterrupt:
        sys.exit(130)
