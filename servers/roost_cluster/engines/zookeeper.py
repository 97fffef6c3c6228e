"""ZooKeeper, alone or as an ensemble: what SolrCloud keeps its collections' places in."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_cluster.engines.jvm import ASK_S_MAX, java, solr_jars
from roost_cluster.launch import Launch

TICK_MS = 500
HEAP_MB = 128


@dataclass(frozen=True, slots=True)
class ZooKeeperNode:
    """Where one member listens: for clients, and for the other members (followers, elections)."""

    host: str
    client_port: int
    peer_port: int = 0
    election_port: int = 0


def hosts(ensemble: Sequence[ZooKeeperNode]) -> str:
    """The ensemble as clients name it."""
    return ",".join(f"{node.host}:{node.client_port}" for node in ensemble)


def zookeeper(folder: Path, ensemble: Sequence[ZooKeeperNode], at: int = 0, *, flags: Sequence[str] = ()) -> Launch:
    """Member `at` of the ensemble. Raises registries.Missing."""
    me, data = ensemble[at], folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    lines = [
        f"tickTime={TICK_MS}",
        "initLimit=20",
        "syncLimit=10",
        f"dataDir={data}",
        f"clientPort={me.client_port}",
        f"clientPortAddress={me.host}",
        "admin.enableServer=false",
        "4lw.commands.whitelist=srvr",
        "autopurge.purgeInterval=1",
    ]
    if len(ensemble) > 1:
        (data / "myid").write_text(str(at + 1))
        lines += [f"server.{n}={one.host}:{one.peer_port}:{one.election_port}" for n, one in enumerate(ensemble, 1)]
    config = folder / "zoo.cfg"
    config.write_text("\n".join(lines) + "\n")
    main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
    argv = java(solr_jars(), folder, HEAP_MB, flags, main, str(config))
    return Launch(f"zookeeper {at + 1}", argv, folder, lambda: bool(mode(me.host, me.client_port)))


def mode(host: str, client_port: int) -> str:
    """leader, follower or standalone; empty where it does not serve: a member without a quorum answers without it."""
    try:
        with socket.create_connection((host, client_port), ASK_S_MAX) as connection:
            connection.settimeout(ASK_S_MAX)
            connection.sendall(b"srvr")
            said = b""
            while piece := connection.recv(4096):
                said += piece
    except OSError:
        return ""
    return next((line[6:].decode() for line in said.splitlines() if line.startswith(b"Mode: ")), "")
