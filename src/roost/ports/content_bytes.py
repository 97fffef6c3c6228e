"""The bytes of contents: uploads on their way in, and what is stored for good.

commands/upload_content -> Uploads (a folder on this machine) -> ports/media -> ContentBytes (for
all nodes)
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from roost.domain.content import Digest

READ_CHUNK_BYTES_MAX = 256 * 1024
UPLOAD_MS_MAX = 3_600_000
"""No upload takes so long: what was stored before has its row, or will never have one."""
DELETE_MARGIN_MS = 1_000  # stores that say when in whole seconds exist


@dataclass(frozen=True, slots=True)
class StoredBytes:
    digest: Digest
    byte_size: int
    stored_ms: int
    """By the clock of the storage, when these bytes were last put."""


class ContentBytes(Protocol):
    """Immutable bytes under their own digest. Every method raises DependencyDown when the storage
    does not answer.
    """

    async def put(self, file: Path) -> StoredBytes:
        """Store a file's bytes durably. Equal bytes are one object, however often and whoever puts
        them.

        All or nothing: before it returns, and when it fails or is killed, a reader finds the whole
        or nothing. Putting again makes the object young (`stored_ms`): see `delete`.
        """
        ...

    async def size(self, digest: Digest) -> int | None:
        """How many bytes; None where there are none of that digest."""
        ...

    def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        """Bytes `start` (inclusive) to `stop` (exclusive, None: the end), none empty, each at most
        READ_CHUNK_BYTES_MAX. What lies beyond the end is left out. Raises NotFound at the first
        step.
        """
        ...

    async def delete(self, digest: Digest, stored_before_ms: int) -> bool:
        """Delete unless it was put after that time, or in the DELETE_MARGIN_MS before it; whether
        it is gone now. Missing is gone.

        Who cleans up notes the time, looks for a row that refers to the digest, and then deletes
        what was stored an hour before that time: what an upload puts meanwhile is young and stays.
        """
        ...

    def stored(self) -> AsyncIterator[StoredBytes]:
        """All that is stored, in no order. What is put or deleted meanwhile may be missing."""
        ...

    async def discard_partial(self, begun_before_ms: int) -> int:
        """Remove what puts that were killed before that time left behind, where this storage
        leaves something. How many.
        """
        ...


class Upload(Protocol):
    """One file on its way in, and a folder for what is made of it. Gone with all in it when its
    context ends.
    """

    @property
    def folder(self) -> Path:
        """Empty but for the file; to be written by whoever works on it."""
        ...

    @property
    def file(self) -> Path:
        """The received bytes; whole after `finish`."""
        ...

    @property
    def head(self) -> bytes:
        """The first SNIFF_BYTES, or as many as have come."""
        ...

    @property
    def byte_size(self) -> int:
        """How many bytes have come."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Append. Raises TooLarge beyond the bound, DependencyDown when the disk is full."""
        ...

    async def finish(self) -> None:
        """All has come: `file` holds it. No `write` after this."""
        ...


class Uploads(Protocol):
    """Where uploads wait as they come in: a folder of this machine, since decoders read files."""

    def begin(self, bytes_max: int) -> AbstractAsyncContextManager[Upload]:
        """An upload of at most that many bytes. However the context ends, nothing of it stays."""
        ...

    async def sweep(self) -> int:
        """Remove what uploads of a killed process left behind; those under way in this one stay.
        How many.
        """
        ...
