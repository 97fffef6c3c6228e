"""The form of a backup: a tar file that tells at its beginning what it is, and at its end what must be in it.

assembly.backup -> ArchiveWriter -> a file -> read_archive -> assembly.restore

roost-backup.json, roost.db, signing.key, content/ab/<SHA-256> …, checksums.json. Contents are named for their bytes.
"""

import hashlib
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

import msgspec

FORMAT = 1
HEAD, DATABASE, SECRET, CHECKSUMS = "roost-backup.json", "roost.db", "signing.key", "checksums.json"
SMALL_BYTES_MAX = 64 * 1024
CHUNK_BYTES = 1024 * 1024
_CONTENT = re.compile(r"content/([0-9a-f]{2})/(\1[0-9a-f]{62})")


class BackupFailed(Exception):
    """One line that says what failed, and what to do."""


class Head(msgspec.Struct, frozen=True):
    format: int
    roost: str
    made_ms: int


class Checksums(msgspec.Struct, frozen=True):
    """Of the named files; contents carry theirs in their names, so that their number is enough."""

    files: dict[str, str]
    contents: int


@dataclass(slots=True)
class ArchiveWriter:
    """Members in the order of the calls; `finish` writes the checksums."""

    tar: tarfile.TarFile
    made_ms: int
    _files: dict[str, str] = field(default_factory=dict)
    _contents: int = 0

    def head(self, version: str) -> None:
        self._small(HEAD, msgspec.json.encode(Head(FORMAT, version, self.made_ms)))

    def file(self, name: str, path: Path, say: Callable[[int], None]) -> None:
        """A named file, with its checksum. `say` hears how many bytes are done."""
        with path.open("rb") as opened:
            hashing = _Hashing(opened, say)
            self.tar.addfile(self._info(name, path.stat().st_size), hashing)
        self._files[name] = hashing.sha256.hexdigest()

    def content(self, digest: str, path: Path) -> bool:
        """A content's bytes; False where they are not those of the digest: then they are left out."""
        with path.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != digest:
                return False
            size = opened.seek(0, 2)
            opened.seek(0)
            self.tar.addfile(self._info(f"content/{digest[:2]}/{digest}", size), opened)
        self._contents += 1
        return True

    def finish(self) -> None:
        self._small(CHECKSUMS, msgspec.json.encode(Checksums(self._files, self._contents)))
        self.tar.close()

    def _small(self, name: str, body: bytes) -> None:
        self.tar.addfile(self._info(name, len(body)), BytesIO(body))

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, self.made_ms // 1_000
        return info


class _Hashing(BytesIO):
    """Reads on from a file, and hashes what it reads."""

    def __init__(self, opened: IO[bytes], say: Callable[[int], None]) -> None:
        super().__init__()
        self._opened = opened
        self._say = say
        self._done = 0
        self.sha256 = hashlib.sha256()

    def read(self, size: int | None = -1) -> bytes:
        chunk = self._opened.read(-1 if size is None else size)
        self.sha256.update(chunk)
        self._done += len(chunk)
        self._say(self._done)
        return chunk


Take = Callable[[str, Iterator[bytes]], None]
"""Gets a member's name and its bytes, which it may leave unread."""


def read_archive(path: Path, take: Take) -> Head:
    """Read all of a backup, and check all of it. Raises BackupFailed where it is none, or is damaged.

    `take` gets members as they come, before the end tells whether all are whole: it must be able to undo.
    """
    try:
        with tarfile.open(path, "r|*", bufsize=CHUNK_BYTES) as tar:
            head = _read_head(path, tar)
            checksums, found = _read_rest(path, tar, take)
    except (tarfile.TarError, zlib.error, EOFError, msgspec.MsgspecError) as error:
        raise BackupFailed(f"{path} is damaged, or no backup of roost: {error}") from error
    except OSError as error:
        raise BackupFailed(f"{path} cannot be read: {error.strerror or error}") from error
    if found != checksums:
        raise BackupFailed(f"{path} is damaged: its checksums are others")
    return head


def _read_head(path: Path, tar: tarfile.TarFile) -> Head:
    member = tar.next()
    if member is None or member.name != HEAD:
        raise BackupFailed(f"{path} is no backup of roost")
    head = msgspec.json.decode(_small(tar, member), type=Head)
    if head.format > FORMAT:
        raise BackupFailed(
            f"{path} was made by roost {head.roost} in format {head.format}, this program knows up to {FORMAT}:"
            " run the newer program"
        )
    return head


def _read_rest(path: Path, tar: tarfile.TarFile, take: Take) -> tuple[Checksums, Checksums]:
    """What the end says, and what was found."""
    files: dict[str, str] = {}
    contents = 0
    while (member := tar.next()) is not None:
        if member.name == CHECKSUMS:
            return msgspec.json.decode(_small(tar, member), type=Checksums), Checksums(files, contents)
        content = _CONTENT.fullmatch(member.name)
        if not member.isfile() or not (content or member.name in {DATABASE, SECRET}) or member.name in files:
            raise BackupFailed(f"{path} is no backup of roost: it holds {member.name[:80]!r}")
        digest = _taken(tar, member, take)
        if content is None:
            files[member.name] = digest
        elif digest != content[2]:
            raise BackupFailed(f"{path} is damaged: {member.name} holds other bytes")
        else:
            contents += 1
    raise BackupFailed(f"{path} is damaged: its end is missing")


def _taken(tar: tarfile.TarFile, member: tarfile.TarInfo, take: Take) -> str:
    """Give the member away; the SHA-256 of all of it."""
    sha256 = hashlib.sha256()
    opened = tar.extractfile(member)

    def chunks() -> Iterator[bytes]:
        while opened is not None and (chunk := opened.read(CHUNK_BYTES)):
            sha256.update(chunk)
            yield chunk

    reading = chunks()
    take(member.name, reading)
    for _ in reading:
        pass
    return sha256.hexdigest()


def _small(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = tar.extractfile(member)
    if opened is None or member.size > SMALL_BYTES_MAX:
        raise tarfile.ReadError(f"{member.name} is too large")
    return opened.read()
