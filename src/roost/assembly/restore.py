"""Bring a backup back as a data folder: made beside it, checked, and put in its place at once.

cli.restore -> restore -> read_archive, renumber_log -> the folder
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from roost.adapters.content.obstore_bytes import local_file
from roost.adapters.log.renumbering import renumber_log
from roost.adapters.sqlite_copies import check_version, faults_of, opened_to_read
from roost.assembly.archive import DATABASE, SECRET, BackupFailed, Head, read_archive
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.domain.content import Digest


@dataclass(frozen=True, slots=True)
class Restored:
    """`aside` is where the folder that was there lies now."""

    head: Head
    contents: int
    aside: Path | None


def restore(source: Path, root: Path, say: Callable[[str, int], None], *, now_ms: int, force: bool) -> Restored:
    """Make the folder of the backup, whole or not at all. Blocks. `say` hears what comes, and how many bytes.

    With `force` a folder that is there is put aside, never deleted. Raises BackupFailed, DataFolderUnusable where
    the folder is served, DependencyDown for a database of a newer version.
    """
    root = root.resolve()
    _check_place(root, force=force)
    if not source.is_file():
        raise BackupFailed(f"there is no file {source}")
    staging: Path | None = None
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{root.name}.restoring-", dir=root.parent))
        made = _Made(DataFolder(staging), say)
        head = read_archive(source, made.take)
        _check_made(source, made.folder, now_ms)
        os.sync()  # all of it must be on the disk before its name is
        aside = _put_in_place(staging, root, now_ms)
        return Restored(head, made.contents, aside)
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(f"the restore failed: {error}") from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _check_place(root: Path, *, force: bool) -> None:
    if root.exists() and not root.is_dir():
        raise BackupFailed(f"{root} is no folder")
    if not root.is_dir():
        return
    if os.path.ismount(root):
        raise BackupFailed(f"{root} is a mount point, which cannot be replaced: restore to {root / 'data'}")
    pid = DataFolder(root).serving_pid()
    if pid is not None:
        raise DataFolderUnusable(f"the data folder {root} is served by the process with pid {pid}: stop it first")
    if not force and any(root.iterdir()):
        raise BackupFailed(f"the folder {root} is not empty: --force puts it aside")


class _Made:
    """What was taken out of the archive into a new folder."""

    def __init__(self, folder: DataFolder, say: Callable[[str, int], None]) -> None:
        self.folder = folder
        self.contents = 0
        self._say = say
        self._bytes = 0

    def take(self, name: str, chunks: Iterator[bytes]) -> None:
        """Names come checked: two files, and contents by their digests."""
        if name == DATABASE:
            path = self.folder.database
        elif name == SECRET:
            path = self.folder.secret
        else:
            path = local_file(self.folder.content, Digest(name.rpartition("/")[2]))
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.contents += 1
        with path.open("xb") as opened:
            os.fchmod(opened.fileno(), 0o600)
            for chunk in chunks:
                opened.write(chunk)
                self._bytes += len(chunk)
                self._say(name, self._bytes)


def _check_made(source: Path, folder: DataFolder, now_ms: int) -> None:
    if not folder.database.is_file():
        raise BackupFailed(f"{source} is damaged: it holds no database")
    with opened_to_read(folder.database) as connection:
        check_version(connection, folder.database.name)
    faults = faults_of(folder.database)
    if faults:
        raise BackupFailed(f"{source} is damaged: its database is: {faults[0]}")
    renumber_log(folder.database, now_ms)
    with closing(sqlite3.connect(folder.database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _put_in_place(staging: Path, root: Path, now_ms: int) -> Path | None:
    """Rename, so that at every moment the folder is the old one, the new one, or not there."""
    if not root.is_dir() or not any(root.iterdir()):
        staging.rename(root)
        return None
    at = datetime.fromtimestamp(now_ms / 1_000, UTC)
    aside = root.with_name(f"{root.name}.before-restore-{at:%Y%m%dT%H%M%SZ}")
    with DataFolder(root).served():  # nobody begins to serve it now
        root.rename(aside)
        try:
            staging.rename(root)
        except OSError:
            aside.rename(root)
            raise
    return aside
