"""HAProxy in front of the edges: a user goes to the same edge while it lives, whichever balancer is asked."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_cluster.engines.jvm import answers
from roost_cluster.launch import Launch
from roost_cluster.registries import program

_CONFIGURATION = """# Made by roost; what is changed here is lost when it is made again.
global
    maxconn {connections}

defaults
    mode http
    option redispatch 1
    retries 2
    # What may be repeated is, at another edge where the first is gone.
    retry-on conn-failure empty-response response-timeout
    timeout connect 1s
    timeout client 60s
    timeout server 15s
    timeout queue 2s
    timeout http-request 10s
    timeout tunnel 1h

frontend roost
    bind {bind}
    http-request return status 200 content-type text/plain string "ok" if {{ path /balancer/health }}
    http-request disable-l7-retry if !METH_GET
    http-request set-header X-Forwarded-For %[src]
    http-request set-var(txn.user) req.hdr(Authorization)
    http-request set-var(txn.user) req.cook(__Host-roost) unless {{ var(txn.user) -m found }}
    http-request set-var(txn.user) req.cook(roost) unless {{ var(txn.user) -m found }}
    http-request set-var(txn.user) url_param(token),regsub(^,Bearer\\ ) unless {{ var(txn.user) -m found }}
    http-request set-var(txn.user) src unless {{ var(txn.user) -m found }}
    default_backend edges

backend edges
    # Both balancers choose the same edge for the same user; where one goes, only its users move.
    balance hash var(txn.user)
    hash-type consistent
    option httpchk GET /health/ready
    default-server check inter 500ms fastinter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""
CONNECTIONS_MAX = 8_000


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge as the balancers name it."""

    name: str
    address: str


def configuration(bind: str, edges: Sequence[Edge], connections: int = CONNECTIONS_MAX) -> str:
    """All of haproxy.cfg."""
    servers = "\n".join(f"    server {edge.name} {edge.address}" for edge in edges)
    return _CONFIGURATION.format(bind=bind, servers=servers, connections=connections)


def haproxy(folder: Path, host: str, port: int, edges: Sequence[Edge]) -> Launch:
    """A balancer that reads its configuration anew on RELOAD, without losing a connection. Raises Missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = write(folder, host, port, edges)
    argv = [program("haproxy", "haproxy"), "-W", "-db", "-f", str(path)]
    return Launch(f"haproxy {host}:{port}", argv, folder, lambda: answers(host, port, "/balancer/health") is not None)


RELOAD = signal.SIGUSR2
GRACEFUL = signal.SIGUSR1


def write(folder: Path, host: str, port: int, edges: Sequence[Edge]) -> Path:
    path = folder / "haproxy.cfg"
    path.write_text(configuration(f"{host}:{port}", edges))
    return path
