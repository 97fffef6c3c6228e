"""One server process: how it is started, when it is ready, how it ends.

engines/* make a Launch -> Process starts, waits for and ends it. Only what it started is ever signalled, by its pid.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

POLL_S = 0.1
END_WAIT_S_MAX = 20.0


class NotReady(Exception):
    """A server ended or was not ready in time; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start one server, whose output goes to out.log in `folder`. `ready` asks it, not only whether a port is
    open.
    """

    name: str
    argv: Sequence[str]
    folder: Path
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Process:
    """A server that was started from here."""

    launch: Launch
    popen: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, launch: Launch) -> "Process":
        launch.folder.mkdir(parents=True, exist_ok=True)
        with (launch.folder / "out.log").open("ab") as log:
            popen = subprocess.Popen(
                list(launch.argv),
                cwd=launch.folder,
                env={**os.environ, **launch.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(launch, popen)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_ready(self, within_s: float) -> None:
        """Raises NotReady."""
        until_s = time.monotonic() + within_s
        while not self.launch.ready():
            if self.popen.poll() is not None:
                raise NotReady(f"{self.launch.name} ended with {self.popen.returncode}:\n{self.log_end()}")
            if time.monotonic() > until_s:
                raise NotReady(f"{self.launch.name} is not ready after {within_s:.0f} s:\n{self.log_end()}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End it at once, as a fault would (SIGKILL)."""
        self.popen.kill()
        self.popen.wait()

    def freeze(self) -> None:
        self.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.popen.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and kill -9 where that does not end it."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(END_WAIT_S_MAX)
            except subprocess.TimeoutExpired:
                self.kill()

    def log_end(self) -> str:
        path = self.launch.folder / "out.log"
        return path.read_text(errors="replace")[-3_000:] if path.exists() else ""
