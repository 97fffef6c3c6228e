"""Back up a data folder while it is served: the database as of one moment, the contents it names, the secret.

cli.backup -> back_up -> sqlite_file.copy_database, ArchiveWriter -> one file

Whatever was acknowledged before it began is in it. The search index is not: it is made anew from the database.
"""

import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from roost.adapters.content.obstore_bytes import local_file
from roost.adapters.sqlite_copies import check_version, copy_database, faults_of, opened_to_read
from roost.assembly.archive import CHUNK_BYTES, DATABASE, SECRET, ArchiveWriter, BackupFailed, read_archive
from roost.assembly.data_folder import DataFolder
from roost.domain.content import Digest

GZIP_SUFFIXES = (".gz", ".tgz")
GZIP_LEVEL = 6
_DIGESTS = (
    "SELECT digest FROM contents WHERE digest IS NOT NULL"
    " UNION SELECT preview_digest FROM contents WHERE preview_digest IS NOT NULL"
)

Say = Callable[[str, int, int], None]
"""Hears what is under way, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """`missing` contents had no bytes, or damaged ones: erased while the backup ran, or lost before."""

    bytes: int
    contents: int
    missing: int


def back_up(folder: DataFolder, target: Path, say: Say, *, version: str, now_ms: int, force: bool) -> BackedUp:
    """Write the backup, whole or not at all, and check what was written. Blocks.

    Raises BackupFailed, DependencyDown for a database of a newer version, DataFolderUnusable for no data folder.
    """
    folder.check_exists()
    _check_target(target, force=force)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as name:
            copy, partial = Path(name) / DATABASE, Path(name) / "partial"
            _copy(folder, copy, say)
            contents, missing = _write(folder, copy, partial, target, say, version, now_ms)
            say("checking", 0, 1)
            read_archive(partial, lambda member, chunks: None)
            say("checking", 1, 1)
            _publish(partial, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(f"the backup failed: {error}") from error
    return BackedUp(target.stat().st_size, contents, missing)


def _check_target(target: Path, *, force: bool) -> None:
    if not target.parent.is_dir():
        raise BackupFailed(f"there is no folder {target.parent}")
    if target.is_dir():
        raise BackupFailed(f"{target} is a folder: name a file in it")
    if target.exists() and not force:
        raise BackupFailed(f"{target} exists: --force replaces it")


def _copy(folder: DataFolder, copy: Path, say: Say) -> None:
    with opened_to_read(folder.database) as connection:
        check_version(connection, folder.database.name)
    copy_database(folder.database, copy, lambda done, total: say("copying the database", done, total))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
    faults = faults_of(copy)
    if faults:
        raise BackupFailed(f"the database is damaged: {faults[0]}; `roost doctor` says more")


def _write(
    folder: DataFolder, copy: Path, partial: Path, target: Path, say: Say, version: str, now_ms: int
) -> tuple[int, int]:
    """How many contents were written, and how many are missing."""
    done = missing = 0
    with partial.open("xb") as opened:
        os.fchmod(opened.fileno(), 0o600)  # it holds the secret, and addresses
        with _tar(opened, target) as tar:
            writer = ArchiveWriter(tar, now_ms)
            writer.head(version)
            size = copy.stat().st_size
            writer.file(DATABASE, copy, lambda bytes_done: say("writing the database", bytes_done, size))
            if folder.secret.is_file():
                writer.file(SECRET, folder.secret, lambda _: None)
            for digest, total in _digests(copy):
                path = local_file(folder.content, digest)
                if path.is_file() and writer.content(digest, path):
                    done += 1
                else:
                    missing += 1
                say("writing contents", done + missing, total)
            writer.finish()
        opened.flush()
        os.fsync(opened.fileno())
    return done, missing


def _tar(opened: IO[bytes], target: Path) -> tarfile.TarFile:
    if target.name.endswith(GZIP_SUFFIXES):
        return tarfile.open(fileobj=opened, mode="w:gz", compresslevel=GZIP_LEVEL)
    return tarfile.open(fileobj=opened, mode="w|", bufsize=CHUNK_BYTES)


def _digests(copy: Path) -> Iterator[tuple[Digest, int]]:
    """All that the database names, each once, and how many there are."""
    with opened_to_read(copy) as connection:
        ((total,),) = connection.execute(f"SELECT count(*) FROM ({_DIGESTS})").fetchall()  # noqa: S608 - ours
        for (digest,) in connection.execute(_DIGESTS):
            yield Digest(digest), total


def _publish(partial: Path, target: Path) -> None:
    partial.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
