"""A local cluster in a folder of its own, by the command that users have."""

import asyncio
import fcntl
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from roost_cluster import state as states

SETTINGS = {"ROOST_RATE_LIMITS": "off", "ROOST_PASSWORD_COST": "low"}
READY = re.compile(r"roost cluster ready on (.+)")
COMMAND_S_MAX = 400.0


class CommandFailed(Exception):
    """`./cluster` said why."""


@dataclass(frozen=True)
class LocalCluster:
    """`urls` are the balancers'."""

    folder: Path
    urls: tuple[str, ...]

    def edges(self) -> list[str]:
        """Their own addresses."""
        state = states.load(self.folder / ".cluster")
        assert state is not None
        return [f"http://{node.host}:{node.port}" for node in state.of_kind("edge")]

    async def do(self, *words: str) -> str:
        """One command; what it printed. Raises CommandFailed."""
        return await command(self.folder, *words)


async def command(folder: Path, *words: str) -> str:
    return await _run(folder, sys.executable, "-m", "roost_cluster.main", *words)


async def roost(folder: Path, *words: str) -> str:
    """A command of roost's; what it printed. Raises CommandFailed with that."""
    return await _run(folder, str(Path(sys.executable).with_name("roost")), *words)


async def _run(folder: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env={**os.environ, **SETTINGS},  # noqa: TID251 - its own, and these
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(COMMAND_S_MAX):
        told, said = await process.communicate()
    if process.returncode:
        raise CommandFailed(f"{' '.join(words)}:\n{told.decode()[-3_000:]}{said.decode()[-2_000:]}")
    return told.decode()


@asynccontextmanager
async def local_cluster(folder: Path, *flags: str) -> AsyncIterator[LocalCluster]:
    """Up, and down with all its data afterwards. Skipped where a server cannot be had. One at a time: two on two cores
    would only be slow.
    """
    with (Path(tempfile.gettempdir()) / "roost-local-cluster.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        async with _cluster_in(folder, *flags) as cluster:
            yield cluster


@asynccontextmanager
async def _cluster_in(folder: Path, *flags: str) -> AsyncIterator[LocalCluster]:
    try:
        told = await command(folder, "up", *flags)
        ready = READY.search(told)
        assert ready, told
        yield LocalCluster(folder, tuple(ready[1].split()))
    except CommandFailed as error:
        if "is missing" in str(error) or " needs " in str(error):
            pytest.skip(str(error))
        raise
    finally:
        await command(folder, "down", "--all")
