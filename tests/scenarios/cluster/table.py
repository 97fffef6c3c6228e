"""Which faults are tried, and how what they did is shown."""

from collections.abc import Sequence

from scenarios.cluster.faults import Fault, Row, frozen, killed, redis_flushed, search_says_503, stopped

KAFKA_AWAY_S = 60.0

FAULTS: Sequence[Fault] = (
    *(killed(f"{kind}-1") for kind in ("edge", "fan_out", "index", "notify", "count", "outbox", "haproxy")),
    *(frozen(f"{kind}-2") for kind in ("edge", "fan_out", "index", "notify", "count", "outbox", "haproxy")),
    *(make(f"{kind}-1") for kind in ("kafka", "redis", "cassandra", "zookeeper", "solr") for make in (killed, frozen)),
    redis_flushed(),
    stopped("all of Kafka away", ["kafka-1", "kafka-2", "kafka-3"], KAFKA_AWAY_S),
    stopped("all of Solr away", ["solr-1", "solr-2"], 15.0, search_says_503),
    stopped("S3 away", ["s3-1"], 10.0),
    stopped("two of three Cassandra nodes away", ["cassandra-2", "cassandra-3"], 15.0),
)
SMALL_FAULTS: Sequence[Fault] = (
    killed("fan_out-1"),
    frozen("count-1"),
    redis_flushed(),
    stopped("Redis away", ["redis-1"], 4.0),
    stopped("Kafka away", ["kafka-1"], 25.0),
    stopped("Solr away", ["solr-1"], 4.0, search_says_503),
    stopped("S3 away", ["s3-1"], 2.0),
)


def table(rows: Sequence[Row]) -> str:
    """In Markdown, a line a fault."""
    lines = [
        "| fault | lost | doubled | reads answered | writes answered | longest stall | recovered after |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.fault} | {row.lost} | {row.doubled} | {row.reads_answered:g} % | {row.writes_answered:g} % "
        f"| {row.longest_stall_s:g} s | {row.recovery_s:g} s |"
        for row in rows
    ]
    return "\n".join(lines)
