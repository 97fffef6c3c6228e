"""`roost backup FILE`: a consistent backup, also while roost serves."""

import time
from importlib.metadata import version
from pathlib import Path

from rich.progress import Progress, TaskID

from roost.adapters.clock.system import SystemClock
from roost.assembly.backup import back_up
from roost.cli.command import chosen, ends_in_one_line, progress_bar


def backup(file: Path, *, data: Path | None = None, config: Path | None = None, force: bool = False) -> None:
    """Back up the data folder to one tar file, compressed if its name ends in .gz. All that was acknowledged
    before the command began is in it.

    Args:
        file: the backup; it holds secrets, and is readable by its owner only
        data: the data folder
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml
        force: replace a file that exists

    """
    with ends_in_one_line("backup"):
        _, folder = chosen(data, config)
        with progress_bar() as bar:
            done = back_up(
                folder,
                file.absolute(),
                Phases(bar),
                version=version("roost"),
                now_ms=SystemClock().now_ms(),
                force=force,
            )
        print(f"{file} is a backup of {folder.root}: {done.bytes} bytes, {done.contents} contents")  # noqa: T201 - the answer
        if done.missing:
            print(f"{done.missing} contents are missing: erased meanwhile, or lost; `roost doctor` tells")  # noqa: T201 - as above


SHOWN_EVERY_S = 0.05


class Phases:
    """Shows a bar for each phase that is told of."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._shown_at = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if phase not in self._tasks:
            self._tasks[phase] = self._bar.add_task(phase, total=total, shown="")
        elif done < total and time.monotonic() < self._shown_at + SHOWN_EVERY_S:
            return
        self._shown_at = time.monotonic()
        self._bar.update(self._tasks[phase], completed=done)
