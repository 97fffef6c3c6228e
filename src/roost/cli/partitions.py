"""`roost partitions`: how evenly a cluster's users, tweets and bytes are spread."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from roost.assembly.cluster.file import read_cluster
from roost.assembly.cluster.partitions import Table, partition_tables
from roost.assembly.settings import BadSetting, settings_file
from roost.cli.command import ends_in_one_line


def partitions(*, config: Path | None = None) -> None:
    """Show how users, tweets and bytes lie over shards, nodes and partitions of the log. Reads all rows.

    Args:
        config: TOML file of settings with a table [cluster], else ROOST_CONFIG, else ./roost.toml

    """
    with ends_in_one_line("partitions"):
        path = settings_file(config)
        cluster = read_cluster(path)
        if cluster is None:
            raise BadSetting(f"{path} has no table [cluster]: one process has one partition of everything")
        for table in asyncio.run(_all(partition_tables(cluster))):
            _print(table)


async def _all(tables: AsyncIterator[Table]) -> list[Table]:
    return [table async for table in tables]


def _print(table: Table) -> None:
    shown = Shown(title=table.title, title_justify="left")
    shown.add_column("")
    for column in table.columns:
        shown.add_column(column, justify="right")
    for name, row in table.rows.items():
        shown.add_row(name, *(f"{figure:,.4g}" if isinstance(figure, float) else f"{figure:,}" for figure in row))
    console = Console(highlight=False)
    console.print(shown)
    console.print(f"spread {table.spread:.0f} %\n")
