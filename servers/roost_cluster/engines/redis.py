"""Redis: single servers, and a Cluster of primaries with replicas."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Connection, exceptions

from roost_cluster.launch import POLL_S, Launch, NotReady
from roost_cluster.registries import program

SLOTS = 16_384
NODE_TIMEOUT_MS = 2_000
"""A primary that is silent for so long is replaced: writes to its slots wait some 5 s in all."""
MEMORY_DEFAULT = "256mb"
ANSWER_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Node:
    """Where one server listens."""

    host: str
    port: int


def launch(
    folder: Path,
    node: Node,
    *,
    in_cluster: bool = False,
    memory: str = MEMORY_DEFAULT,
    node_timeout_ms: int = NODE_TIMEOUT_MS,
    more: Sequence[str] = (),
) -> Launch:
    """One server: a cache, so nothing is written to disk, and beyond its memory what is unused longest goes.

    In a cluster the bus takes the port that is greater by 10,000. Raises Missing.
    """
    server = program("redis-server", "redis-server")
    argv = [server, "--port", str(node.port), "--bind", node.host, "--dir", str(folder), "--save", "", "--appendonly"]
    argv += ["no", "--maxmemory", memory, "--maxmemory-policy", "allkeys-lru", "--daemonize", "no"]
    if in_cluster:
        argv += ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]
        argv += ["--cluster-node-timeout", str(node_timeout_ms), "--cluster-replica-validity-factor", "0"]
        argv += ["--cluster-require-full-coverage", "no"]  # what is left goes on
    return Launch(f"redis {node.host}:{node.port}", [*argv, *more], folder, lambda: _answers(node))


def form_cluster(primaries: Sequence[Node], replicas: Sequence[Node] = (), within_s: float = 60.0) -> None:
    """Make fresh servers one cluster: equal shares of the slots, and each replica follows a primary in turn.

    Answers when every node knows all and says that the cluster is well. Raises NotReady.
    """
    until_s = time.monotonic() + within_s
    nodes = [*primaries, *replicas]
    for number, node in enumerate(primaries):
        first, last = SLOTS * number // len(primaries), SLOTS * (number + 1) // len(primaries) - 1
        command(node, "CLUSTER", "ADDSLOTSRANGE", first, last)
        command(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node in nodes[1:]:
        command(node, "CLUSTER", "MEET", nodes[0].host, nodes[0].port)
    _wait(until_s, "all nodes know one another", lambda: all(len(_known(node)) == len(nodes) for node in nodes))
    for number, node in enumerate(replicas):
        command(node, "CLUSTER", "REPLICATE", node_id(primaries[number % len(primaries)]))
    _wait(until_s, "the cluster is well", lambda: all(is_well(node, len(nodes)) for node in nodes))
    _wait(until_s, "replicas follow", lambda: all(_follows(node) for node in replicas))


def move_slot(slot: int, source: Node, target: Node) -> None:
    """Move a slot with its keys from one primary to another, as an operator would."""
    begin_move(slot, source, target)
    end_move(slot, source, target)


def begin_move(slot: int, source: Node, target: Node) -> None:
    """From now on the source sends whoever asks for a key that it does not have to the target."""
    command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", node_id(source))
    command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", node_id(target))


def end_move(slot: int, source: Node, target: Node) -> None:
    """Carry the keys over, and let the target own the slot."""
    while keys := command(source, "CLUSTER", "GETKEYSINSLOT", slot, 100):
        command(source, "MIGRATE", target.host, target.port, "", 0, int(ANSWER_S_MAX * 1000), "KEYS", *keys)
    for node in (target, source):
        command(node, "CLUSTER", "SETSLOT", slot, "NODE", node_id(target))


def join_as_primary(new: Node, others: Sequence[Node], within_s: float = 60.0) -> int:
    """Let a fresh server have its share of the slots, taken from each primary alike, while they serve; how many it has.

    Raises NotReady.
    """
    until_s = time.monotonic() + within_s
    there = [one for one in others if _answers(one)]
    command(new, "CLUSTER", "MEET", there[0].host, there[0].port)
    _wait(until_s, "all nodes know one another", lambda: all(len(_known(one)) > len(there) for one in [new, *there]))
    owned = {one: _slots_of(one) for one in there}
    primaries = [one for one, slots in owned.items() if slots]
    share, moved = SLOTS // (len(primaries) + 1), 0
    for number, source in enumerate(primaries):
        take = (share - moved) // (len(primaries) - number)
        for slot in owned[source][:take]:
            move_slot(slot, source, new)
        moved += take
    _wait(until_s, "the cluster is well", lambda: all(_is_settled(one) for one in [new, *there]))
    return moved


def node_id(node: Node) -> str:
    return str(command(node, "CLUSTER", "MYID"), "ascii")


def is_well(node: Node, nodes: int) -> bool:
    """Whether this node says that all slots are served and knows as many nodes."""
    try:
        info = bytes(command(node, "CLUSTER", "INFO"))
    except exceptions.RedisError:
        return False
    return b"cluster_state:ok" in info and b"cluster_known_nodes:%d\r" % nodes in info


def command(node: Node, *words: str | int | bytes) -> Any:
    """The plain answer to one command."""
    connection: Any = Connection(  # type: ignore[no-untyped-call]
        host=node.host, port=node.port, socket_timeout=ANSWER_S_MAX, socket_connect_timeout=ANSWER_S_MAX, protocol=2
    )
    try:
        connection.send_command(*words)
        return connection.read_response()
    finally:
        connection.disconnect()


def _answers(node: Node) -> bool:
    try:
        return bool(command(node, "PING") == b"PONG")
    except exceptions.RedisError:
        return False


def _known(node: Node) -> Sequence[bytes]:
    lines = bytes(command(node, "CLUSTER", "NODES")).splitlines()
    return [line for line in lines if b"handshake" not in line and b"noaddr" not in line]


def _slots_of(node: Node) -> list[int]:
    """Those that it says are its own; a replica has none."""
    (line,) = [line for line in bytes(command(node, "CLUSTER", "NODES")).splitlines() if b"myself" in line]
    ranges = [part.split(b"-") for part in line.split()[8:] if not part.startswith(b"[")]
    return [slot for ends in ranges for slot in range(int(ends[0]), int(ends[-1]) + 1)]


def _is_settled(node: Node) -> bool:
    return b"cluster_state:ok" in bytes(command(node, "CLUSTER", "INFO"))


def _follows(node: Node) -> bool:
    return b"master_link_status:up" in bytes(command(node, "INFO", "replication"))


def _wait(until_s: float, what: str, holds: Callable[[], bool]) -> None:
    while not holds():
        if time.monotonic() > until_s:
            raise NotReady(f"Redis: it did not come about in time that {what}")
        time.sleep(POLL_S)
