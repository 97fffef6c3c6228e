"""What only the filesystem shows: kills, leftovers, a folder that went away."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contract.content_adapters import digest_of, file_of, now_ms
from roost.adapters.content.obstore_bytes import local_bytes
from roost.domain.content import Digest
from roost.domain.errors import DependencyDown

PUT_WITHOUT_END = """
import asyncio, os, sys
from pathlib import Path
from roost.adapters.content.obstore_bytes import local_bytes

async def main(root: Path, file: Path) -> None:
    storage = local_bytes(root)
    for number in range(10_000):
        with file.open("r+b") as opened:
            opened.write(number.to_bytes(8, "big"))
        print((await storage.put(file)).digest, flush=True)

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


def _kill_after_three_puts(root: Path, file: Path) -> set[str]:
    with subprocess.Popen(  # noqa: S603 - this interpreter and the program above
        [sys.executable, "-c", PUT_WITHOUT_END, str(root), str(file)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(3)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    return {line.decode().strip() for line in lines if line.endswith(b"\n")}


async def test_a_kill_leaves_only_whole_objects_and_what_it_left_is_discarded(
    tmp_path: Path,
) -> None:
    file = file_of(tmp_path, os.urandom(8 * 1024 * 1024))
    root = tmp_path / "stored"
    acknowledged = await asyncio.to_thread(_kill_after_three_puts, root, file)

    storage = local_bytes(root)
    found = {stored.digest async for stored in storage.stored()}
    for digest in found:
        assert digest_of(b"".join([chunk async for chunk in storage.read(digest)])) == digest
    assert len(acknowledged) >= 3
    assert acknowledged <= found
    await storage.discard_partial(now_ms() + 1_000)
    assert not list(root.glob("content/*/*#*"))
    assert {stored.digest async for stored in storage.stored()} == found


async def test_only_old_leftovers_are_discarded(tmp_path: Path) -> None:
    storage = local_bytes(tmp_path / "stored")
    stored = await storage.put(file_of(tmp_path, b"whole"))
    folder = tmp_path / "stored" / "content" / stored.digest[:2]
    old, young = folder / f"{stored.digest}#1", folder / f"{stored.digest}#2"
    old.write_bytes(b"who")
    os.utime(old, (1, 1))
    young.write_bytes(b"who")
    assert await storage.discard_partial(now_ms() - 60_000) == 1
    assert young.exists()
    assert not old.exists()
    assert [each.digest async for each in storage.stored()] == [stored.digest]


async def test_a_folder_that_became_a_file_is_a_dependency_down(tmp_path: Path) -> None:
    storage = local_bytes(tmp_path / "stored")
    (tmp_path / "stored").rmdir()
    (tmp_path / "stored").write_bytes(b"")
    with pytest.raises(DependencyDown):
        await storage.put(file_of(tmp_path, b"x"))
    with pytest.raises(DependencyDown):
        await storage.delete(digest_of(b"x"), now_ms())


async def test_no_digest_leads_out_of_the_folder(tmp_path: Path) -> None:
    storage = local_bytes(tmp_path / "stored")
    for text in ("../../etc/passwd", "", "a" * 63, "A" * 64, "a" * 64 + "\n"):
        with pytest.raises(ValueError, match="SHA-256"):
            await storage.size(Digest(text))
