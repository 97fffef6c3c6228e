"""Servers that ask who one is, and that speak TLS: a wrong password is said without any password."""

import asyncio
import time
from pathlib import Path

import pytest

from contract.own_server import HOST, READY_S_MAX, free_port
from roost.adapters.redis_link import RedisLink
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.signing_in import SigningIn
from roost.domain.errors import DependencyDown, Unavailable
from roost_cluster.engines import redis
from roost_cluster.engines.cassandra import Ring, node
from roost_cluster.engines.jvm import QUICK
from roost_cluster.launch import Process
from roost_cluster.registries import Missing

CERTIFICATE = Path(__file__).with_name("localhost_for_tests.pem")
WITHIN_S = 60.0


async def test_cassandra_lets_in_who_has_the_password(tmp_path: Path) -> None:
    ring = Ring([HOST], free_port(), free_port(), free_port())
    try:
        process = Process.start(node(ring, 0, tmp_path, sync_at_ack=False, flags=QUICK, asks_password=True))
    except Missing as error:
        pytest.skip(str(error))
    try:
        await asyncio.to_thread(process.wait_ready, READY_S_MAX)
        async with asyncio.timeout(WITHIN_S):
            while True:  # the first user is made soon after the start
                try:
                    session = await opened(ring, "cassandra")
                except DependencyDown:
                    continue
                break
        assert await session.nodes() == (1, 1)
        await session.close()
        with pytest.raises(DependencyDown, match="Cassandra") as refused:
            await opened(ring, "not-the-s3cret")
        assert "s3cret" not in str(refused.value)
        with pytest.raises(DependencyDown, match="cannot be read"):
            await CassandraSession(
                [HOST], ring.port, "k", signing_in=SigningIn(tls=True, ca_file=tmp_path / "none")
            ).open()
    finally:
        process.kill()


async def opened(ring: Ring, password: str) -> CassandraSession:
    signing_in = SigningIn("cassandra", password)
    return await CassandraSession([HOST], ring.port, "secured", replicas=1, signing_in=signing_in).open()


async def test_redis_over_tls_lets_in_who_trusts_it(tmp_path: Path) -> None:
    port = free_port()
    secured = [f"--tls-{kind}-file {CERTIFICATE}" for kind in ("cert", "key", "ca-cert")]
    more = [*" ".join(secured).split(), "--tls-port", str(port), "--tls-auth-clients", "no"]
    try:
        process = Process.start(redis.launch(tmp_path, redis.Node(HOST, free_port()), more=more))
    except Missing as error:
        pytest.skip(str(error))
    try:
        await asyncio.to_thread(process.wait_ready, READY_S_MAX)
        link = RedisLink([("localhost", port)], time.monotonic, tls=True, ca_file=str(CERTIFICATE))
        assert await link.ask(("localhost", port), [["EXISTS", "x"]], link.deadline_s()) == [0]
        await link.close()
        stranger = RedisLink([("localhost", port)], time.monotonic, tls=True)
        with pytest.raises(Unavailable):
            await stranger.ask(("localhost", port), [["EXISTS", "x"]], stranger.deadline_s())
        await stranger.close()
    finally:
        process.kill()
