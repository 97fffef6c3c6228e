"""Uploading: what becomes of an upload that succeeds, and that nothing becomes of one that fails."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from contract.media_samples import SECRET, film, jpeg, png, saved, walk
from roost.adapters.clock.manual import ManualClock, SeededRandomness
from roost.adapters.clock.mint import Mint
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.adapters.content.upload_folder import UploadFolder
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.commands.upload_content import Incoming, Places, UploadContent
from roost.domain.content import Content, Kind, MediaType, UploadBounds
from roost.domain.errors import (
    BrokenContent,
    Invalid,
    Overloaded,
    QuotaExceeded,
    RoostError,
    TooLarge,
    TooManyRequests,
    UnsupportedContent,
)
from roost.domain.ids import UserId

ADA, BO = UserId(1), UserId(2)
QUOTA_BYTES = 10_000_000


class BrokenOff(Exception):
    """The sender is gone."""


@dataclass
class Sent:
    """What a sender delivers: `pause` holds him back before the last piece, `fails` ends it there."""

    pieces: Sequence[bytes]
    alt: str = ""
    pause: asyncio.Event | None = None
    fails: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def byte_size_max(self) -> int:
        return sum(map(len, self.pieces))

    async def chunks(self) -> AsyncIterator[bytes]:
        *first, last = self.pieces
        for piece in first:
            yield piece
        self.begun.set()
        if self.pause is not None:
            await self.pause.wait()
        if self.fails:
            raise BrokenOff
        yield last


@dataclass
class Bench:
    upload: UploadContent
    store: MemoryContentStore
    content_bytes: MemoryBytes
    folder: Path

    async def rows(self, owner: UserId = ADA) -> Sequence[Content]:
        return await self.store.of_owner(owner, None, 100)

    async def holds_nothing(self, owner: UserId = ADA) -> bool:
        stored = [one async for one in self.content_bytes.stored()]
        return not stored and not await self.rows(owner) and not list(self.folder.glob("*"))

    async def bytes_of(self, content: Content, *, preview: bool = False) -> bytes:
        blob = content.preview if preview else content.original
        assert blob is not None
        return b"".join([chunk async for chunk in self.content_bytes.read(blob.digest)])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    clock = ManualClock()
    store, content_bytes = MemoryContentStore(lambda _: False), MemoryBytes(clock.now_ms)
    upload = UploadContent(
        store,
        content_bytes,
        UploadFolder(tmp_path / "uploads"),
        ChildProcessor(),
        Mint(clock, 0, 0),
        clock,
        SeededRandomness(1),
        UploadBounds(image_bytes_max=100_000, video_bytes_max=500_000),
        QUOTA_BYTES,
    )
    return Bench(upload, store, content_bytes, tmp_path / "uploads")


def in_pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 1_000] for at in range(0, len(data), 1_000)]


async def test_an_image_becomes_a_ready_content_without_its_notes_and_nothing_else_stays(bench: Bench) -> None:
    content = await bench.upload(ADA, Sent(in_pieces(jpeg()), alt=" four colours "))
    assert content.ready
    assert (content.kind, content.width, content.height, content.duration_ms) == (Kind.IMAGE, 80, 60, None)
    assert (content.owner, content.alt, content.tweet_id) == (ADA, "four colours", None)
    assert len(content.id) == 32
    assert await bench.rows() == [content]
    original, preview = await bench.bytes_of(content), await bench.bytes_of(content, preview=True)
    assert original.startswith(b"\xff\xd8\xff")
    assert preview
    assert SECRET not in original + preview
    assert content.quota_bytes == len(original) + len(preview)
    assert not list(bench.folder.glob("*"))


async def test_a_video_has_a_duration_and_a_still_preview(bench: Bench, tmp_path: Path) -> None:
    content = await bench.upload(ADA, Sent(in_pieces(film(tmp_path / "film.mp4").read_bytes())))
    assert content.kind is Kind.VIDEO
    assert content.duration_ms is not None
    assert 1_000 <= content.duration_ms < 1_100
    assert content.preview is not None
    assert content.preview.mime in (MediaType.JPEG, MediaType.WEBP)


async def test_equal_files_share_their_bytes_and_never_an_id(bench: Bench) -> None:
    first = await bench.upload(ADA, Sent([jpeg()]))
    second = await bench.upload(BO, Sent([jpeg()]))
    assert first.original == second.original
    assert first.id != second.id


FAILURES: dict[str, tuple[Sent, type[Exception]]] = {
    "a text": (Sent([b"x" * 5_000]), UnsupportedContent),
    "a text that goes on and on": (Sent([b"x" * 5_000] * 1_000), UnsupportedContent),
    "an empty file": (Sent([b""]), UnsupportedContent),
    "a cut image": (Sent([png()[:200]]), BrokenContent),
    "too large an image": (Sent([jpeg(), *[b"\0" * 10_000] * 20]), TooLarge),
    "too large for anything": (Sent([b"\x1a\x45\xdf\xa3\x42\x82\x84webm".ljust(5_000), b"\0" * 600_000]), TooLarge),
    "a description that is too long": (Sent([jpeg()], alt="x" * 1_501), Invalid),
    "a sender who breaks off": (Sent([jpeg(), b""], fails=True), BrokenOff),
}


@pytest.mark.parametrize(("sent", "refusal"), FAILURES.values(), ids=FAILURES)
async def test_of_an_upload_that_fails_nothing_stays(bench: Bench, sent: Sent, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        await bench.upload(ADA, replace(sent, begun=asyncio.Event()))
    assert await bench.holds_nothing()


async def test_of_an_upload_that_is_given_up_nothing_stays(bench: Bench) -> None:
    sent = Sent([jpeg(), b""], pause=asyncio.Event())
    uploading = asyncio.ensure_future(bench.upload(ADA, sent))
    await sent.begun.wait()
    assert [row.ready for row in await bench.rows()] == [False]
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert await bench.holds_nothing()


async def test_what_is_on_its_way_counts_towards_the_quota(bench: Bench) -> None:
    data = jpeg()
    upload = replace(bench.upload, quota_bytes=2 * len(data) - 1)
    pause = asyncio.Event()
    sent = Sent([data, b""], pause=pause)
    uploading = asyncio.ensure_future(upload(ADA, sent))
    await sent.begun.wait()
    with pytest.raises(QuotaExceeded):
        await upload(ADA, Sent([data]))
    await upload(BO, Sent([data]))
    pause.set()
    assert (await uploading).ready


async def test_what_grows_beyond_the_quota_when_it_is_decoded_is_not_stored(bench: Bench) -> None:
    data = saved(walk(1)[0], "PNG")
    with pytest.raises(QuotaExceeded):
        await replace(bench.upload, quota_bytes=len(data))(ADA, Sent([data]))
    assert await bench.holds_nothing()


@pytest.mark.parametrize(("places", "refusal"), [(Places(9, 1), TooManyRequests), (Places(1, 9), Overloaded)])
async def test_uploads_at_a_time_are_bounded(bench: Bench, places: Places, refusal: type[RoostError]) -> None:
    upload = replace(bench.upload, places=Places(places.at_once_max, places.per_user_max))
    pause = asyncio.Event()
    sent = Sent([jpeg(), b""], pause=pause)
    uploading = asyncio.ensure_future(upload(ADA, sent))
    await sent.begun.wait()
    with pytest.raises(refusal):
        await upload(ADA, Sent([jpeg()]))
    pause.set()
    await uploading
    incoming: Incoming = Sent([jpeg()])
    assert (await upload(ADA, incoming)).ready
