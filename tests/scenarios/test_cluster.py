"""The main job against a cluster of real servers, through its balancer, while parts of it are killed."""

import asyncio
import re
from pathlib import Path

import pytest

from contract.own_server import free_port
from scenarios.cluster.coherence import check_coherence
from scenarios.cluster.faults import endure
from scenarios.cluster.load import SteadyLoad
from scenarios.cluster.local import CommandFailed, LocalCluster, local_cluster, roost
from scenarios.cluster.table import SMALL_FAULTS, table
from scenarios.main_job.job import main_job_at
from scenarios.main_job.size import GRAPH, TWEETS, Size

SIZE = Size(users_max=120, tweets_max=400, listeners=30, to_the_end=20, upwards=5)
VICTIMS = ("fan_out-1", "count-1", "index-1", "notify-1", "outbox-1", "redis-1")
"""Each is started again: the small cluster has one of each. What has no other is not needed to post and to read."""

NOWHERE = """
[cluster]
signing_key = "00112233445566778899aabbccddeeff"
[cluster.kafka]
servers = "127.0.0.1:{port}"
password = "s3cret"
[cluster.redis]
servers = "127.0.0.1:{port}"
password = "s3cret"
[cluster.cassandra]
servers = "127.0.0.1"
port = {port}
[cluster.solr]
servers = "http://127.0.0.1:{port}/solr"
[cluster.s3]
endpoint = "http://127.0.0.1:{port}"
bucket = "roost"
access_key_id = "key"
secret_access_key = "s3cret"
"""

needs_data = pytest.mark.skipif(not (GRAPH.exists() and TWEETS.exists()), reason=f"no real input at {GRAPH.parent}")


@needs_data
async def test_everybody_reads_and_hears_the_right_thing_while_parts_are_killed(tmp_path: Path) -> None:
    async with local_cluster(tmp_path, "--small") as cluster:
        assert await cluster.do("grow", "edge") == "edge-2\n"
        killing = asyncio.create_task(_kill_in_turn(cluster))
        try:
            outcome = await main_job_at(cluster.urls[0], SIZE, before_looking=lambda: _ended(killing))
        finally:
            killing.cancel()
        print(outcome.figures)  # noqa: T201  shown by pytest -rP, and when it fails
        assert outcome.complaints == []
        assert outcome.figures["pushes"] > 0
        print(await check_coherence(*cluster.edges()))  # noqa: T201
        status = await cluster.do("status")
        assert "down" not in status, status
        examined = await roost(cluster.folder, "doctor", "--config", ".cluster/cluster.toml")
        assert "fail" not in examined, examined
        for name in ("cassandra", "kafka", "heartbeat", "redis", "solr", "s3", "reaction count"):
            assert name in examined, examined
        spread = await roost(cluster.folder, "partitions", "--config", ".cluster/cluster.toml")
        assert spread.count("spread ") == len(("shards", "cassandra", "topic")), spread


async def test_the_doctor_says_which_server_is_gone(tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text(NOWHERE.format(port=free_port()))
    with pytest.raises(CommandFailed) as failed:
        await roost(tmp_path, "doctor", "--config", "cluster.toml")
    for name in ("cassandra", "kafka", "redis", "solr", "s3"):
        assert re.search(f"^fail +{name} .* -> ", str(failed.value), re.MULTILINE), failed.value
    assert "s3cret" not in str(failed.value)


async def _kill_in_turn(cluster: LocalCluster) -> None:
    for name in VICTIMS:
        await cluster.do("kill", name)
        await cluster.do("start", name)


async def _ended(killing: "asyncio.Task[None]") -> None:
    await killing


async def test_what_faults_do_to_a_small_cluster(tmp_path: Path) -> None:
    async with local_cluster(tmp_path, "--small") as cluster:
        load = SteadyLoad(cluster.urls)
        try:
            await load.begin()
            rows = [await endure(cluster, load, fault) for fault in SMALL_FAULTS]
        finally:
            await load.end()
        print(table(rows))  # noqa: T201  shown by pytest -rP, and when it fails
        assert [(row.fault, row.lost, row.doubled) for row in rows if row.lost or row.doubled] == []
        assert [complaint for row in rows for complaint in row.complaints] == []
