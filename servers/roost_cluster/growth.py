"""One node more, under load: it takes its share over from the others while they go on."""

from collections.abc import Callable

from roost_cluster.engines import redis
from roost_cluster.fleet import Fleet, Say
from roost_cluster.plan import add
from roost_cluster.state import Node, State


class NotGrown(Exception):
    """A node could not be added; the message says why."""


def grow_node(fleet: Fleet, state: State, kind: str, say: Say, save: Callable[[], None]) -> Node:
    """Raises NotGrown, NotReady, Missing."""
    if kind == "redis" and len(state.of_kind("redis")) == 1:
        raise NotGrown("a single Redis has no slots to share: only a large cluster's Redis grows")
    node = add(state, kind)
    fleet.start(node)
    save()
    fleet.wait_ready([node], say)
    if kind == "redis":
        _take_slots(state, node, say)
    elif kind == "edge":
        fleet.reload_balancers()
    fleet.write_toml()
    return node


def _take_slots(state: State, node: Node, say: Say) -> None:
    new = redis.Node(node.host, node.port)
    others = [redis.Node(one.host, one.port) for one in state.of_kind("redis") if one is not node]
    moved = redis.join_as_primary(new, others)
    say(f"{node.name} has {moved} slots")
