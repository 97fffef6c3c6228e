"""Every adapter of the content ports under contract. A new adapter is one new line here."""

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from obstore.store import MemoryStore

from contract.s3_server import bytes_on_s3
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.adapters.content.obstore_bytes import ObstoreBytes, local_bytes
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.domain.content import Digest
from roost.ports.content_bytes import ContentBytes
from roost.ports.media import MediaProcessor


def now_ms() -> int:
    return time.time_ns() // 1_000_000


CONTENT_BYTES: dict[str, Callable[[Path], ContentBytes]] = {
    "memory": lambda _: MemoryBytes(now_ms),
    "obstore in memory": lambda _: ObstoreBytes(MemoryStore()),
    "obstore on the filesystem": lambda folder: local_bytes(folder / "stored"),
    "obstore on S3": bytes_on_s3,
}


@asynccontextmanager
async def _child_process() -> AsyncIterator[MediaProcessor]:
    processor = ChildProcessor()
    try:
        yield processor
    finally:
        await processor.close()


MEDIA_PROCESSORS: dict[str, Callable[[], AbstractAsyncContextManager[MediaProcessor]]] = {
    "child process": _child_process,
}


def digest_of(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def file_of(folder: Path, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{digest_of(data)[:12]}.bin"
    path.write_bytes(data)
    return path
