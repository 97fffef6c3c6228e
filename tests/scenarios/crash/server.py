"""A child `roost serve` that is killed without warning, and started again on the same folder."""

import asyncio
import os
import re
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.main_job.server import children_of

_READY = re.compile(r"roost ready on (http://\S+)")
COMMAND = (str(Path(sys.executable).parent / "roost"),)
READY_S_MAX = 60.0
STOP_S_MAX = 15.0


@dataclass
class MortalServer:
    """Its log goes beside the folder. `url` is new after each start."""

    data: Path
    url: str = ""
    starts: int = 0
    process: asyncio.subprocess.Process | None = None
    environment: dict[str, str] = field(default_factory=dict)

    async def start(self) -> float:
        """Return once it serves: after how many seconds."""
        began_s = time.monotonic()
        await self.spawn()
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(READY_S_MAX):
            async for line in self.process.stdout:
                if match := _READY.search(line.decode()):
                    self.url = match[1]
                    return time.monotonic() - began_s
        raise AssertionError(f"the server did not come back: {self.log()}")

    async def spawn(self) -> None:
        self.starts += 1
        with self._log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *COMMAND,
                *("serve", "--host", "127.0.0.1", "--port", "0", "--data", str(self.data)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={
                    "PATH": "/usr/bin:/bin",
                    "ROOST_RATE_LIMITS": "off",
                    "ROOST_PASSWORD_COST": "low",
                    "PYTHONFAULTHANDLER": "1",
                    **self.environment,
                },
            )

    async def kill(self) -> None:
        """As a crash does it: no handler of it runs, no buffer of it is flushed. Workers die with their parent."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGSTOP)  # lest it start another worker meanwhile
            for pid in (*children_of(self.process.pid), self.process.pid):
                os.kill(pid, signal.SIGKILL)
            await self.process.wait()

    async def say_where(self) -> None:
        """It hangs: let it write down where, and die of it."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGABRT)
            await self.process.wait()

    async def stop(self) -> None:
        """As an operator does it; it must end well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(STOP_S_MAX):
            assert await self.process.wait() == 0, self.log()

    def log(self) -> str:
        return self._log_path.read_text()[-6_000:]

    @property
    def _log_path(self) -> Path:
        return self.data.parent / f"{self.data.name}.log"
