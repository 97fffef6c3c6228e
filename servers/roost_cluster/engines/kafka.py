"""Kafka brokers without ZooKeeper, each a controller too: one alone, or three of which one may be lost.

servers/roost_cluster/registries.jars -> (here) -> servers/roost_cluster/launch.Process
"""

import socket
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_cluster import registries
from roost_cluster.engines.jvm import ASK_S_MAX, QUICK, java
from roost_cluster.launch import Launch

VERSION = "4.4.0"
HEAP_MB_DEFAULT = 256
FORMAT_S_MAX = 60
REPLICAS_MAX = 3
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
"""Any 16 bytes in base64: it keeps a broker from joining the folder of another cluster."""

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>roost</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
  <!-- Without a binding the broker logs nothing. -->
  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
    <version>2.25.5</version></dependency>
</dependencies></project>
"""

_SETTINGS = """process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.network.threads=2
num.io.threads=4
default.replication.factor={replicas}
min.insync.replicas={in_step}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=6
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_step}
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={in_step}
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
unclean.leader.election.enable=false
log.cleaner.dedupe.buffer.size=8388608
log.segment.bytes=134217728
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=true
"""

_FLAGS = (
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:MaxMetaspaceSize=128m",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:+PerfDisableSharedMem",
)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where one listens: for clients and brokers, and for the quorum."""

    host: str
    port: int
    controller_port: int


def bootstrap(brokers: Sequence[Broker]) -> str:
    """The brokers as clients name them."""
    return ",".join(f"{one.host}:{one.port}" for one in brokers)


def kafka(
    folder: Path,
    brokers: Sequence[Broker],
    at: int = 0,
    *,
    heap_mb: int = HEAP_MB_DEFAULT,
    flags: Sequence[str] = (),
    topic_settings: Sequence[str] = (),
) -> Launch:
    """Broker `at`, its folder made ready. Raises registries.Missing."""
    folder = folder.resolve()
    libs = registries.jars(f"kafka-{VERSION}", _POM)
    me, data = brokers[at], folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    settings = folder / "server.properties"
    replicas = min(REPLICAS_MAX, len(brokers))
    text = _SETTINGS.format(
        number=at + 1,
        voters=",".join(f"{n}@{one.host}:{one.controller_port}" for n, one in enumerate(brokers, 1)),
        host=me.host,
        port=me.port,
        controller_port=me.controller_port,
        data=data,
        replicas=replicas,
        in_step=2 if replicas >= REPLICAS_MAX else 1,
    )
    settings.write_text("\n".join([text, *topic_settings, ""]))
    if not (data / "meta.properties").exists():
        _format(libs, folder, settings)
    argv = java(libs, folder, heap_mb, [*_FLAGS, *flags], "kafka.Kafka", str(settings))
    return Launch(f"kafka {at + 1}", argv, folder, lambda: answers(me.host, me.port))


def answers(host: str, port: int) -> bool:
    """Whether a broker tells which versions it speaks: an open port alone is not it."""
    client = b"roost"
    request = struct.pack(">hhih", 18, 0, 1, len(client)) + client  # ApiVersions, version 0
    try:
        with socket.create_connection((host, port), ASK_S_MAX) as connection:
            connection.settimeout(ASK_S_MAX)
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) == 8  # noqa: PLR2004 - the length and our number
    except OSError:
        return False


def _format(libs: Path, folder: Path, settings: Path) -> None:
    command = java(
        libs,
        folder,
        128,
        QUICK,
        "kafka.tools.StorageTool",
        *("format", "-t", CLUSTER_ID, "-c", str(settings)),
    )
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=FORMAT_S_MAX, check=False)
    if run.returncode:
        raise registries.Missing(f"Kafka could not make its folder ready: {run.stdout[-500:]}{run.stderr[-500:]}")
