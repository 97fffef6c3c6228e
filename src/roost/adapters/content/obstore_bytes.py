"""Content bytes in any store that obstore speaks: a folder here, S3 with another constructor.

An object is named for its digest. A store renames or publishes a finished object at once, so that
nobody finds half of one. S3 keeps parts of broken uploads until a lifecycle rule of the bucket
removes them.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from roost.domain.content import Digest
from roost.domain.errors import DependencyDown, NotFound
from roost.ports.content_bytes import DELETE_MARGIN_MS, READ_CHUNK_BYTES_MAX, StoredBytes

PREFIX = "content"
LIST_CHUNK = 1_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
WINDOW_BYTES = 4 * 1024 * 1024
"""One request asks for so much: its time is bounded, while who reads a video may take as long as it plays."""

S3_CONNECT_MS_MAX = 2_000
S3_REQUEST_MS_MAX = 30_000
S3_RETRIES_MAX = 3
S3_RETRY_MS_MAX = 10_000
LOCK_STRIPES = 64  # a put waits for a delete of the same digest, and rarely for another's


class ObstoreBytes:
    """`local_root` is the store's folder where it is one: what obstore leaves to its user is done
    there, syncing to the disk and removing unfinished files.
    """

    def __init__(self, store: ObjectStore, local_root: Path | None = None) -> None:
        self._store = store
        self._local_root = local_root
        self._stripes = [asyncio.Lock() for _ in range(LOCK_STRIPES)]

    async def looked_at(self) -> None:
        """Ask for something. Raises DependencyDown where the store does not answer."""
        with _translated():
            async for _ in obstore.list(self._store, PREFIX, chunk_size=1):
                return

    async def put(self, file: Path) -> StoredBytes:
        with _translated():
            digest = await asyncio.to_thread(_digest_of, file)
            key = _key(digest)
            async with self._stripe(digest):
                # Written again where it exists already: that makes it young, and so safe from a
                # clean-up that looked for its rows before this upload had one.
                await obstore.put_async(self._store, key, file)
                if self._local_root is not None:
                    await asyncio.to_thread(_sync, self._local_root / key)
                found = await obstore.head_async(self._store, key)
            return StoredBytes(digest, found["size"], _ms(found["last_modified"]))

    async def size(self, digest: Digest) -> int | None:
        with _translated():
            try:
                return (await obstore.head_async(self._store, _key(digest)))["size"]
            except FileNotFoundError:
                return None

    async def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        with _translated():
            size = await self.size(digest)
            if size is None:
                raise NotFound("there are no bytes of that digest")
            stop = size if stop is None else min(stop, size)
            if start >= stop:  # stores call an empty range an error, each in its own words
                return
            for begin in range(start, stop, WINDOW_BYTES):
                span = (begin, min(begin + WINDOW_BYTES, stop))
                found = await obstore.get_async(self._store, _key(digest), options={"range": span})
                async for piece in found.stream(min_chunk_size=READ_CHUNK_BYTES_MAX):
                    for at in range(0, len(piece), READ_CHUNK_BYTES_MAX):
                        yield bytes(piece[at : at + READ_CHUNK_BYTES_MAX])

    async def delete(self, digest: Digest, stored_before_ms: int) -> bool:
        key = _key(digest)
        with _translated():
            async with self._stripe(digest):
                try:
                    found = await obstore.head_async(self._store, key)
                    if _ms(found["last_modified"]) + DELETE_MARGIN_MS >= stored_before_ms:
                        return False
                    await obstore.delete_async(self._store, key)
                except FileNotFoundError:
                    return True
            return True

    async def stored(self) -> AsyncIterator[StoredBytes]:
        with _translated():
            async for batch in obstore.list(self._store, PREFIX, chunk_size=LIST_CHUNK):
                for found in batch:
                    digest = Digest(found["path"].rpartition("/")[2])
                    yield StoredBytes(digest, found["size"], _ms(found["last_modified"]))

    async def discard_partial(self, begun_before_ms: int) -> int:
        if self._local_root is None:
            return 0
        with _translated():
            folder = self._local_root / PREFIX
            return await asyncio.to_thread(_discard_staged, folder, begun_before_ms)

    def _stripe(self, digest: Digest) -> asyncio.Lock:
        return self._stripes[int(digest[:8], 16) % LOCK_STRIPES]


def local_bytes(root: Path) -> ObstoreBytes:
    """Content bytes in a folder of this machine, made when it is missing."""
    return ObstoreBytes(LocalStore(root, mkdir=True), root)


def s3_bytes(
    endpoint: str,
    bucket: str,
    access_key_id: str,
    secret_access_key: str,
    *,
    region: str = "us-east-1",
    prefix: str = "",
) -> ObstoreBytes:
    """Content bytes in a bucket that is there, below `prefix` when several share it.

    The bucket is part of the path, as servers that are not Amazon's expect. Nothing is connected to yet. A lifecycle
    rule of the bucket must abort multipart uploads after a day: what a killed upload left is to be seen by nobody
    else, and takes room until then.
    """
    return ObstoreBytes(
        S3Store(
            bucket,
            prefix=prefix or None,
            endpoint=endpoint,
            region=region,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": f"{S3_CONNECT_MS_MAX}ms",
                "timeout": f"{S3_REQUEST_MS_MAX}ms",
            },
            retry_config={
                "max_retries": S3_RETRIES_MAX,
                "retry_timeout": timedelta(milliseconds=S3_RETRY_MS_MAX),
            },
        )
    )


def local_file(root: Path, digest: Digest) -> Path:
    """Where `local_bytes` keeps these bytes: for backups and checks of a folder, which read files."""
    return root / _key(digest)


def _key(digest: Digest) -> str:
    """Two letters first: a folder of a million files is slow to list."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256 in hexadecimal")
    return f"{PREFIX}/{digest[:2]}/{digest}"


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1_000)


def _digest_of(file: Path) -> Digest:
    with file.open("rb") as opened:
        return Digest(hashlib.file_digest(opened, "sha256").hexdigest())


def _sync(file: Path) -> None:
    """The bytes and the names on the way to them: a row that refers to them is synced after."""
    for path in (file, file.parent, file.parent.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _discard_staged(folder: Path, before_ms: int) -> int:
    """Obstore writes to NAME#NUMBER and renames; what a kill left of it is never listed."""
    count = 0
    for path in folder.glob("*/*#*"):
        if path.stat().st_mtime * 1_000 < before_ms:
            path.unlink(missing_ok=True)
            count += 1
    return count


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise DependencyDown("the content storage does not answer") from error
