"""`roost capacity`: what a load means in bytes, requests and machines."""

import re
import sys

from rich.console import Console
from rich.table import Table

from roost.assembly.capacity import GB, Line, Load, capacity

_UNITS = {"": 1, "k": 1_000, "M": 1_000_000, "G": GB, "B": GB}
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGB]?)")


def capacity_table(
    *,
    users: str = "300M",
    new_users_a_day: str = "100k",
    tweets_per_second: str = "600",
    reads_per_second: str = "600k",
    tweet_bytes: str = "500",
    followers_average: str = "200",
    months_kept: str = "12",
    node_cores: str = "16",
    node_memory_gb: str = "64",
    node_disk_gb: str = "4000",
) -> None:
    """Print the table; numbers may end in k, M or G. The formulas stand in docs/capacity.md.

    Args:
        users: registered users
        new_users_a_day: registrations a day
        tweets_per_second: tweets written, on average
        reads_per_second: tweets read, on average
        tweet_bytes: bytes stored for a tweet: text, image and video references
        followers_average: followers of an average author
        months_kept: months of tweets that the store holds
        node_cores: cores of a machine
        node_memory_gb: its memory
        node_disk_gb: its disk

    """
    try:
        given = {name: _number(name, str(text)) for name, text in locals().items()}
    except ValueError as error:
        sys.exit(f"roost: {error}")
    memory, disk = given.pop("node_memory_gb"), given.pop("node_disk_gb")
    load = Load(node_memory_bytes=int(memory * GB), node_disk_bytes=int(disk * GB), **given)  # type: ignore[arg-type]
    _print(capacity(load))


def _number(name: str, text: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"--{name} {text!r}: a number above 0 such as 600, 600k or 300M is required")
    return float(match[1]) * _UNITS[match[2]]


def _print(lines: list[Line]) -> None:
    console = Console(soft_wrap=True)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("", "", "amount", "because"):
        table.add_column(heading, justify="right" if heading == "amount" else "left")
    part = ""
    for line in lines:
        table.add_row(line.part if line.part != part else "", line.what, line.amount, line.because)
        part = line.part
    console.print(table)
