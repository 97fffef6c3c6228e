"""The cluster.toml of a local cluster: where roost finds the servers."""

from roost_cluster.engines.s3 import url as s3_url
from roost_cluster.engines.solr import url as solr_url
from roost_cluster.state import Node, State

BUCKET = "roost"
KAFKA_PARTITIONS = 12
REPLICAS_MAX = 3

_TOML = """# Made by ./cluster; what is changed here is lost when it is made again.
trusted_proxies = "127.0.0.1"

[cluster]
signing_key = "{signing_key}"

[cluster.kafka]
servers = "{kafka}"
partitions = {partitions}

[cluster.redis]
servers = "{redis}"
is_cluster = {redis_is_cluster}

[cluster.cassandra]
servers = "{cassandra}"
port = {cassandra_port}
keyspace = "roost"
replicas = {cassandra_replicas}

[cluster.solr]
servers = "{solr}"
shards = 1
replicas = {solr_replicas}

[cluster.s3]
endpoint = "{s3}"
bucket = "{bucket}"
access_key_id = "{s3_key}"
secret_access_key = "{s3_secret}"
"""


def cluster_toml(state: State) -> str:
    cassandra, solr, redis = state.of_kind("cassandra"), state.of_kind("solr"), state.of_kind("redis")
    return _TOML.format(
        signing_key=state.secrets["signing_key"],
        kafka=_addresses(state.of_kind("kafka")),
        partitions=KAFKA_PARTITIONS,
        redis=_addresses(redis),
        redis_is_cluster=str(len(redis) > 1).lower(),
        cassandra=",".join(node.host for node in cassandra),
        cassandra_port=cassandra[0].port,
        cassandra_replicas=min(REPLICAS_MAX, len(cassandra)),
        solr=",".join(solr_url(node.host, node.port) for node in solr),
        solr_replicas=len(solr),
        s3=",".join(s3_url(node.host, node.port) for node in state.of_kind("s3")),
        bucket=BUCKET,
        s3_key=state.secrets["s3_key"],
        s3_secret=state.secrets["s3_secret"],
    )


def _addresses(nodes: list[Node]) -> str:
    return ",".join(f"{node.host}:{node.port}" for node in nodes)
