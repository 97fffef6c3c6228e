"""The ContentBytes contract."""

import asyncio
import random
from pathlib import Path

import pytest

from contract.content_adapters import CONTENT_BYTES, digest_of, file_of, now_ms
from roost.domain.content import Digest
from roost.domain.errors import DependencyDown, NotFound
from roost.ports.content_bytes import READ_CHUNK_BYTES_MAX, ContentBytes

HOUR_MS = 3_600_000
LARGE = random.Random(1).randbytes(3 * READ_CHUNK_BYTES_MAX + 17)


@pytest.fixture(params=CONTENT_BYTES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> ContentBytes:
    return CONTENT_BYTES[request.param](tmp_path)


async def read(storage: ContentBytes, digest: Digest, start: int = 0, stop: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in storage.read(digest, start, stop)])


async def test_what_is_put_is_read_under_its_own_digest(storage: ContentBytes, tmp_path: Path) -> None:
    before = now_ms()
    stored = await storage.put(file_of(tmp_path, LARGE))
    assert (stored.digest, stored.byte_size) == (digest_of(LARGE), len(LARGE))
    assert before - 1_000 <= stored.stored_ms <= now_ms()
    assert await storage.size(stored.digest) == len(LARGE)
    assert await read(storage, stored.digest) == LARGE


async def test_the_file_stays_where_it_is(storage: ContentBytes, tmp_path: Path) -> None:
    file = file_of(tmp_path, b"mine")
    await storage.put(file)
    assert file.exists()
    assert file.read_bytes() == b"mine"


async def test_equal_bytes_are_one_object(storage: ContentBytes, tmp_path: Path) -> None:
    first = await storage.put(file_of(tmp_path / "one", b"same"))
    second = await storage.put(file_of(tmp_path / "two", b"same"))
    assert first.digest == second.digest
    assert [stored.digest async for stored in storage.stored()] == [first.digest]


async def test_an_empty_file_is_stored_and_read_as_nothing(storage: ContentBytes, tmp_path: Path) -> None:
    stored = await storage.put(file_of(tmp_path, b""))
    assert await storage.size(stored.digest) == 0
    assert await read(storage, stored.digest) == b""


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 1),
        (5, 9),
        (READ_CHUNK_BYTES_MAX - 1, READ_CHUNK_BYTES_MAX + 1),
        (7, None),
        (len(LARGE) - 1, len(LARGE)),
        (len(LARGE) - 3, len(LARGE) + 1_000),
        (len(LARGE), None),
        (len(LARGE) + 5, len(LARGE) + 9),
        (4, 4),
        (9, 4),
    ],
)
async def test_a_range_is_what_a_slice_is(storage: ContentBytes, tmp_path: Path, start: int, stop: int | None) -> None:
    stored = await storage.put(file_of(tmp_path, LARGE))
    assert await read(storage, stored.digest, start, stop) == LARGE[start:stop]


async def test_chunks_are_bounded_and_never_empty(storage: ContentBytes, tmp_path: Path) -> None:
    stored = await storage.put(file_of(tmp_path, LARGE))
    sizes = [len(chunk) async for chunk in storage.read(stored.digest)]
    assert len(sizes) > 1
    assert all(0 < size <= READ_CHUNK_BYTES_MAX for size in sizes)


async def test_a_missing_digest_has_no_size_and_cannot_be_read(storage: ContentBytes) -> None:
    missing = digest_of(b"never put")
    assert await storage.size(missing) is None
    for start, stop in ((0, None), (3, 5), (4, 4)):
        with pytest.raises(NotFound):
            await read(storage, missing, start, stop)


async def test_what_is_deleted_is_gone_and_deleting_again_is_no_error(storage: ContentBytes, tmp_path: Path) -> None:
    stored = await storage.put(file_of(tmp_path, b"x"))
    kept = await storage.put(file_of(tmp_path, b"y"))
    assert await storage.delete(stored.digest, now_ms() + HOUR_MS)
    assert await storage.size(stored.digest) is None
    with pytest.raises(NotFound):
        await read(storage, stored.digest)
    assert await storage.delete(stored.digest, now_ms() + HOUR_MS)
    assert [left.digest async for left in storage.stored()] == [kept.digest]


async def test_what_is_younger_than_the_given_time_is_not_deleted(storage: ContentBytes, tmp_path: Path) -> None:
    stored = await storage.put(file_of(tmp_path, b"x"))
    assert not await storage.delete(stored.digest, stored.stored_ms - HOUR_MS)
    assert not await storage.delete(stored.digest, stored.stored_ms)
    assert await read(storage, stored.digest) == b"x"


async def test_putting_again_makes_it_young(storage: ContentBytes, tmp_path: Path) -> None:
    file = file_of(tmp_path, b"x")
    first = await storage.put(file)
    while (again := await storage.put(file)).stored_ms == first.stored_ms:
        assert now_ms() < first.stored_ms + 5_000
    assert again.stored_ms > first.stored_ms


async def test_all_that_is_stored_is_listed_with_its_size(storage: ContentBytes, tmp_path: Path) -> None:
    data = [bytes([n]) * (n + 1) for n in range(150)]
    for each in data:
        await storage.put(file_of(tmp_path, each))
    listed = {stored.digest: stored.byte_size async for stored in storage.stored()}
    assert listed == {digest_of(each): len(each) for each in data}


async def test_nothing_is_listed_where_nothing_was_put(storage: ContentBytes) -> None:
    assert [stored async for stored in storage.stored()] == []
    assert await storage.discard_partial(now_ms()) == 0


async def test_a_reader_finds_the_whole_or_nothing_while_it_is_put(storage: ContentBytes, tmp_path: Path) -> None:
    data = random.Random(2).randbytes(12 * 1024 * 1024)
    digest = digest_of(data)
    putting = asyncio.create_task(storage.put(file_of(tmp_path, data)))
    seen = set()
    while not putting.done():
        seen.add(await storage.size(digest))
        await asyncio.sleep(0)
    await putting
    assert seen <= {None, len(data)}
    assert await read(storage, digest) == data


async def test_many_put_the_same_at_once(storage: ContentBytes, tmp_path: Path) -> None:
    file = file_of(tmp_path, LARGE)
    stored = await asyncio.gather(*(storage.put(file) for _ in range(8)))
    assert {each.digest for each in stored} == {digest_of(LARGE)}
    assert await read(storage, digest_of(LARGE)) == LARGE


async def test_a_file_that_is_not_there_is_a_dependency_down(storage: ContentBytes, tmp_path: Path) -> None:
    with pytest.raises(DependencyDown):
        await storage.put(tmp_path / "missing")
