"""`roost settings`: every setting, its value, where it came from and what it means."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from roost.assembly.settings import BadSetting, read_settings


def settings(*, config: Path | None = None) -> None:
    """Print a line each: name, value, source, meaning.

    Args:
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    try:
        _, sourced = read_settings({}, config=config)
    except BadSetting as error:
        sys.exit(f"roost: {error}")
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        for one in sourced:
            # Not by the console, which makes blanks of the tabs that scripts split at.
            print(one.name, one.value, one.source, one.meaning, sep="\t")  # noqa: T201 - what the command is for
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("name", "value", "source", "meaning"):
        table.add_column(heading, overflow="fold")
    for one in sourced:
        table.add_row(one.name, one.value, one.source, one.meaning)
    console.print(table)
