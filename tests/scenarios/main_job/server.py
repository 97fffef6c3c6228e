"""A roost of one's own: started as a child process, waited for, and stopped."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_READY = re.compile(r"roost ready on (http://\S+)")
COMMAND = (str(Path(sys.executable).parent / "roost"),)
READY_S_MAX = 60.0
STOP_S_MAX = 10.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """Where it is, and what it has used so far."""

    url: str
    pid: int

    def cpu_s(self) -> float:
        """Processor time, of itself and its workers, and of the children that each has waited for."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._pids()]
        return sum(int(ticks) for fields in stats for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def peak_memory_mb(self) -> float:
        """The sum of each process's own peak."""
        statuses = [Path(f"/proc/{pid}/status").read_text() for pid in self._pids()]
        return sum(int(status.split("VmHWM:")[1].split()[0]) for status in statuses) / 1024

    def _pids(self) -> list[int]:
        return [self.pid, *children_of(self.pid)]


@asynccontextmanager
async def running_server(data: Path, settings: dict[str, str]) -> AsyncIterator[RunningServer]:
    """Serve `data`; at the end stop it as an operator does, and insist that it stops well."""
    log_path = data.parent / f"{data.name}.log"
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *("serve", "--host", "127.0.0.1", "--port", "0", "--data", str(data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={
                "PATH": "/usr/bin:/bin",
                "ROOST_RATE_LIMITS": "off",
                "ROOST_PASSWORD_COST": "low",
                **settings,
            },
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(READY_S_MAX):
                url = await _ready(process.stdout)
            assert url, f"the server did not start: {log_path.read_text()[-2000:]}"
            draining = asyncio.create_task(process.stdout.read())
            yield RunningServer(url, process.pid)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(STOP_S_MAX):
                assert await process.wait() == 0, log_path.read_text()[-2000:]
            await draining
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def children_of(pid: int) -> list[int]:
    """The workers of a server, where it has any."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _ready(stdout: asyncio.StreamReader) -> str | None:
    async for line in stdout:
        if match := _READY.search(line.decode()):
            return match[1]
    return None
