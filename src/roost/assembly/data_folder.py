"""The data folder of an embedded roost: where its files lie, who serves it, its secrets."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECRET_BYTES = 32


class DataFolderUnusable(Exception):
    """The folder cannot be served: which, why, and what to do."""


def files_of(database: Path) -> Sequence[Path]:
    """A SQLite file with those that may lie beside it: its log, which may hold most of what is new, and their index."""
    return [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths within one folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "roost.db"

    @property
    def search(self) -> Path:
        return self.root / "search.db"

    @property
    def content(self) -> Path:
        return self.root / "content"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    @property
    def mails(self) -> Path:
        return self.root / "mails"

    @property
    def control(self) -> Path:
        return self.root / "control.sock"

    @property
    def lease(self) -> Path:
        return self.root / "lead.lock"

    @property
    def secret(self) -> Path:
        return self.root / "signing.key"

    def make(self) -> None:
        """Create what is missing, for this user alone. Raises DataFolderUnusable."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.content, self.uploads, self.mails):
                folder.mkdir(exist_ok=True, mode=0o700)
            probe = self.root / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise DataFolderUnusable(f"the data folder {self.root} cannot be written: {error.strerror}") from error

    def signing_key(self) -> bytes:
        """The secret that signs content addresses, made on first use."""
        path = self.secret
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "wb") as new:
                new.write(secrets.token_bytes(SECRET_BYTES))
        key = path.read_bytes()
        if len(key) < SECRET_BYTES:
            raise DataFolderUnusable(f"{path} is damaged: delete it, and signed content addresses are made anew")
        return key

    @contextmanager
    def served(self) -> Iterator[int]:
        """Hold the folder: raises DataFolderUnusable while another process serves it. Whoever is given the
        descriptor holds it too.
        """
        try:
            lock = os.open(self.root / "served.lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise DataFolderUnusable(f"the data folder {self.root} cannot be written: {error.strerror}") from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
                raise DataFolderUnusable(
                    f"the data folder {self.root} is already served by the process with pid {holder}"
                ) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield lock
        finally:
            os.close(lock)

    def serving_pid(self) -> str | None:
        """Who serves the folder now; None where nobody does."""
        try:
            lock = os.open(self.root / "served.lock", os.O_RDONLY)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        finally:
            os.close(lock)
        return None

    def check_exists(self) -> None:
        """Raises DataFolderUnusable where roost has never served this folder."""
        if not self.root.is_dir():
            raise DataFolderUnusable(f"there is no data folder {self.root}")
        if not self.database.is_file():
            raise DataFolderUnusable(f"{self.root} is no data folder of roost: it holds no {self.database.name}")
