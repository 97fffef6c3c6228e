"""A SolrCloud of one node for tests, and the indexes in it: emptied for each test, since to make them takes seconds."""

from dataclasses import dataclass
from pathlib import Path

from contract.own_server import HOST, OncePerProcess, free_port, run_until_exit
from roost_cluster.engines.jvm import QUICK
from roost_cluster.engines.solr import solr, url
from roost_cluster.engines.zookeeper import ZooKeeperNode, hosts, zookeeper
from roost_cluster.launch import Process


@dataclass(frozen=True)
class SolrServer:
    url: str
    home: Path
    process: Process


def _start(folder: Path) -> SolrServer:
    ensemble = [ZooKeeperNode(HOST, free_port())]
    run_until_exit(zookeeper(folder / "zookeeper", ensemble, flags=QUICK))
    port = free_port()
    process = run_until_exit(solr(folder / "solr", HOST, port, hosts(ensemble), flags=QUICK))
    return SolrServer(url(HOST, port), folder / "solr" / "home", process)


solr_server = OncePerProcess("Solr", _start)
