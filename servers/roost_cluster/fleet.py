"""How each node of a local cluster is started, made ready and ended."""

import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from roost_cluster import state as states
from roost_cluster.engines import cassandra, haproxy, kafka, redis, s3, solr, zookeeper
from roost_cluster.engines.jvm import QUICK, answers
from roost_cluster.launch import Launch, NotReady, Process
from roost_cluster.plan import ROOST_KINDS
from roost_cluster.state import Node, State
from roost_cluster.toml import BUCKET, cluster_toml

READY_S_MAX = 240.0
POLL_S = 0.2
READY_LINE = "roost ready"


class Fleet:
    """The nodes of one state in one folder. Everything is on loopback."""

    def __init__(self, folder: Path, state: State) -> None:
        self._root = folder
        self._state = state

    def folder(self, node: Node) -> Path:
        return self._root / node.name

    @property
    def toml(self) -> Path:
        return self._root / "cluster.toml"

    def write_toml(self) -> None:
        """With the secrets, for this user alone."""
        self.toml.touch(mode=0o600)
        self.toml.write_text(cluster_toml(self._state))

    def start(self, node: Node) -> None:
        """Nothing where it runs. Raises registries.Missing."""
        if states.is_running(node):
            return
        launch = self.launch(node)
        process = Process.start(launch)
        node.pid, node.started = process.pid, states.moment_of(process.pid)

    def wait_ready(self, nodes: Iterable[Node], say: Callable[[str], None], within_s: float = READY_S_MAX) -> None:
        """Raises NotReady with the end of the log of who is not."""
        waiting = {node.name: (node, self.launch(node)) for node in nodes}
        until_s = time.monotonic() + within_s
        while waiting:
            for name, (node, launch) in list(waiting.items()):
                if launch.ready():
                    del waiting[name]
                    say(f"{name} is ready")
                elif not states.is_running(node):
                    raise NotReady(f"{name} ended at its start:\n{self.log_end(node)}")
            if waiting and time.monotonic() > until_s:
                late = next(iter(waiting.values()))[0]
                raise NotReady(f"not ready after {within_s:.0f} s: {', '.join(waiting)}\n{self.log_end(late)}")
            time.sleep(POLL_S if waiting else 0)

    def stop(self, node: Node) -> None:
        """As an operator would: it finishes what it is at."""
        graceful = haproxy.GRACEFUL if node.kind == "haproxy" else signal.SIGTERM
        states.end(node, graceful)

    def log(self, node: Node) -> Path:
        return self.folder(node) / "out.log"

    def log_end(self, node: Node) -> str:
        path = self.log(node)
        return path.read_text(errors="replace")[-3_000:] if path.exists() else ""

    def form(self) -> None:
        """Tell the Redis servers of one another, once."""
        nodes = [redis.Node(node.host, node.port) for node in self._state.of_kind("redis")]
        if len(nodes) > 1:
            half = len(nodes) // 2
            redis.form_cluster(nodes[:half], nodes[half:])
        self._state.is_formed = True

    def reload_balancers(self) -> None:
        """Tell those that run of the edges that there are."""
        for node in self._state.of_kind("haproxy"):
            haproxy.write(self.folder(node), node.host, node.port, self._edges())
            states.signal_node(node, haproxy.RELOAD)

    def launch(self, node: Node) -> Launch:
        make = getattr(self, f"_{node.kind}") if node.kind not in ROOST_KINDS else self._roost
        launch: Launch = make(node)
        return launch

    def _zookeeper(self, node: Node) -> Launch:
        ensemble = self._ensemble()
        return zookeeper.zookeeper(self.folder(node), ensemble, self._at(node), flags=QUICK)

    def _ensemble(self) -> list[zookeeper.ZooKeeperNode]:
        return [
            zookeeper.ZooKeeperNode(one.host, one.ports["client"], one.ports["peer"], one.ports["election"])
            for one in self._state.of_kind("zookeeper")
        ]

    def _kafka(self, node: Node) -> Launch:
        brokers = [
            kafka.Broker(one.host, one.ports["client"], one.ports["controller"]) for one in self._state.of_kind("kafka")
        ]
        return kafka.kafka(self.folder(node), brokers, self._at(node), flags=QUICK)

    def _cassandra(self, node: Node) -> Launch:
        at = self._at(node)
        founders = [one for one in self._state.of_kind("cassandra") if not one.is_joining]
        addresses = [one.host for one in (self._state.of_kind("cassandra") if node.is_joining else founders)]
        ring = cassandra.Ring(addresses, node.ports["client"], node.ports["storage"], node.ports["jmx"] - at)
        # All nodes lose the power of this machine together: that each waits for its disk would only be slow.
        return cassandra.node(ring, at, self.folder(node), sync_at_ack=False, joins=node.is_joining, flags=QUICK)

    def _redis(self, node: Node) -> Launch:
        in_cluster = len(self._state.of_kind("redis")) > 1
        return redis.launch(self.folder(node), redis.Node(node.host, node.port), in_cluster=in_cluster)

    def _solr(self, node: Node) -> Launch:
        hosts = zookeeper.hosts(self._ensemble())
        return solr.solr(self.folder(node), node.host, node.port, hosts, heap_mb=320, flags=QUICK)

    def _s3(self, node: Node) -> Launch:
        key, secret = self._state.secrets["s3_key"], self._state.secrets["s3_secret"]
        return s3.s3(self.folder(node), node.host, node.port, key, secret, [BUCKET])

    def _haproxy(self, node: Node) -> Launch:
        return haproxy.haproxy(self.folder(node), node.host, node.port, self._edges())

    def _roost(self, node: Node) -> Launch:
        folder = self.folder(node)
        argv = [str(Path(sys.executable).with_name("roost")), "serve", "--config", str(self.toml), "--role", node.kind]
        argv += ["--data", str(folder / "data")]
        if node.kind == "edge":
            argv += ["--host", node.host, "--port", str(node.port)]
            return Launch(node.name, argv, folder, lambda: answers(node.host, node.port, "/health/ready") is not None)
        log = self.log(node)
        begin = log.stat().st_size if log.exists() else 0
        if states.is_running(node):
            begin = 0

        def ready() -> bool:
            """Its last start has said so."""
            text = log.read_text(errors="replace")[begin:] if log.exists() else ""
            return READY_LINE in text

        return Launch(node.name, argv, folder, ready)

    def _edges(self) -> list[haproxy.Edge]:
        return [haproxy.Edge(one.name, f"{one.host}:{one.port}") for one in self._state.of_kind("edge")]

    def _at(self, node: Node) -> int:
        return self._state.of_kind(node.kind).index(node)


class Say:
    """Lines of progress on standard error, each with the seconds since the start."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self, line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._began_s:6.1f} s  {line}\n")
        sys.stderr.flush()
