"""What a node is among its like: primary or replica, leader or follower."""

from redis import exceptions

from roost_cluster import state as states
from roost_cluster.engines import redis, zookeeper
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
        return zookeeper.mode(node.host, node.port)
    if node.kind == "haproxy":
        return f"balances {len(state.of_kind('edge'))} edges"
    return ""


def _redis_role(node: Node) -> str:
    try:
        role = redis.command(redis.Node(node.host, node.port), "ROLE")[0]
    except exceptions.RedisError:
        return ""
    return {b"master": "primary", b"slave": "replica"}.get(role, "")
