"""Apache Cassandra nodes from Maven's jars: one alone, or a few that start at once, each on a loopback address.

servers/roost_cluster/registries.jars -> (here) -> servers/roost_cluster/launch.Process

Tokens are spaced evenly and given to the founders, and none of them bootstraps: so all nodes of a new cluster may start
at the same time, which a cluster that hands out random tokens does not allow. A node that joins later takes tokens such
that all have about as much.
"""

import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from roost_cluster import registries
from roost_cluster.launch import Launch

VERSION = "5.0.9"
HEAP_MB_DEFAULT = 384
ASK_S_MAX = 1.0
TOKENS = 1 << 64
TOKENS_A_NODE = 16
"""A node that joins takes a little from each of the others."""
LEAST_TOKEN = -(1 << 63)
_OPTIONS_FRAME = bytes([4, 0, 0, 0, 5, 0, 0, 0, 0])  # version 4 of the native protocol, OPTIONS, no body
_SUPPORTED, _HEADER_BYTES = 6, 9

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>roost</groupId><artifactId>cassandra-jars</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId>
<version>{VERSION}</version></dependency></dependencies></project>
"""

# What Cassandra's own start script opens of the JDK.
_EXPORTS = (
    "java.base/jdk.internal.misc",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.sql/java.sql",
    "java.base/java.lang.ref",
    "jdk.unsupported/sun.misc",
    "jdk.compiler/com.sun.tools.javac.file",
    "jdk.attach/sun.tools.attach",
)
_OPENS = (
    "java.base/java.lang.module",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.util.jar",
    "jdk.management/com.sun.management.internal",
    "java.base/sun.nio.ch",
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.reflect",
    "java.base/java.util",
    "java.base/java.nio",
    "jdk.compiler/com.sun.tools.javac",
)

_YAML = """cluster_name: {cluster}
num_tokens: {tokens_a_node}
{place}
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
data_file_directories: [{folder}/data]
commitlog_directory: {folder}/commitlog
saved_caches_directory: {folder}/saved_caches
hints_directory: {folder}/hints
cdc_raw_directory: {folder}/cdc_raw
{commitlog_sync}
commitlog_segment_size: 16MiB
commitlog_total_space: 512MiB
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{{seeds: "{seeds}"}}]
listen_address: {address}
rpc_address: {address}
storage_port: {storage_port}
native_transport_port: {port}
endpoint_snitch: SimpleSnitch
memtable_heap_space: 96MiB
memtable_offheap_space: 96MiB
memtable_allocation_type: offheap_objects
file_cache_size: 32MiB
networking_cache_size: 32MiB
key_cache_size: 8MiB
concurrent_reads: 16
concurrent_writes: 32
concurrent_compactors: 1
read_request_timeout: 5000ms
write_request_timeout: 5000ms
cas_contention_timeout: 5000ms
truncate_request_timeout: 60000ms
batch_size_warn_threshold: 64KiB
batch_size_fail_threshold: 640KiB
hinted_handoff_enabled: true
authenticator: {authenticator}
authorizer: AllowAllAuthorizer
auto_snapshot: false
incremental_backups: false
storage_compatibility_mode: NONE
paxos_variant: v2
"""

_JOINS = """auto_bootstrap: true
allocate_tokens_for_local_replication_factor: 3"""

_LOGBACK = """<configuration scan="false">
<appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%-5level [%thread] %d{ISO8601} %F:%L - %msg%n</pattern></encoder></appender>
<root level="WARN"><appender-ref ref="OUT"/></root></configuration>
"""


@dataclass(frozen=True, slots=True)
class Ring:
    """A cluster: the loopback addresses of its nodes, the first being the seed, and the ports that all of them use.

    `jmx_port` is the first node's: the others take those above it, since JMX listens on one address for all.
    """

    addresses: Sequence[str]
    port: int
    storage_port: int
    jmx_port: int
    name: str = "roost"


def node(
    ring: Ring,
    number: int,
    folder: Path,
    *,
    heap_mb: int = HEAP_MB_DEFAULT,
    sync_at_ack: bool = True,
    processors: int | None = None,
    joins: bool = False,
    flags: Sequence[str] = (),
    asks_password: bool = False,
) -> Launch:
    """How to start node `number` (from 0) of the ring in its folder. Raises registries.Missing.

    `joins`: the others are there already, and it streams its share from them before it is ready. `asks_password`: it
    lets in cassandra with the password cassandra. `sync_at_ack` makes an acknowledged write outlast a loss of power, as
    an acknowledgement promises: writes wait up to 5 ms for a common sync. Without it up to 10 s of writes are lost
    then, never by a kill: good for tests.
    """
    libs = registries.jars(f"cassandra-{VERSION}", _POM)
    folder = folder.resolve()
    configuration = folder / "conf"
    configuration.mkdir(parents=True, exist_ok=True)
    (configuration / "cassandra.yaml").write_text(
        _settings(ring, number, folder, sync_at_ack=sync_at_ack, joins=joins, asks_password=asks_password)
    )
    (configuration / "logback.xml").write_text(_LOGBACK)
    address = ring.addresses[number]
    return Launch(
        name=f"Cassandra {address}:{ring.port}",
        argv=_command(ring.jmx_port + number, libs, folder, heap_mb, processors, flags),
        folder=folder,
        ready=lambda: answers(address, ring.port),
    )


def answers(address: str, port: int) -> bool:
    """Whether a node speaks its protocol there: an open port alone is not it."""
    try:
        with socket.create_connection((address, port), timeout=ASK_S_MAX) as connection:
            connection.settimeout(ASK_S_MAX)
            connection.sendall(_OPTIONS_FRAME)
            header = connection.recv(_HEADER_BYTES)
            return len(header) == _HEADER_BYTES and header[4] == _SUPPORTED
    except OSError:
        return False


def _settings(ring: Ring, number: int, folder: Path, *, sync_at_ack: bool, joins: bool, asks_password: bool) -> str:
    group = "commitlog_sync: group\ncommitlog_sync_group_window: 5ms"
    periodic = "commitlog_sync: periodic\ncommitlog_sync_period: 10000ms"
    return _YAML.format(
        cluster=ring.name,
        tokens_a_node=TOKENS_A_NODE,
        authenticator="PasswordAuthenticator" if asks_password else "AllowAllAuthenticator",
        place=_JOINS if joins else f'initial_token: "{_tokens(number, len(ring.addresses))}"\nauto_bootstrap: false',
        folder=folder,
        commitlog_sync=group if sync_at_ack else periodic,
        seeds=f"{ring.addresses[0]}:{ring.storage_port}",
        address=ring.addresses[number],
        storage_port=ring.storage_port,
        port=ring.port,
    )


def _tokens(number: int, founders: int) -> str:
    """Every so many of all tokens: evenly spaced over the ring, node after node."""
    places = range(number, TOKENS_A_NODE * founders, founders)
    return ",".join(str(LEAST_TOKEN + place * TOKENS // (TOKENS_A_NODE * founders)) for place in places)


def _command(
    jmx_port: int, libs: Path, folder: Path, heap_mb: int, processors: int | None, flags: Sequence[str]
) -> list[str]:
    configuration = folder / "conf"
    return [
        shutil.which("java") or "java",
        "-XX:+UseSerialGC",
        *flags,
        f"-Xms{heap_mb}M",
        f"-Xmx{heap_mb}M",
        "-Xss512k",
        "-XX:MaxDirectMemorySize=256M",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        *([] if processors is None else [f"-XX:ActiveProcessorCount={processors}"]),
        "-Djdk.attach.allowAttachSelf=true",
        "-Djava.net.preferIPv4Stack=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
        *(word for package in _EXPORTS for word in ("--add-exports", f"{package}=ALL-UNNAMED")),
        *(word for package in _OPENS for word in ("--add-opens", f"{package}=ALL-UNNAMED")),
        f"-Dcassandra.config=file://{configuration}/cassandra.yaml",
        f"-Dlogback.configurationFile=file://{configuration}/logback.xml",
        f"-Dcassandra.storagedir={folder}",
        f"-Dcassandra.jmx.local.port={jmx_port}",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.ring_delay_ms=1000",
        "-Dcassandra.superuser_setup_delay_ms=0",
        "-Dcassandra-foreground=yes",
        "-cp",
        f"{configuration}:{libs}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    ]
