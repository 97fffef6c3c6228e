"""Remove the contents that nobody took, uploads that broke off, and bytes that no row names.

assembly.contents (every so often) -> CleanContents -> ContentStore, then ContentBytes

Rows go first: bytes without a row are found again, a row without bytes would promise what is not there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.content import Content, Digest
from roost.ports.clock import Clock
from roost.ports.content_bytes import UPLOAD_MS_MAX, ContentBytes, StoredBytes, Uploads
from roost.ports.contents import ContentStore

ROWS_A_STEP = 500
STEPS_A_TURN_MAX = 200
"""The rest waits for the next turn."""
DIGESTS_A_STEP = 1_000


@dataclass(frozen=True, slots=True)
class CleanContents:
    """`kept_ms` is how long a content may wait for its tweet."""

    store: ContentStore
    content_bytes: ContentBytes
    uploads: Uploads
    clock: Clock
    kept_ms: int

    async def __call__(self) -> int:
        """How many contents went. Safe beside uploads and posts: what they take meanwhile stays."""
        await self.sweep_uploads()
        now_ms = self.clock.now_ms()
        unfinished = await self._remove(now_ms, now_ms - UPLOAD_MS_MAX, unfinished=True)
        return unfinished + await self._remove(now_ms, now_ms - self.kept_ms, unfinished=False)

    async def sweep_uploads(self) -> int:
        """Remove the files that a killed process left: how many."""
        swept = await self.uploads.sweep()
        return swept + await self.content_bytes.discard_partial(self.clock.now_ms() - UPLOAD_MS_MAX)

    async def sweep_storage(self) -> int:
        """Delete the bytes that no row names; how many were found. Looks at all that is stored."""
        now_ms, found, unseen = self.clock.now_ms(), 0, list[StoredBytes]()
        async for stored in self.content_bytes.stored():
            if stored.stored_ms < now_ms - UPLOAD_MS_MAX:
                unseen.append(stored)
            if len(unseen) >= DIGESTS_A_STEP:
                found += await self._sweep(unseen)
                unseen = []
        return found + await self._sweep(unseen)

    async def _remove(self, now_ms: int, before_ms: int, *, unfinished: bool) -> int:
        find = self.store.unfinished if unfinished else self.store.abandoned
        removed = 0
        for _ in range(STEPS_A_TURN_MAX):
            rows: Sequence[Content] = await find(before_ms, ROWS_A_STEP)
            for digest in await self.store.remove_unclaimed([row.id for row in rows]):
                await self.content_bytes.delete(Digest(digest), now_ms - UPLOAD_MS_MAX)
            removed += len(rows)
            if len(rows) < ROWS_A_STEP:
                break
        return removed

    async def _sweep(self, some: Sequence[StoredBytes]) -> int:
        """The time is noted before the rows are looked for: what an upload puts meanwhile is younger, and stays."""
        now_ms, digests = self.clock.now_ms(), [stored.digest for stored in some]
        named = await self.store.named(digests)
        unnamed = [digest for digest in digests if digest not in named]
        for digest in unnamed:
            await self.content_bytes.delete(digest, now_ms - UPLOAD_MS_MAX)
        return len(unnamed)
