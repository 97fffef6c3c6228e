"""Uploads on their way in: a folder each, below one that belongs to this process alone."""

import asyncio
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from roost.domain.content import SNIFF_BYTES
from roost.domain.errors import DependencyDown, TooLarge

WRITE_BUFFER_BYTES = 256 * 1024  # a hop to a thread costs as much as writing this

P = ParamSpec("P")
T = TypeVar("T")


class UploadFolder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._under_way: set[Path] = set()
        self._lock = threading.Lock()  # a folder is made and listed as under way at once

    @asynccontextmanager
    async def begin(self, bytes_max: int) -> AsyncIterator["FolderUpload"]:
        folder = await _on_disk(self._make_folder)
        try:
            upload = FolderUpload(folder, await _on_disk((folder / "upload").open, "wb"), bytes_max)
            try:
                yield upload
            finally:
                upload.close()
        finally:
            # Taken off the list first: should the removal be interrupted, the next sweep ends it.
            self._under_way.discard(folder)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def sweep(self) -> int:
        return await _on_disk(self._remove_left_behind)

    def _make_folder(self) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        with self._lock:
            folder = Path(tempfile.mkdtemp(dir=self._root))
            self._under_way.add(folder)
        return folder

    def _remove_left_behind(self) -> int:
        if not self._root.exists():
            return 0
        with self._lock:
            left = [path for path in self._root.iterdir() if path not in self._under_way]
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return len(left)


class FolderUpload:
    """See ports/content_bytes: Upload."""

    def __init__(self, folder: Path, opened: BinaryIO, bytes_max: int) -> None:
        self.folder = folder
        self.file = folder / "upload"
        self.head = b""
        self.byte_size = 0
        self._opened = opened
        self._bytes_max = bytes_max
        self._buffer = bytearray()

    async def write(self, chunk: bytes) -> None:
        self.byte_size += len(chunk)
        if self.byte_size > self._bytes_max:
            raise TooLarge(f"{self.byte_size} or more bytes, at most {self._bytes_max} allowed")
        if len(self.head) < SNIFF_BYTES:
            self.head += chunk[: SNIFF_BYTES - len(self.head)]
        self._buffer += chunk
        if len(self._buffer) >= WRITE_BUFFER_BYTES:
            await self._flush()

    async def finish(self) -> None:
        await self._flush()
        await _on_disk(self._opened.close)

    def close(self) -> None:
        """What is not flushed is not wanted: the folder goes next."""
        self._buffer.clear()
        self._opened.close()

    async def _flush(self) -> None:
        ready, self._buffer = self._buffer, bytearray()
        await _on_disk(_write_through, self._opened, ready)


def _write_through(opened: BinaryIO, data: bytearray) -> None:
    opened.write(data)
    opened.flush()


async def _on_disk(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(act, *args, **kwargs)
    except OSError as error:
        raise DependencyDown("uploads cannot be written to the disk") from error
