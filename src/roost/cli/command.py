"""What the operator's commands share: the settings they take, their progress, and how they fail in one line."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from roost.assembly.archive import BackupFailed
from roost.assembly.control import CommandFailed
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.assembly.settings import BadSetting, Settings, read_settings
from roost.domain.errors import RoostError


def chosen(data: Path | None, config: Path | None) -> tuple[Settings, DataFolder]:
    """The settings, of which a command's flags say only the folder. Raises BadSetting."""
    settings, _ = read_settings({"data": data}, config=config)
    return settings, DataFolder(settings.data)


@contextmanager
def ends_in_one_line(command: str) -> Iterator[None]:
    """Known failures become one line and exit code 1. SIGTERM ends a command as an interrupt does: what it was
    writing is removed.
    """

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    os.umask(0o077)  # what commands write holds secrets
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except (BadSetting, DataFolderUnusable, CommandFailed, BackupFailed, RoostError) as error:
        sys.exit(f"roost {command}: {' '.join(str(error).split())}")  # SQLite's own words may have several lines
    finally:
        signal.signal(signal.SIGTERM, before)


def progress_bar() -> Progress:
    """On standard error where that is a terminal; elsewhere it shows nothing. A task without a total pulses."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(show_speed=True),
        TextColumn("{task.fields[shown]}"),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
