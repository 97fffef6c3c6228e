"""What a local cluster consists of and which process each node is: `.cluster/state.json`.

A process is known by its pid and the moment it started, so that none is ever signalled that only has the pid of one
that is gone.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

END_WAIT_S_MAX = 20.0
POLL_S = 0.05


@dataclass(slots=True)
class Node:
    """One server of the cluster. `ports` by what they are for; `pid` 0 where it does not run."""

    name: str
    kind: str
    number: int
    host: str
    ports: dict[str, int]
    pid: int = 0
    started: int = 0
    is_joining: bool = False
    """It came when the cluster was there already: it takes its share over from the others."""

    @property
    def port(self) -> int:
        """The one that clients use."""
        return next(iter(self.ports.values()), 0)


@dataclass(slots=True)
class State:
    """`ports_from`: how far above the first of all ports it begins. `is_formed`: servers that have to be told of one
    another were.
    """

    small: bool = False
    ports_from: int = 0
    secrets: dict[str, str] = field(default_factory=dict)
    is_formed: bool = False
    nodes: dict[str, Node] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.kind in kinds]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One command at a time."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def load(folder: Path) -> State | None:
    path = folder / "state.json"
    if not path.exists():
        return None
    raw: dict[str, Any] = json.loads(path.read_text())
    nodes = {name: Node(**node) for name, node in raw.pop("nodes").items()}
    return State(**raw, nodes=nodes)


def save(folder: Path, state: State) -> None:
    path = folder / "state.json"
    beside = path.with_suffix(".new")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(asdict(state), indent=1))
    beside.rename(path)


def moment_of(pid: int) -> int:
    """When a process started, in ticks since the machine did; 0 where it is gone or a zombie."""
    stat = _stat_of(pid)
    return 0 if stat is None or stat[0] == "Z" else int(stat[19])


def state_of(node: Node) -> str:
    """running, frozen or down."""
    if not is_running(node):
        return "down"
    stat = _stat_of(node.pid)
    return "frozen" if stat is not None and stat[0] == "T" else "running"


def is_running(node: Node) -> bool:
    return node.pid > 0 and moment_of(node.pid) == node.started


def signal_node(node: Node, number: signal.Signals) -> bool:
    """Whether there was a process to signal."""
    if not is_running(node):
        return False
    os.kill(node.pid, number)
    return True


def signal_all(node: Node, number: signal.Signals) -> bool:
    """The same for the process and all that it started."""
    if not is_running(node):
        return False
    for pid in reversed(family(node.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    return True


def end(node: Node, number: signal.Signals, wait_s_max: float = END_WAIT_S_MAX) -> None:
    """Signal it and wait until it is gone; kill -9 where that takes too long."""
    if not signal_node(node, number):
        return
    signal_all(node, signal.SIGCONT)  # one that is frozen ends too
    until_s = time.monotonic() + wait_s_max
    while is_running(node):
        if time.monotonic() > until_s:
            signal_node(node, signal.SIGKILL)
        _reap(node.pid)
        time.sleep(POLL_S)
    node.pid = node.started = 0


def memory_mb(node: Node) -> float:
    """Its share of memory (PSS), its children's included."""
    return sum(_pss_kb(pid) for pid in family(node.pid)) / 1024 if is_running(node) else 0.0


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _stat_of(pid: int) -> list[str] | None:
    """The fields after the name, of which the first is the state."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _reap(pid: int) -> None:
    """Where it is this process's own child, else init does it."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
