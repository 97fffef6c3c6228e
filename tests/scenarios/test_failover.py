"""Two balancers with two addresses: one of them is killed, or only its HAProxy, and the other takes its address over.

In a network of its own: two balancers, one edge, one client, each in a namespace.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.waiting import eventually
from roost_cluster.engines.keepalived import Pair, configuration
from roost_cluster.main import balancers
from roost_cluster.registries import Missing, program
from scenarios.cluster.namespaces import Network, end_all, network

NODES = {"lb1": "10.77.0.11", "lb2": "10.77.0.12", "edge": "10.77.0.21", "client": "10.77.0.31"}
ADDRESSES = ("10.77.0.101", "10.77.0.102")
PORT, EDGE_PORT = 8_080, 8_000
AWAY_S_MAX = 3.0
SETTINGS = {"ROOST_RATE_LIMITS": "off", "ROOST_PASSWORD_COST": "low"}


@dataclass
class Pairing:
    """Who runs where. `said` reads the client's lines."""

    net: Network
    folder: Path
    running: dict[str, Any]

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "client.log").read_text().splitlines() if line[:1] == "{"]

    def acknowledged(self) -> int:
        return sum(bool(line.get("id")) for line in self.said())


@asynccontextmanager
async def a_pair(folder: Path) -> AsyncIterator[Pairing]:
    try:
        haproxy, keepalived = program("haproxy", "haproxy"), program("keepalived", "keepalived")
    except Missing as error:
        pytest.skip(str(error))
    nodes = [NODES["lb1"], NODES["lb2"]]
    balancers(
        folder,
        edges=f"{NODES['edge']}:{EDGE_PORT}",
        nodes=",".join(nodes),
        addresses=",".join(f"{address}/24" for address in ADDRESSES),
        port=PORT,
    )
    with network(NODES) as net:
        pairing = Pairing(net, folder, {})
        roost = str(Path(sys.executable).with_name("roost"))
        serve = [roost, "serve", "--host", NODES["edge"], "--port", str(EDGE_PORT), "--data", str(folder / "data")]
        net.run("edge", serve, folder / "edge.log", SETTINGS)
        await eventually(lambda: "roost ready" in (folder / "edge.log").read_text())
        for at, name in enumerate(("lb1", "lb2"), 1):
            argv = [haproxy, "-db", "-f", str(folder / "haproxy.cfg")]
            pairing.running[f"haproxy-{at}"] = net.run(name, argv, folder / f"haproxy-{at}.log")
            files = [f"--{kind}pid={folder}/{kind or 'main'}-{at}.pid" for kind in ("", "vrrp_")]
            argv = [keepalived, "-n", "-l", "-P", "-f", str(folder / f"keepalived-{at}.conf"), *files]
            pairing.running[f"keepalived-{at}"] = net.run(name, argv, folder / f"keepalived-{at}.log")
        await eventually(lambda: net.holds("lb1", ADDRESSES[0]) and net.holds("lb2", ADDRESSES[1]))
        client = [sys.executable, str(Path(__file__).parent / "cluster/failover_client.py")]
        client += [f"http://{address}:{PORT}" for address in ADDRESSES]
        pairing.running["client"] = net.run("client", client, folder / "client.log")
        await eventually(lambda: pairing.acknowledged() > 20)
        yield pairing


@pytest.mark.parametrize("victims", [("haproxy-1", "keepalived-1"), ("haproxy-1",)], ids=["node", "haproxy"])
async def test_a_killed_balancer_costs_its_address_three_seconds_at_most_and_no_tweet(
    tmp_path: Path, victims: tuple[str, ...]
) -> None:
    async with a_pair(tmp_path) as pairing:
        for victim in victims:
            end_all(pairing.running[victim])
        await eventually(lambda: pairing.net.holds("lb2", ADDRESSES[0]))
        before = pairing.acknowledged()
        await eventually(lambda: pairing.acknowledged() > before + 60)
        pairing.running["client"].send_signal(signal.SIGTERM)
        await asyncio.to_thread(pairing.running["client"].wait, 30)
        *lines, last = pairing.said()
        posted = {line["id"] for line in lines if line.get("id")}
        assert posted <= set(last["shown"]), "an acknowledged tweet is lost"
        assert len(last["shown"]) == len(set(last["shown"])), "a tweet is there twice"
        assert longest_gap_s(lines, at=0) <= AWAY_S_MAX
        assert longest_gap_s(lines, at=1) < 1.0, "the other address was not to notice"


def longest_gap_s(lines: list[dict[str, Any]], at: int) -> float:
    """Between two answers in a row at one address, in seconds."""
    answered = sorted(float(line["ended"]) for line in lines if line.get("at") == at and line["id"])
    return max(later - earlier for earlier, later in pairwise(answered))


def test_each_node_is_the_master_of_one_address() -> None:
    pair = Pair(["10.0.0.2", "10.0.0.3"], ["10.0.0.10/24", "10.0.0.11/24"], "eth1", 80)
    first, second = (configuration(pair, at) for at in range(2))
    assert first != second
    for text in (first, second):
        assert text.count("priority 150") == text.count("priority 100") == 1
        assert text.count("advert_int 0.3") == text.count("vrrp_version 3") * 2 == 2
