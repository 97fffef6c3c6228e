"""What only a child process shows: its limits, its environment, and that it never outlives its upload."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from contract import media_samples as samples
from roost.adapters.media.child_process.limits import ChildLimits
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.domain.content import MediaType
from roost.domain.errors import BrokenContent, DependencyDown, Draining, Overloaded

MB = 1024 * 1024
GIVE_UP_S = 30


@pytest.fixture
async def one_at_a_time() -> AsyncIterator[ChildProcessor]:
    processor = ChildProcessor(children_max=1, waiting_max=1)
    yield processor
    await processor.close()


def endless(folder: Path) -> Path:
    """A pipe that nobody writes to: whoever opens it to read waits, without using the processor."""
    folder.mkdir()
    os.mkfifo(folder / "upload")
    return folder / "upload"


def children(folder: Path) -> list[int]:
    """Process ids of the decoders at work in that folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:  # it ended meanwhile
            continue
        if b"child_process.child" in command and str(folder).encode() in command:
            found.append(int(entry.name))
    return found


def proc(pid: int, name: str) -> bytes:
    return Path(f"/proc/{pid}/{name}").read_bytes()


def open_files(pid: int) -> list[str]:
    """What it holds; what it closes while this looks it does not hold."""
    held = []
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.append(str(each.readlink()))
    return held


async def child_waiting(folder: Path) -> int:
    """The id of the child once it has opened nothing but the pipe it waits for."""
    async with asyncio.timeout(GIVE_UP_S):
        while True:
            for pid in children(folder):
                # Its limits are on: it is past its start.
                if b"Max core file size        0" in proc(pid, "limits"):
                    return pid
            await asyncio.to_thread(os.sched_yield)


async def run(limits: ChildLimits, file: Path, media_type: MediaType = MediaType.PNG) -> None:
    processor = ChildProcessor(limits)
    try:
        await processor.process(file, media_type, file.parent)
    finally:
        await processor.close()


async def test_too_much_processor_time_is_broken_content(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(samples.gif_of(55, 1_500, 1_200))  # seconds on any machine
    with pytest.raises(BrokenContent, match="more than 1 s of processor time"):
        await run(ChildLimits(cpu_s_max=1), file, MediaType.GIF)


async def test_too_much_memory_is_broken_content(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    Image.new("RGB", (7_000, 7_000)).save(file, "PNG")
    with pytest.raises(BrokenContent, match="memory"):
        await run(ChildLimits(memory_bytes_max=230 * MB), file)


async def test_too_long_is_broken_content_though_it_only_waits(tmp_path: Path) -> None:
    with pytest.raises(BrokenContent, match="longer than 1 s"):
        await run(ChildLimits(wall_s_max=1), endless(tmp_path / "made"))
    assert children(tmp_path) == []


async def test_a_child_that_cannot_start_is_a_dependency_down(tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(samples.png())
    with pytest.raises(DependencyDown, match="does not start"):
        await run(ChildLimits(memory_bytes_max=MB), file)


async def test_a_child_that_dies_is_broken_content(one_at_a_time: ChildProcessor, tmp_path: Path) -> None:
    file = endless(tmp_path / "made")
    task = asyncio.create_task(one_at_a_time.process(file, MediaType.PNG, file.parent))
    os.kill(await child_waiting(tmp_path), signal.SIGSEGV)
    with pytest.raises((BrokenContent, DependencyDown)):
        await task


async def test_a_child_knows_no_secret_and_holds_no_file_of_the_server(
    one_at_a_time: ChildProcessor, tmp_path: Path
) -> None:
    file = endless(tmp_path / "made")
    with (tmp_path / "a file of the server").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        task = asyncio.create_task(one_at_a_time.process(file, MediaType.PNG, file.parent))
        pid = await child_waiting(tmp_path)
        environment, files = proc(pid, "environ"), open_files(pid)
    assert sorted(entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry) == [
        b"LC_ALL",
        b"MALLOC_ARENA_MAX",
    ]
    assert all(path.startswith(("pipe:", "/dev/null")) for path in files), files
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_child_ends_with_its_upload(one_at_a_time: ChildProcessor, tmp_path: Path) -> None:
    file = endless(tmp_path / "made")
    task = asyncio.create_task(one_at_a_time.process(file, MediaType.PNG, file.parent))
    await child_waiting(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children(tmp_path) == []


async def test_beyond_the_queue_an_upload_is_refused_at_once_and_later_ones_are_served(
    one_at_a_time: ChildProcessor, tmp_path: Path
) -> None:
    stuck = endless(tmp_path / "stuck")
    first = asyncio.create_task(one_at_a_time.process(stuck, MediaType.PNG, stuck.parent))
    await child_waiting(tmp_path)
    file = tmp_path / "upload"
    file.write_bytes(samples.png())
    second = asyncio.create_task(one_at_a_time.process(file, MediaType.PNG, tmp_path))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await one_at_a_time.process(file, MediaType.PNG, tmp_path)
    assert not second.done()
    first.cancel()
    assert (await second).width == 80
    assert (await one_at_a_time.process(file, MediaType.PNG, tmp_path)).width == 80


async def test_a_closed_processor_takes_no_more(tmp_path: Path) -> None:
    processor = ChildProcessor()
    await processor.close()
    with pytest.raises(Draining):
        await processor.process(tmp_path / "upload", MediaType.PNG, tmp_path)
