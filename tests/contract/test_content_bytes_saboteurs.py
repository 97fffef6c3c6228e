"""The ContentBytes contract must catch a wrong adapter: each saboteur breaks one promise."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from contract import test_content_bytes as contract
from contract.content_adapters import digest_of, now_ms
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.domain.content import Digest
from roost.ports.content_bytes import READ_CHUNK_BYTES_MAX, StoredBytes


class NamesByFile(MemoryBytes):
    async def put(self, file: Path) -> StoredBytes:
        stored = await super().put(file)
        named = digest_of(str(file).encode())
        self._objects[named] = self._objects.pop(stored.digest)
        return StoredBytes(named, stored.byte_size, stored.stored_ms)


class MovesTheFile(MemoryBytes):
    async def put(self, file: Path) -> StoredBytes:
        stored = await super().put(file)
        await asyncio.to_thread(file.unlink)
        return stored


class StopIsInclusive(MemoryBytes):
    def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        return super().read(digest, start, None if stop is None else stop + 1)


class GivesAllInOneChunk(MemoryBytes):
    async def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        yield b"".join([chunk async for chunk in super().read(digest, start, stop)])


class MissingReadsAsNothing(MemoryBytes):
    async def read(self, digest: Digest, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
        if digest in self._objects:
            async for chunk in super().read(digest, start, stop):
                yield chunk


class DeletesTheYoung(MemoryBytes):
    async def delete(self, digest: Digest, stored_before_ms: int) -> bool:
        return await super().delete(digest, now_ms() + contract.HOUR_MS)


class KeepsTheDeleted(MemoryBytes):
    async def delete(self, digest: Digest, stored_before_ms: int) -> bool:
        return True


class KeepsTheFirstTime(MemoryBytes):
    async def put(self, file: Path) -> StoredBytes:
        held = dict(self._objects)
        stored = await super().put(file)
        self._objects.update(held)
        return StoredBytes(stored.digest, stored.byte_size, self._objects[stored.digest][1])


class ListsAPage(MemoryBytes):
    async def stored(self) -> AsyncIterator[StoredBytes]:
        count = 0
        async for each in super().stored():
            count += 1
            if count <= 100:
                yield each


class ShowsTheHalfWritten(MemoryBytes):
    async def put(self, file: Path) -> StoredBytes:
        data = await asyncio.to_thread(file.read_bytes)
        self._objects[digest_of(data)] = (data[: READ_CHUNK_BYTES_MAX // 2], now_ms())
        return await super().put(file)


Promise = Callable[..., Awaitable[None]]


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (NamesByFile, contract.test_equal_bytes_are_one_object),
        (NamesByFile, contract.test_what_is_put_is_read_under_its_own_digest),
        (MovesTheFile, contract.test_the_file_stays_where_it_is),
        (GivesAllInOneChunk, contract.test_chunks_are_bounded_and_never_empty),
        (KeepsTheFirstTime, contract.test_putting_again_makes_it_young),
        (ListsAPage, contract.test_all_that_is_stored_is_listed_with_its_size),
        (DeletesTheYoung, contract.test_what_is_younger_than_the_given_time_is_not_deleted),
        (KeepsTheDeleted, contract.test_what_is_deleted_is_gone_and_deleting_again_is_no_error),
        (ShowsTheHalfWritten, contract.test_a_reader_finds_the_whole_or_nothing_while_it_is_put),
    ],
)
async def test_is_caught(saboteur: type[MemoryBytes], promise: Promise, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        await promise(saboteur(now_ms), tmp_path)


async def test_an_inclusive_stop_is_caught(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        await contract.test_a_range_is_what_a_slice_is(StopIsInclusive(now_ms), tmp_path, 5, 9)


async def test_a_missing_digest_that_reads_as_nothing_is_caught() -> None:
    with pytest.raises(pytest.fail.Exception):
        await contract.test_a_missing_digest_has_no_size_and_cannot_be_read(MissingReadsAsNothing(now_ms))
