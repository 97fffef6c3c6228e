"""What only S3 shows: a server that is gone, wrong secrets, a bucket that is missing, prefixes that share one."""

import random
import time
from pathlib import Path

import pytest

from contract.content_adapters import file_of, now_ms
from contract.own_server import HOST, free_port
from contract.s3_server import ACCESS_KEY_ID, BUCKET, SECRET_ACCESS_KEY, s3_server
from contract.test_content_bytes import read
from roost.adapters.content.obstore_bytes import S3_RETRY_MS_MAX, WINDOW_BYTES, ObstoreBytes, s3_bytes
from roost.domain.errors import DependencyDown


async def is_down(storage: ObstoreBytes, folder: Path) -> None:
    with pytest.raises(DependencyDown) as caught:
        await storage.put(file_of(folder, b"x"))
    assert SECRET_ACCESS_KEY not in str(caught.value)
    with pytest.raises(DependencyDown):
        _ = [stored async for stored in storage.stored()]


async def test_a_server_that_is_gone_is_a_dependency_down_soon(tmp_path: Path) -> None:
    began_s = time.monotonic()
    gone = s3_bytes(f"http://{HOST}:{free_port()}", BUCKET, ACCESS_KEY_ID, SECRET_ACCESS_KEY)
    await is_down(gone, tmp_path)
    assert time.monotonic() - began_s < 2 * S3_RETRY_MS_MAX / 1_000


@pytest.mark.parametrize(("bucket", "secret"), [(BUCKET, "wrong"), ("missing", SECRET_ACCESS_KEY)])
async def test_a_wrong_secret_and_a_missing_bucket_are_a_dependency_down(
    tmp_path: Path, bucket: str, secret: str
) -> None:
    await is_down(s3_bytes(s3_server().url, bucket, ACCESS_KEY_ID, secret), tmp_path)


async def test_prefixes_of_one_bucket_do_not_meet(tmp_path: Path) -> None:
    def below(prefix: str) -> ObstoreBytes:
        return s3_bytes(s3_server().url, BUCKET, ACCESS_KEY_ID, SECRET_ACCESS_KEY, prefix=prefix)

    first, second = below("first"), below("second")
    stored = await first.put(file_of(tmp_path, b"x"))
    assert await second.size(stored.digest) is None
    assert [one async for one in second.stored()] == []
    assert await second.delete(stored.digest, now_ms() + 3_600_000)
    assert await first.size(stored.digest) == 1


async def test_what_is_larger_than_a_window_is_read_whole_and_in_part(tmp_path: Path) -> None:
    data = random.Random(3).randbytes(2 * WINDOW_BYTES + 5)
    storage = s3_bytes(s3_server().url, BUCKET, ACCESS_KEY_ID, SECRET_ACCESS_KEY, prefix="large")
    stored = await storage.put(file_of(tmp_path, data))
    assert await read(storage, stored.digest) == data
    assert await read(storage, stored.digest, WINDOW_BYTES - 3, WINDOW_BYTES + 3) == data[WINDOW_BYTES - 3 :][:6]
