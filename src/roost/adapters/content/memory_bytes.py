"""Content bytes in this process's memory: for tests and trials, gone with it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from roost.domain.content import Digest
from roost.domain.errors import DependencyDown, NotFound
from roost.ports.content_bytes import DELETE_MARGIN_MS, READ_CHUNK_BYTES_MAX, StoredBytes


@dataclass(slots=True)
class MemoryBytes:
    now_ms: Callable[[], int]
    bytes_max: int = 256 * 1024 * 1024
    _objects: dict[Digest, tuple[bytes, int]] = field(default_factory=dict)

    async def put(self, file: Path) -> StoredBytes:
        try:
            data = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            raise DependencyDown("the content storage does not answer") from error
        digest = Digest(hashlib.sha256(data).hexdigest())
        held = sum(len(other) for key, (other, _) in self._objects.items() if key != digest)
        if held + len(data) > self.bytes_max:
            raise DependencyDown(f"the content storage is full: at most {self.bytes_max} bytes")
        self._objects[digest] = (data, self.now_ms())
        return StoredBytes(digest, len(data), self._objects[digest][1])

    async def size(self, digest: Digest) -> int | None:
        found = self._objects.get(digest)
        return None if found is None else len(found[0])

    async def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        if digest not in self._objects:
            raise NotFound("there are no bytes of that digest")
        data = self._objects[digest][0]
        stop = len(data) if stop is None else min(stop, len(data))
        for at in range(start, stop, READ_CHUNK_BYTES_MAX):
            yield data[at : min(at + READ_CHUNK_BYTES_MAX, stop)]

    async def delete(self, digest: Digest, stored_before_ms: int) -> bool:
        found = self._objects.get(digest)
        if found is not None and found[1] + DELETE_MARGIN_MS >= stored_before_ms:
            return False
        self._objects.pop(digest, None)
        return True

    async def stored(self) -> AsyncIterator[StoredBytes]:
        for digest, (data, stored_ms) in list(self._objects.items()):
            yield StoredBytes(digest, len(data), stored_ms)

    async def discard_partial(self, begun_before_ms: int) -> int:
        return 0
