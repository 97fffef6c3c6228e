"""Which nodes a local cluster has, and where each listens: on loopback, on ports that are free."""

import secrets
import socket
from collections.abc import Iterator

from roost_cluster.state import Node, State

HOST = "127.0.0.1"
ROLES = ("fan_out", "index", "notify", "count", "outbox")
SERVERS = ("zookeeper", "kafka", "cassandra", "redis", "solr", "s3")
ROOST_KINDS = ("edge", *ROLES)
PORT_FIRST, PORT_LAST = 11_000, 21_000
"""Below the ports that the kernel gives to clients, and so are those above by 10,000, which Redis takes as well."""

_FULL = {"zookeeper": 3, "kafka": 3, "cassandra": 3, "redis": 6, "solr": 2, "s3": 1, "edge": 2, "haproxy": 2}
_PORTS = {
    "zookeeper": ("client", "peer", "election"),
    "kafka": ("client", "controller"),
    "cassandra": (),
    "redis": ("client",),
    "solr": ("client",),
    "s3": ("client",),
    "edge": ("http",),
    "haproxy": ("http",),
}
_SHARED_PORTS = ("client", "storage")
GROWING = ("cassandra", "redis", *ROOST_KINDS)


def planned(small: bool) -> State:
    """A cluster of which nothing runs yet."""
    keys = {name: secrets.token_hex(24) for name in ("signing_key", "s3_key", "s3_secret")}
    # Some minutes lie between the choice of a port and its use: another cluster should rather choose others.
    state = State(small=small, ports_from=100 * secrets.randbelow(80), secrets=keys)
    counts = _FULL | dict.fromkeys(ROLES, 2)
    for kind, count in counts.items():
        for _ in range(1 if small else count):
            add(state, kind)
    return state


def add(state: State, kind: str) -> Node:
    """One more node of a kind."""
    siblings = state.of_kind(kind)
    number = 1 + max((node.number for node in siblings), default=0)
    node = Node(f"{kind}-{number}", kind, number, _host(kind, number), {}, is_joining=state.is_formed)
    if kind == "cassandra":
        # Nodes of a cluster listen on the same ports, of an address each.
        shared = siblings[0].ports if siblings else dict(zip(_SHARED_PORTS, _free_ports(state), strict=False))
        node.ports = {name: shared[name] for name in _SHARED_PORTS}
        node.ports["jmx"] = next(_free_ports(state, taken=set(node.ports.values())))
    else:
        node.ports = dict(zip(_PORTS.get(kind, ()), _free_ports(state), strict=False))
    state.nodes[node.name] = node
    return node


def _host(kind: str, number: int) -> str:
    return f"127.0.0.{number}" if kind == "cassandra" else HOST


def _free_ports(state: State, taken: set[int] | None = None) -> Iterator[int]:
    known = {port for node in state.nodes.values() for port in node.ports.values()} | (taken or set())
    for port in range(PORT_FIRST + state.ports_from, PORT_LAST):
        if port not in known and _is_free(port):
            known.add(port)
            yield port
    raise OSError(f"no port is free between {PORT_FIRST} and {PORT_LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - to see whether anybody has it on any address; nothing listens
        except OSError:
            return False
    return True
