"""Real Redis servers for tests: started when first asked for, one set a process, ended with it."""

import atexit
import itertools
import os
import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from roost.adapters.clock.manual import SeededRandomness
from roost.adapters.redis_link import RedisLink
from roost_cluster.engines import redis
from roost_cluster.launch import Launch, Process
from roost_cluster.registries import Missing

HOST = "127.0.0.1"
READY_S_MAX = 30.0
CALL_MS_MAX = 5_000
"""Tests share a machine with much else: no test but those of the bound itself depends on it."""
NODE_TIMEOUT_MS = 1_000
KINDS = ("redis-single", "redis-cluster")
RANDOMNESS = SeededRandomness(7)

_prefixes = itertools.count(1)
_links: dict[str, RedisLink] = {}
_folders: list[Path] = []


@dataclass
class Servers:
    """Servers that belong together. Of a cluster the first ones are the primaries at first."""

    nodes: Sequence[redis.Node]
    processes: list[Process]
    is_cluster: bool

    def link(self, call_ms_max: int = CALL_MS_MAX) -> RedisLink:
        """To be closed by whoever asked for it."""
        addresses = [(node.host, node.port) for node in self.nodes]
        return RedisLink(addresses, time.monotonic, is_cluster=self.is_cluster, call_ms_max=call_ms_max)

    def command(self, *words: str | int | bytes, node: int = 0) -> object:
        return redis.command(self.nodes[node], *words)

    def restart(self, number: int) -> None:
        """As empty as a server without a file comes back."""
        self.processes[number] = _start(self.processes[number].launch)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()


def start_single() -> Servers:
    """Skips the test where there is no Redis."""
    (node,) = _free(1)
    return Servers([node], [_start(_launch(node))], is_cluster=False)


def start_cluster(primaries: int = 3, replicas: int = 0) -> Servers:
    """Skips the test where there is no Redis."""
    nodes = _free(primaries + replicas)
    processes = [_start(_launch(node, in_cluster=True)) for node in nodes]
    redis.form_cluster(nodes[:primaries], nodes[primaries:])
    return Servers(nodes, processes, is_cluster=True)


@cache
def servers(kind: str) -> Servers:
    """Those that all tests of this process share: they leave it as they found it, but for their own keys."""
    return start_single() if kind == "redis-single" else start_cluster()


def link(kind: str) -> RedisLink:
    """This test's own; tests/contract/conftest.py closes it."""
    if kind not in _links:
        _links[kind] = servers(kind).link()
    return _links[kind]


async def close_links() -> None:
    while _links:
        await _links.popitem()[1].close()


def fresh_prefix() -> str:
    """Of keys that nobody else uses."""
    return f"t{next(_prefixes)}:"


def wait_until(holds: Callable[[], bool], within_s: float = READY_S_MAX) -> None:
    until_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < until_s, "it did not come about in time"
        time.sleep(0.02)


def _launch(node: redis.Node, *, in_cluster: bool = False) -> Launch:
    folder = Path(tempfile.mkdtemp(prefix="roost-redis-"))
    _folders.append(folder)
    try:
        return redis.launch(folder, node, in_cluster=in_cluster, memory="64mb", node_timeout_ms=NODE_TIMEOUT_MS)
    except Missing as missing:
        pytest.skip(str(missing))


def _start(launch: Launch) -> Process:
    process = Process.start(launch)
    atexit.register(process.kill)
    process.wait_ready(READY_S_MAX)
    return process


def _free(count: int) -> list[redis.Node]:
    """Ports below those that the system gives to clients, and so that the bus has its own, 10,000 above, too."""
    chosen = random.Random(os.getpid() + time.monotonic_ns())
    nodes: list[redis.Node] = []
    while len(nodes) < count:
        port = chosen.randrange(11_000, 22_000)
        if all(node.port != port for node in nodes) and _is_free(port) and _is_free(port + 10_000):
            nodes.append(redis.Node(HOST, port))
    return nodes


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@atexit.register
def _remove_folders() -> None:
    for folder in _folders:
        shutil.rmtree(folder, ignore_errors=True)
