"""A local cluster in a folder of its own, by the command that users have."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

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

    async def do(self, *words: str) -> str:
        """One command; what it printed. Raises CommandFailed."""
        return await command(self.folder, *words)


async def command(folder: Path, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "roost_cluster.main", *words),
        cwd=folder,
        env={**os.environ, **SETTINGS},  # noqa: TID251 - its own, and these
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(COMMAND_S_MAX):
        told, said = await process.communicate()
    if process.returncode:
        raise CommandFailed(f"cluster {' '.join(words)}: {said.decode()[-2_000:]}")
    return told.decode()


@asynccontextmanager
async def local_cluster(folder: Path, *flags: str) -> AsyncIterator[LocalCluster]:
    """Up, and down with all its data afterwards. Skipped where a server cannot be had."""
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
