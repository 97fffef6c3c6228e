"""`./cluster`: a whole roost with all its servers on this machine, on loopback only."""

import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from roost_cluster import state as states
from roost_cluster.engines import haproxy, keepalived
from roost_cluster.fleet import Fleet, Say
from roost_cluster.growth import NotGrown, grow_node
from roost_cluster.launch import NotReady
from roost_cluster.plan import GROWING, ROOST_KINDS, SERVERS, planned
from roost_cluster.registries import Missing
from roost_cluster.roles import role_of
from roost_cluster.state import Node, State

FOLDER = Path(".cluster")

app = App(name="cluster", help=__doc__, version_flags=[])


@app.command
def up(*, small: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Start what does not run, from nothing at the first time, and say where it is served.

    Args:
        small: one server of each kind

    """
    say = Say()
    with states.locked(FOLDER):
        state = states.load(FOLDER) or planned(small)
        if small and not state.small:
            sys.exit("cluster: there is a large one in .cluster: ./cluster down --all removes it")
        fleet = Fleet(FOLDER.resolve(), state)
        fleet.write_toml()
        states.save(FOLDER, state)
        try:
            _start_servers(fleet, state, say)
            _start_roost(fleet, state, say)
        finally:
            states.save(FOLDER, state)
    print("roost cluster ready on", *(f"http://{one.host}:{one.port}" for one in state.of_kind("haproxy")))


@app.command
def status() -> None:
    """A line for each node: name, kind, state, pid, port, role."""
    state = _there()
    print(f"{'name':<12} {'kind':<10} {'state':<8} {'pid':>7} {'address':<21} {'MB':>5}  role")
    for node in state.nodes.values():
        address = f"{node.host}:{node.port}" if node.port else "-"
        shown = f"{node.name:<12} {node.kind:<10} {states.state_of(node):<8} {node.pid or '-':>7} {address:<21}"
        print(f"{shown} {states.memory_mb(node):>5.0f}  {role_of(node, state)}".rstrip())


@app.command
def kill(name: str) -> None:
    """End a node at once, as a fault would (kill -9)."""
    with states.locked(FOLDER):
        state, node = _node(name)
        states.signal_all(node, signal.SIGKILL)
        states.end(node, signal.SIGKILL)
        states.save(FOLDER, state)


@app.command
def freeze(name: str) -> None:
    """Let a node stand still, as a machine that hangs (SIGSTOP)."""
    _signal(name, signal.SIGSTOP)


@app.command
def thaw(name: str) -> None:
    """Let a frozen node go on."""
    _signal(name, signal.SIGCONT)


@app.command
def stop(name: str) -> None:
    """Let a node finish what it is at, and end."""
    with states.locked(FOLDER):
        state, node = _node(name)
        Fleet(FOLDER.resolve(), state).stop(node)
        states.save(FOLDER, state)


@app.command
def start(name: str, *, wait: bool = True) -> None:
    """Start a node that does not run.

    Args:
        name: which
        wait: until it is ready; of servers that need one another none is ready alone

    """
    with states.locked(FOLDER):
        state, node = _node(name)
        fleet = Fleet(FOLDER.resolve(), state)
        try:
            fleet.start(node)
            states.save(FOLDER, state)
            if wait:
                fleet.wait_ready([node], Say())
        finally:
            states.save(FOLDER, state)


@app.command
def grow(kind: str) -> None:
    """One node more: a Cassandra node with its share of the data, a Redis primary with its share of the slots, an
    edge, or a worker of a role.
    """
    if kind not in GROWING:
        sys.exit(f"cluster: {kind!r} does not grow; what does: {', '.join(GROWING)}")
    with states.locked(FOLDER):
        state = _there()
        fleet = Fleet(FOLDER.resolve(), state)
        try:
            node = grow_node(fleet, state, kind, Say(), lambda: states.save(FOLDER, state))
        finally:
            states.save(FOLDER, state)
    print(node.name)


@app.command
def logs(name: str) -> None:
    """What a node has said."""
    state, node = _node(name)
    path = Fleet(FOLDER.resolve(), state).log(node)
    if path.exists():
        sys.stdout.write(path.read_text(errors="replace"))


@app.command
def balancers(
    folder: Path,
    *,
    edges: str,
    nodes: str,
    addresses: str,
    interface: str = "eth0",
    port: int = 80,
) -> None:
    """Write the configurations of two balancers of one's own: haproxy.cfg for both, keepalived-1.conf and -2.conf.

    Args:
        folder: where to
        edges: host:port of each edge, separated by commas
        nodes: the two balancers' own addresses, separated by a comma
        addresses: the two virtual ones, with the length of the prefix, such as 10.0.0.10/24,10.0.0.11/24
        interface: on which the addresses are
        port: at which both listen

    """
    pair = keepalived.Pair(nodes.split(","), addresses.split(","), interface, port)
    if len(pair.nodes) != 2 or len(pair.addresses) != 2:  # noqa: PLR2004 - two of each
        sys.exit("cluster: two nodes and two addresses are needed, separated by a comma")
    folder.mkdir(parents=True, exist_ok=True)
    named = [haproxy.Edge(f"edge-{number}", edge) for number, edge in enumerate(edges.split(","), 1)]
    (folder / "haproxy.cfg").write_text(haproxy.configuration(f"*:{port}", named))
    for at in range(2):
        (folder / f"keepalived-{at + 1}.conf").write_text(keepalived.configuration(pair, at))


@app.command
def down(*, all: Annotated[bool, Parameter(negative="")] = False) -> None:
    """End what was started from here.

    Args:
        all: and remove its data

    """
    with states.locked(FOLDER):
        state = states.load(FOLDER)
        if state is not None:
            fleet = Fleet(FOLDER.resolve(), state)
            for kind in ("haproxy", *ROOST_KINDS, *reversed(SERVERS)):
                _end_together(fleet, state.of_kind(kind))
            states.save(FOLDER, state)
        if all:
            for path in FOLDER.iterdir():
                if path.name != "lock":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _start_servers(fleet: Fleet, state: State, say: Say) -> None:
    first = state.of_kind("zookeeper", "kafka", "cassandra", "redis", "s3")
    for node in first:
        fleet.start(node)
        states.save(FOLDER, state)
    say("starting the servers")
    fleet.wait_ready(state.of_kind("zookeeper"), say)
    for node in state.of_kind("solr"):
        fleet.start(node)
    states.save(FOLDER, state)
    fleet.wait_ready([*first, *state.of_kind("solr")], lambda line: None if line.startswith("zookeeper") else say(line))
    if not state.is_formed:
        fleet.form()
        states.save(FOLDER, state)


def _start_roost(fleet: Fleet, state: State, say: Say) -> None:
    # The first makes tables and topic: two at once would stand in each other's way. It is one that lets the log's
    # heart beat, which edges wait for.
    first = state.of_kind("outbox")[:1]
    for some in (first, [node for node in state.of_kind(*ROOST_KINDS) if node not in first]):
        for node in some:
            fleet.start(node)
            states.save(FOLDER, state)
        fleet.wait_ready(some, say)
    for node in state.of_kind("haproxy"):
        fleet.start(node)
    states.save(FOLDER, state)
    fleet.wait_ready(state.of_kind("haproxy"), say)


def _end_together(fleet: Fleet, nodes: list[Node]) -> None:
    for node in nodes:
        states.signal_node(node, signal.SIGTERM)
    for node in nodes:
        fleet.stop(node)


def _signal(name: str, number: signal.Signals) -> None:
    with states.locked(FOLDER):
        _, node = _node(name)
        if not states.signal_all(node, number):
            sys.exit(f"cluster: {name} does not run")


def _there() -> State:
    state = states.load(FOLDER)
    if state is None:
        sys.exit("cluster: there is none here: ./cluster up makes one")
    return state


def _node(name: str) -> tuple[State, Node]:
    state = _there()
    if name not in state.nodes:
        sys.exit(f"cluster: there is no node {name!r}; there are {', '.join(state.nodes)}")
    return state, state.nodes[name]


def main() -> None:
    try:
        app()
    except (Missing, NotReady, NotGrown) as error:
        sys.exit(f"cluster: {error}")


if __name__ == "__main__":
    main()
