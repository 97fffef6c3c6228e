"""Upload an image or a video.

edge.native.content -> UploadContent -> Uploads (as it comes in) -> MediaProcessor -> ContentBytes -> ContentStore

A row stands from before the first byte to after the last, so that what is on its way counts towards the quota.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from roost.domain.content import Blob, Content, MediaType, UploadBounds, check_alt
from roost.domain.errors import Overloaded, RoostError, TooManyRequests
from roost.domain.ids import ContentId, UserId
from roost.ports.clock import Clock, Randomness
from roost.ports.content_bytes import ContentBytes, Upload, Uploads
from roost.ports.contents import ContentStore
from roost.ports.ids import IdSource
from roost.ports.media import MediaProcessor, Processed

CONTENT_ID_BYTES = 16
AT_ONCE_MAX = 64
AT_ONCE_PER_USER_MAX = 4
RETRY_AFTER_S = 5.0


class Incoming(Protocol):
    """An upload as its sender delivers it."""

    @property
    def byte_size_max(self) -> int:
        """No more bytes than this will come."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The file's bytes, once. Ends within a bounded time, with an error where the sender does not go on."""
        ...

    @property
    def alt(self) -> str:
        """What the sender says of the picture: known when all chunks have come."""
        ...


@dataclass(slots=True)
class Places:
    """How many uploads this process takes at a time: each holds a file on the disk and a request in flight."""

    at_once_max: int = AT_ONCE_MAX
    per_user_max: int = AT_ONCE_PER_USER_MAX
    _taken: dict[UserId, int] = field(default_factory=dict)

    @contextmanager
    def taken(self, user: UserId) -> Iterator[None]:
        """Raises Overloaded, or TooManyRequests where the user's own uploads are too many."""
        own = self._taken.get(user, 0)
        if own >= self.per_user_max:
            detail = f"{own} uploads under way, at most {self.per_user_max} allowed"
            raise TooManyRequests(detail, limit=self.per_user_max, retry_after_s=RETRY_AFTER_S)
        if sum(self._taken.values()) >= self.at_once_max:
            raise Overloaded(f"{self.at_once_max} uploads are under way already")
        self._taken[user] = own + 1
        try:
            yield
        finally:
            self._taken[user] -= 1
            if not self._taken[user]:
                del self._taken[user]


@dataclass(frozen=True, slots=True)
class UploadContent:
    store: ContentStore
    content_bytes: ContentBytes
    uploads: Uploads
    media: MediaProcessor
    ids: IdSource
    clock: Clock
    randomness: Randomness
    bounds: UploadBounds
    quota_bytes: int
    places: Places = field(default_factory=Places)

    async def __call__(self, owner: UserId, incoming: Incoming) -> Content:
        """The ready content. However it fails, no row and no file of it stays.

        Raises TooLarge, UnsupportedContent, BrokenContent, QuotaExceeded, TooManyRequests (too many at a time),
        Invalid, Unavailable, and what `incoming` raises.
        """
        with self.places.taken(owner):
            pending = self._pending(owner, incoming.byte_size_max)
            await self.store.add(pending, self.quota_bytes)
            try:
                return await self._complete(pending, incoming)
            except BaseException:
                # Shielded: a request that is given up leaves nothing behind either.
                await asyncio.shield(self._forget(pending.id))
                raise

    def _pending(self, owner: UserId, byte_size_max: int) -> Content:
        id = ContentId(self.randomness.token_bytes(CONTENT_ID_BYTES).hex())
        reserved = min(byte_size_max, self.bounds.any_bytes_max)
        return Content(id, owner, self.clock.now_ms(), "", reserved, self.ids.next_version())

    async def _complete(self, pending: Content, incoming: Incoming) -> Content:
        async with self.uploads.begin(self.bounds.any_bytes_max) as upload:
            media_type = await self._receive(incoming, upload)
            described = replace(pending, alt=check_alt(incoming.alt))
            processed = await self.media.process(upload.file, media_type, upload.folder)
            return await self._keep(described, processed)

    async def _receive(self, incoming: Incoming, upload: Upload) -> MediaType:
        async for chunk in incoming.chunks():
            await upload.write(chunk)
            self.bounds.check(upload.head, upload.byte_size, whole=False)
        await upload.finish()
        media_type = self.bounds.check(upload.head, upload.byte_size, whole=True)
        if media_type is None:
            raise AssertionError("a whole file has a type")
        return media_type

    async def _keep(self, pending: Content, processed: Processed) -> Content:
        made = await asyncio.to_thread(_byte_size, processed.original, processed.preview)
        # Before the bytes are stored: what a full quota refuses would else lie there until it is swept.
        version = self.ids.next_version(pending.version)
        await self.store.add(replace(pending, reserved_bytes=made, version=version), self.quota_bytes)
        ready = pending.completed(
            await self._put(processed.original, processed.original_mime),
            await self._put(processed.preview, processed.preview_mime),
            width=processed.width,
            height=processed.height,
            duration_ms=processed.duration_ms,
            version=self.ids.next_version(version),
        )
        await self.store.add(ready, self.quota_bytes)
        return ready

    async def _put(self, file: Path, mime: MediaType) -> Blob:
        stored = await self.content_bytes.put(file)
        return Blob(stored.digest, stored.byte_size, mime)

    async def _forget(self, id: ContentId) -> None:
        """Bytes that were stored already are found by the sweep of the storage, and so is a row that stays here."""
        with contextlib.suppress(RoostError):
            await self.store.remove([id])


def _byte_size(*files: Path) -> int:
    return sum(file.stat().st_size for file in files)
