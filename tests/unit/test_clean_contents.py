"""What nobody took, what broke off and what no row names goes in time; everything else stays."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contract.account_store_adapters import ANA, STORES, Stores, account, pending, ready, user
from roost.adapters.clock.manual import START_MS_DEFAULT, ManualClock
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.adapters.content.upload_folder import UploadFolder
from roost.commands.clean_contents import ROWS_A_STEP, CleanContents
from roost.domain.content import Content
from roost.domain.ids import ContentId, TweetId
from roost.ports.content_bytes import UPLOAD_MS_MAX

HOUR_MS = 3_600_000
KEPT_MS = 24 * HOUR_MS
QUOTA_BYTES = 1_000_000_000


@dataclass
class Bench:
    clean: CleanContents
    stores: Stores
    content_bytes: MemoryBytes
    clock: ManualClock
    folder: Path

    async def put(self, data: bytes) -> str:
        file = self.folder / "put"
        file.write_bytes(data)
        return (await self.content_bytes.put(file)).digest

    async def keep(self, id: str, data: bytes = b"bytes", *, created_ms: int = START_MS_DEFAULT) -> Content:
        digest = await self.put(data)
        content = ready(id, digest=digest, preview=digest, created_ms=created_ms)
        await self.stores.contents.add(content, QUOTA_BYTES)
        return content

    async def left(self) -> set[str]:
        return {one.id for one in await self.stores.contents.of_owner(ANA, None, 10_000)}

    async def stored(self) -> set[str]:
        return {one.digest async for one in self.content_bytes.stored()}


@pytest.fixture(params=STORES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    clock = ManualClock()
    async with STORES[request.param](tmp_path) as stores:
        content_bytes = MemoryBytes(clock.now_ms)
        uploads = UploadFolder(tmp_path / "uploads")
        clean = CleanContents(stores.contents, content_bytes, uploads, clock, KEPT_MS)
        yield Bench(clean, stores, content_bytes, clock, tmp_path)


async def test_what_no_tweet_and_no_profile_took_goes_in_time_with_its_bytes(bench: Bench) -> None:
    for id in ("tweeted", "shown", "nowhere"):
        await bench.keep(id, id.encode())
    await bench.stores.put_in_tweet(ContentId("tweeted"), ANA, TweetId(7))
    await bench.stores.accounts.create(replace(user(), avatar=ContentId("shown")), account(), None, [])
    bench.clock.advance(KEPT_MS)
    assert await bench.clean() == 0
    bench.clock.advance(1)
    assert await bench.clean() == 1
    assert await bench.left() == {"tweeted", "shown"}
    assert len(await bench.stored()) == 2


async def test_all_of_many_go_in_one_turn(bench: Bench) -> None:
    for number in range(ROWS_A_STEP + 2):
        await bench.stores.contents.add(pending(f"c{number}", reserved_bytes=1), QUOTA_BYTES)
    assert await bench.clean() == ROWS_A_STEP + 2
    assert await bench.left() == set()


async def test_an_upload_that_broke_off_goes_once_it_can_no_longer_be_under_way(bench: Bench) -> None:
    await bench.stores.contents.add(pending("stuck", created_ms=START_MS_DEFAULT), QUOTA_BYTES)
    await bench.keep("waiting for its tweet")
    bench.clock.advance(UPLOAD_MS_MAX)
    assert await bench.clean() == 0
    bench.clock.advance(1)
    assert await bench.clean() == 1
    assert await bench.left() == {"waiting for its tweet"}


async def test_bytes_that_another_content_shares_stay(bench: Bench) -> None:
    await bench.keep("old")
    bench.clock.advance(KEPT_MS)
    await bench.keep("young", created_ms=bench.clock.now_ms())
    bench.clock.advance(2 * UPLOAD_MS_MAX)
    assert await bench.clean() == 1
    assert await bench.left() == {"young"}
    assert len(await bench.stored()) == 1


async def test_bytes_put_again_by_an_upload_under_way_stay_for_it(bench: Bench) -> None:
    await bench.keep("old")
    bench.clock.advance(KEPT_MS + 1)
    digest = await bench.put(b"bytes")
    assert await bench.clean() == 1
    assert await bench.stored() == {digest}


async def test_the_sweep_of_the_storage_deletes_old_bytes_that_no_row_names_and_no_others(bench: Bench) -> None:
    named = await bench.keep("named", b"named")
    await bench.put(b"of a row that was never written")
    bench.clock.advance(UPLOAD_MS_MAX + 2_000)
    young = await bench.put(b"of an upload under way")
    assert await bench.clean.sweep_storage() == 1
    assert named.original is not None
    assert await bench.stored() == {named.original.digest, young}


async def test_files_that_a_killed_process_left_go_and_those_of_this_one_stay(bench: Bench) -> None:
    left = bench.folder / "uploads" / "left"
    left.mkdir(parents=True)
    async with bench.clean.uploads.begin(1_000) as upload:
        await bench.clean()
        assert not left.exists()
        assert upload.folder.exists()
