"""What a node is among its like: primary or replica, leader or follower."""

import socket

from redis import exceptions

from roost_cluster import state as states
from roost_cluster.engines import redis
from roost_cluster.engines.jvm import ASK_S_MAX
from roost_cluster.plan import ROOST_KINDS
from roost_cluster.state import Node, State


def role_of(node: Node, state: State) -> str:
    """Empty where it does not tell."""
    if states.state_of(node) != "running":
        return ""
    if node.kind in ROOST_KINDS:
        return node.kind
    if node.kind == "redis":
        return _redis_role(node)
    if node.kind == "zookeeper":
        return _zookeeper_mode(node)
    if node.kind == "haproxy":
        return f"balances {len(state.of_kind('edge'))} edges"
    return ""


def _redis_role(node: Node) -> str:
    try:
        role = redis.command(redis.Node(node.host, node.port), "ROLE")[0]
    except exceptions.RedisError:
        return ""
    return {b"master": "primary", b"slave": "replica"}.get(role, "")


def _zookeeper_mode(node: Node) -> str:
    try:
        with socket.create_connection((node.host, node.port), ASK_S_MAX) as connection:
            connection.settimeout(ASK_S_MAX)
            connection.sendall(b"srvr")
            said = b""
            while piece := connection.recv(4096):
                said += piece
    except OSError:
        return ""
    return next((line[6:].decode() for line in said.splitlines() if line.startswith(b"Mode: ")), "")
