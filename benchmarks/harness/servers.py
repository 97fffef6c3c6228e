"""Servers under test: child processes, started, watched from /proc, and stopped."""

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.figures import ROOT

READY_S_MAX = 120.0
STOP_S_MAX = 20.0
OPEN_FILES = 65_536
_READY = re.compile(r"ready on http://127\.0\.0\.1:(\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is up, with all its processes."""

    port: int
    pid: int
    ready_s: float

    @property
    def pids(self) -> list[int]:
        """Its process and all below it."""
        parents = dict(_parents())
        found, grown = {self.pid}, True
        while grown:
            more = {pid for pid, parent in parents.items() if parent in found} - found
            grown = bool(more)
            found |= more
        return sorted(found)

    def cpu_s(self) -> float:
        """Processor time of all its processes so far, from their own accounting: to 10 ms each."""
        return sum(_cpu_s(pid) for pid in self.pids)

    def memory_mb(self) -> float:
        """Memory of all its processes; what they share counts once."""
        return sum(_proportional_kb(pid) for pid in self.pids) / 1024


@contextmanager
def roost(data: Path, *, workers: int = 1, settings: Mapping[str, object] | None = None) -> Iterator[Server]:
    """Roost on this folder, without rate limits and with cheap passwords."""
    command = [str(Path(sys.executable).parent / "roost"), "serve", "--port", "0", "--data", str(data)]
    if workers > 1:
        command += ["--workers", str(workers)]
    environment = {
        "PATH": "/usr/bin:/bin",
        "ROOST_RATE_LIMITS": "off",
        "ROOST_PASSWORD_COST": "low",
        **{f"ROOST_{name.upper()}": str(value) for name, value in (settings or {}).items()},
    }
    with _running(command, environment) as server:
        yield server


@contextmanager
def floor(pages: Path, *, workers: int = 1) -> Iterator[Server]:
    """The reference: see benchmarks/floor/server.py."""
    command = [sys.executable, str(ROOT / "benchmarks/floor/server.py"), str(pages), "--workers", str(workers)]
    with _running(command, {"PATH": "/usr/bin:/bin"}) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    allow_open_files()
    with tempfile.TemporaryFile("w+") as log:
        began_s = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=dict(environment))
        assert process.stdout is not None
        try:
            port = _port_said(process)
            if port is None:
                log.seek(0)
                raise SystemExit(f"{' '.join(command)} did not start:\n{log.read()[-3000:]}")
            yield Server(port, process.pid, time.perf_counter() - began_s)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def allow_open_files() -> None:
    """As many as the machine lets us have, for children too: a socket is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _port_said(process: "subprocess.Popen[str]") -> int | None:
    assert process.stdout is not None
    until_s = time.perf_counter() + READY_S_MAX
    for line in process.stdout:
        said = _READY.search(line)
        if said:
            return int(said[1])
        if time.perf_counter() > until_s:
            return None
    return None


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            yield int(folder.name), int(fields[1])


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _proportional_kb(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(text.split("\nPss:")[1].split()[0])
