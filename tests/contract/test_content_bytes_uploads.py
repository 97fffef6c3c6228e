"""The Uploads contract: what comes in, and that nothing of it stays."""

import asyncio
from pathlib import Path

import pytest

from roost.adapters.content.upload_folder import UploadFolder
from roost.domain.content import SNIFF_BYTES
from roost.domain.errors import DependencyDown, TooLarge
from roost.ports.content_bytes import Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return UploadFolder(tmp_path / "uploads")


async def test_what_is_written_is_in_the_file(uploads: Uploads) -> None:
    chunks = [bytes([n]) * 70_000 for n in range(10)]
    async with uploads.begin(bytes_max=700_000) as upload:
        for chunk in chunks:
            await upload.write(chunk)
        await upload.finish()
        assert upload.file.read_bytes() == b"".join(chunks)
        assert upload.head == bytes(SNIFF_BYTES)
        assert upload.byte_size == 700_000


async def test_the_head_grows_with_small_chunks(uploads: Uploads) -> None:
    async with uploads.begin(bytes_max=100) as upload:
        await upload.write(b"ab")
        await upload.write(b"")
        await upload.write(b"cd")
        assert upload.head == b"abcd"


async def test_nothing_stays_when_it_ends_whichever_way(uploads: Uploads, tmp_path: Path) -> None:
    async with uploads.begin(bytes_max=100) as upload:
        await upload.write(b"x")
        await upload.finish()
        (upload.folder / "preview").write_bytes(b"made of it")
        finished = upload.folder
    broken = Path()

    async def breaks() -> None:
        nonlocal broken
        async with uploads.begin(bytes_max=100) as upload:
            await upload.write(b"x")
            broken = upload.folder
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await breaks()
    assert not finished.exists()
    assert broken.parent == finished.parent
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_nothing_stays_of_a_cancelled_upload(uploads: Uploads, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        async with uploads.begin(bytes_max=100) as upload:
            await upload.write(b"x")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(endless())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list((tmp_path / "uploads").iterdir()) == []


async def test_a_byte_beyond_the_bound_is_too_large(uploads: Uploads) -> None:
    async with uploads.begin(bytes_max=10) as upload:
        await upload.write(b"x" * 10)
        with pytest.raises(TooLarge, match="11 or more bytes, at most 10 allowed"):
            await upload.write(b"x")


async def test_a_sweep_takes_what_a_killed_process_left_and_spares_what_is_under_way(
    uploads: Uploads, tmp_path: Path
) -> None:
    assert await uploads.sweep() == 0
    left = tmp_path / "uploads" / "tmpleft"
    async with uploads.begin(bytes_max=10) as upload:
        left.mkdir()
        (left / "upload").write_bytes(b"half")
        assert await uploads.sweep() == 1
        assert not left.exists()
        assert upload.file.exists()


async def test_a_folder_that_cannot_be_written_is_a_dependency_down(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_bytes(b"a file, not a folder")
    with pytest.raises(DependencyDown):
        async with UploadFolder(tmp_path / "uploads").begin(bytes_max=10):
            pass
