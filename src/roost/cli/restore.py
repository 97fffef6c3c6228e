"""`roost restore FILE`: a backup becomes a data folder."""

from datetime import UTC, datetime
from pathlib import Path

from roost.adapters.clock.system import SystemClock
from roost.assembly.restore import restore as restore_folder
from roost.cli.command import chosen, ends_in_one_line, progress_bar


def restore(file: Path, *, data: Path | None = None, config: Path | None = None, force: bool = False) -> None:
    """Make the data folder of a backup. The search index is made anew when roost serves it for the first time.

    What was done after the backup is not there: sessions that ended and tweets that were deleted since are back.

    Args:
        file: the backup
        data: the folder to make; it must be empty or not there, and not served
        config: TOML file of settings, else ROOST_CONFIG, else ./roost.toml
        force: put a folder that is not empty aside, beside the new one

    """
    with ends_in_one_line("restore"):
        _, folder = chosen(data, config)
        size = file.stat().st_size if file.is_file() else None
        with progress_bar() as bar:
            task = bar.add_task("restoring", total=size, shown="")
            done = restore_folder(
                file,
                folder.root,
                lambda name, bytes_done: bar.update(task, completed=bytes_done),
                now_ms=SystemClock().now_ms(),
                force=force,
            )
        made = datetime.fromtimestamp(done.head.made_ms / 1_000, UTC)
        at = f"{made:%Y-%m-%d %H:%M:%S} UTC"
        print(f"{folder.root} is restored as of {at}, with {done.contents} contents")  # noqa: T201 - the answer
        if done.aside is not None:
            print(f"what was there before lies in {done.aside}")  # noqa: T201 - as above
