"""`roost doctor`: is the data whole, does the server do well, and what is to be done."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from roost.adapters.clock.system import SystemClock
from roost.assembly.cluster.doctor import examine_cluster
from roost.assembly.cluster.file import read_cluster
from roost.assembly.control import CommandFailed, Request, Status, ask
from roost.assembly.data_folder import DataFolder
from roost.assembly.doctor import examine_folder
from roost.assembly.examination import Check, State, fail
from roost.assembly.server_examination import examine_process, examine_server
from roost.assembly.settings import settings_file
from roost.cli.command import chosen, ends_in_one_line

_COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


def doctor(*, data: Path | None = None, url: str | None = None, config: Path | None = None) -> None:
    """Check a data folder, and the server that serves it or that is named; or the servers of a cluster, where the
    settings file names one. Prints a line a check; exits with 1 where something failed.

    Args:
        data: the data folder
        url: a server to check, else the one that serves the folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    with ends_in_one_line("doctor"):
        settings, folder = chosen(data, config)
        cluster = read_cluster(settings_file(config))
        if cluster is not None:
            checks = asyncio.run(_all(examine_cluster(cluster)))
            _print_all([*checks, *(examine_server(url, settings.metrics_token) if url else ())])
            return
        # A server that is named may be another machine's, and its folder there.
        looks_at_folder = data is not None or url is None
        _print_all(_checks(folder if looks_at_folder else None, url, settings.metrics_token))


def _print_all(checks: Iterable[Check]) -> None:
    failed = False
    for check in checks:
        _print(check)
        failed = failed or check.state is State.FAIL
    if failed:
        raise SystemExit(1)


async def _all(checks: AsyncIterator[Check]) -> list[Check]:
    return [check async for check in checks]


def _checks(folder: DataFolder | None, url: str | None, metrics_token: str) -> Iterator[Check]:
    if folder is not None:
        served = folder.serving_pid() is not None
        yield from examine_folder(folder, SystemClock().now_ms(), served=served)
        if served:
            try:
                status = _status(folder)
            except CommandFailed as error:
                yield fail("process", str(error), "look at the server's log; restart it")
            else:
                yield from examine_process(status)
                url = url or status.url
    if url is not None:
        yield from examine_server(url, metrics_token)


def _status(folder: DataFolder) -> Status:
    for line in ask(folder, Request("status")):
        if isinstance(line, Status):
            return line
    raise CommandFailed("the process says nothing of itself")


def _print(check: Check) -> None:
    line = Text()
    line.append(f"{check.state:<5}", style=_COLOURS[check.state])
    line.append(f"{check.name:<24}  {' '.join(check.fact.split())}")
    if check.advice:
        line.append(f" -> {check.advice}", style="bold")
    Console(soft_wrap=True, highlight=False).print(line)
