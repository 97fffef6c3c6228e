"""`roost rebuild VIEW`: make a view anew from the store, while roost serves or while it does not."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from rich.progress import Progress, TaskID

from roost.assembly.control import Request, Step, ask
from roost.assembly.data_folder import DataFolder
from roost.assembly.rebuild import Rebuilding, checked_views, rebuild_unserved
from roost.assembly.serving import configure_logging
from roost.assembly.settings import Settings
from roost.cli.command import chosen, ends_in_one_line, progress_bar


def rebuild(view: str, *, data: Path | None = None, config: Path | None = None) -> None:
    """Rebuild a view from the store: index, counts, notifications, timelines, celebrities, or all.

    While roost serves, searches find what is indexed so far until the index is done; everything else stays whole.

    Args:
        view: index, counts, notifications, timelines, celebrities, or all
        data: the data folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml

    """
    with ends_in_one_line("rebuild"):
        settings, folder = chosen(data, config)
        checked_views(view)
        folder.check_exists()
        with progress_bar() as bar:
            shown = _Shown(bar)
            if folder.serving_pid() is not None:
                for rebuilding in _while_serving(folder, view):
                    shown(rebuilding)
            else:
                configure_logging("warning")
                asyncio.run(_unserved(settings, folder, view, shown))


def _while_serving(folder: DataFolder, view: str) -> Iterator[Rebuilding]:
    for line in ask(folder, Request("rebuild", view)):
        if isinstance(line, Step):
            yield Rebuilding(line.view, line.rows, line.finished)


async def _unserved(settings: Settings, folder: DataFolder, view: str, shown: "_Shown") -> None:
    async for rebuilding in rebuild_unserved(settings, folder, view):
        shown(rebuilding)


class _Shown:
    """The progress of each view on the bar, and a line when it is done."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, rebuilding: Rebuilding) -> None:
        view = rebuilding.view
        if view not in self._tasks:
            self._tasks[view] = self._bar.add_task(view, total=None, shown="")
        self._bar.update(self._tasks[view], completed=rebuilding.rows, shown=f"{rebuilding.rows:,} rows")
        if rebuilding.finished:
            self._bar.update(self._tasks[view], total=rebuilding.rows)
            print(f"rebuilt {view}: {rebuilding.rows} rows", flush=True)  # noqa: T201 - what scripts read
