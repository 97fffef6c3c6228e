"""Load from outside the server's processes: wrk for pages at full speed, two small clients in C for the rest.

All are cheaper than what they measure. wrk and a C compiler are Debian packages; what is missing is installed where
this process may do so.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.figures import ROOT

CLIENTS = ROOT / "benchmarks" / "clients"
CONNECTIONS = 64
ONCE = -1.0
COMPILER = "cc"


class Pages(msgspec.Struct):
    """What wrk counted."""

    pages: int
    seconds: float
    bytes: int
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float


class Latencies(msgspec.Struct):
    """From when something was due."""

    count: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


class Requests(Latencies, kw_only=True):
    """What clients/requests.c counted; `accepted` with success, `refused` with 503 and a Retry-After."""

    sent: int
    done: int
    good: int
    failures: int
    seconds: float
    bytes: int
    statuses: dict[str, int]
    accepted: Latencies
    refused: Latencies

    @property
    def good_per_s(self) -> float:
        return self.good / self.seconds if self.seconds else 0.0

    def insist(self, share: float = 1.0) -> "Requests":
        """Refuse a run in which fewer than this share were answered with success."""
        if self.good < share * self.sent or not self.good:
            raise SystemExit(f"only {self.good} of {self.sent} requests succeeded: {self.statuses}, {self.failures}")
        return self


class Pushes(msgspec.Struct):
    """What clients/sockets.c counted; `own` are an author's own tweets that came back to him."""

    sent: int
    acks: int
    refusals: int
    pushes: int
    own: int
    gaps: int
    closed: int
    others: int
    bytes: int
    seconds: float
    ack: Latencies
    push: Latencies


class Line(msgspec.Struct):
    """A request; `body` is JSON."""

    method: str
    path: str
    token: str
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method}\t{self.path}\t{self.token}\t{self.body}"


def wrk(port: int, targets: Path, seconds: float, *, threads: int = 1, connections: int = CONNECTIONS) -> Pages:
    """Pages a second, as many as come: closed loop. `targets` has a line each: path, tab, token."""
    _need("wrk", "wrk")
    command = [
        "wrk",
        "--latency",
        f"-t{threads}",
        f"-c{connections}",
        f"-d{max(round(seconds), 1)}s",
        "--timeout",
        "10s",
    ]
    command += ["-s", str(CLIENTS / "pages.lua"), f"http://127.0.0.1:{port}", "--", str(targets), str(os.getpid())]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return msgspec.json.decode(said.rpartition("RESULT ")[2], type=Pages)


@contextmanager
def sending(
    port: int, lines: Path, seconds: float, *, rate: float = 0.0, connections: int = CONNECTIONS
) -> "Iterator[Sending]":
    """Send the lines of a file in the background: `rate` a second; 0: as many as come; ONCE: each once, as fast as
    they are answered.
    """
    command = [str(client("requests")), str(port), str(connections), f"{seconds:g}", f"{rate:g}", str(lines)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Sending(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Sending:
    """A load under way."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def result(self) -> Requests:
        said, complaint = self._process.communicate()
        if self._process.returncode:
            raise SystemExit(f"the load ended: {complaint}")
        return msgspec.json.decode(said, type=Requests)


def send(port: int, lines: Path, seconds: float, *, rate: float = 0.0, connections: int = CONNECTIONS) -> Requests:
    """Send the lines of a file and wait for the end."""
    with sending(port, lines, seconds, rate=rate, connections=connections) as load:
        return load.result()


def write_lines(path: Path, lines: Iterable[object]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def client(name: str) -> Path:
    """The compiled clients/NAME.c, kept until its source changes."""
    source = CLIENTS / f"{name}.c"
    newest = max(file.stat().st_mtime_ns for file in (source, CLIENTS / "latency.h"))
    program = Path(tempfile.gettempdir()) / f"roost-bench-{os.getuid()}" / f"{name}-{newest}"
    if not program.exists():
        _need(COMPILER, "gcc", "libc6-dev")
        program.parent.mkdir(exist_ok=True, mode=0o700)
        subprocess.run([COMPILER, "-O2", "-o", str(program), str(source), "-lm"], check=True)
    return program


def _need(program: str, *packages: str) -> None:
    if shutil.which(program):
        return
    wanted = " ".join(packages)
    if os.getuid() or not shutil.which("apt-get"):
        raise SystemExit(f"{program} is missing: install {wanted} (Debian: apt-get install {wanted})")
    print(f"installing {wanted}", flush=True)
    subprocess.run(["apt-get", "install", "-qq", "-y", *packages], check=True, stdout=subprocess.DEVNULL)  # noqa: S607
