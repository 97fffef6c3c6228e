"""How evenly users, tweets and bytes lie over shards, Cassandra's nodes and the log's partitions.

cli.partitions -> partition_tables -> Table
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from roost.adapters.clock.system import SystemClock
from roost.adapters.log.kafka.log import KafkaEventLog
from roost.adapters.log.kafka.topic import Topic
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.stores import cassandra_stores
from roost.adapters.tweet_rows import encode_tweet
from roost.assembly.cluster.engines import kafka_servers, open_session
from roost.assembly.cluster.file import ClusterFile
from roost.domain.ids import SHARDS, TweetId, UserId, shard_in, shard_of
from roost.ports.accounts import AccountStore
from roost.ports.tweets import TweetStore

GROUPS = 16
"""Shards are shown in so many stretches of neighbours."""
ROWS_A_STEP = 1_000
RING = 1 << 64


@dataclass(frozen=True, slots=True)
class Table:
    """Figures by name of what they lie on; `columns` names them."""

    title: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[float]]

    @property
    def spread(self) -> float:
        """Of the column that is most uneven: (max - min) / mean, in percent."""
        return max((spread_of([row[at] for row in self.rows.values()]) for at in range(len(self.columns))), default=0.0)


def spread_of(figures: Sequence[float]) -> float:
    """(max - min) / mean in percent; 0 where there is nothing."""
    mean = sum(figures) / len(figures) if figures else 0.0
    return 100 * (max(figures) - min(figures)) / mean if mean else 0.0


@dataclass(slots=True)
class ShardCounts:
    """Users, tweets and bytes of tweets, by stretches of shards."""

    users: list[int] = field(default_factory=lambda: [0] * GROUPS)
    tweets: list[int] = field(default_factory=lambda: [0] * GROUPS)
    bytes: list[int] = field(default_factory=lambda: [0] * GROUPS)

    async def count(self, accounts: AccountStore, tweets: TweetStore) -> None:
        """All there are."""
        user = UserId(0)
        while users := await accounts.user_ids(user, ROWS_A_STEP):
            for user in users:
                self.users[_group(shard_of(user))] += 1
        tweet = TweetId(0)
        while rows := await tweets.scan(tweet, ROWS_A_STEP):
            for row in rows:
                group = _group(shard_in(row.id))
                self.tweets[group] += 1
                self.bytes[group] += len(encode_tweet(row))
            tweet = rows[-1].id

    @property
    def table(self) -> Table:
        size = SHARDS // GROUPS
        rows = {
            f"{group * size}-{group * size + size - 1}": (self.users[group], self.tweets[group], self.bytes[group])
            for group in range(GROUPS)
        }
        return Table("shards", ("users", "tweets", "bytes"), rows)


async def partition_tables(file: ClusterFile) -> AsyncIterator[Table]:
    """Raises Unavailable where a server does not answer. All rows are read."""
    clock = SystemClock()

    async def nowhere(_: object) -> None:
        """Nothing is written."""

    session = await open_session(file.cassandra)
    try:
        async with cassandra_stores(session, clock.now_ms, nowhere) as stores:
            counts = ShardCounts()
            await counts.count(stores.accounts, stores.tweets)
        yield counts.table
        yield await _node_table(session, min(file.cassandra.replicas, 64))
    finally:
        await session.close()
    log = KafkaEventLog(kafka_servers(file.kafka), clock.now_ms, Topic(file.kafka.topic, file.kafka.partitions))
    await log.open()
    try:
        rows = {str(partition): (facts,) for partition, facts in enumerate(await log.sizes())}
        yield Table(f"topic {file.kafka.topic}", ("records",), rows)
    finally:
        await log.close()


async def _node_table(session: CassandraSession, replicas: int) -> Table:
    shares = shares_of(await session.tokens(), replicas)
    return Table(
        "cassandra", ("percent of all rows",), {node: (100 * share,) for node, share in sorted(shares.items())}
    )


def shares_of(tokens: Mapping[str, Sequence[int]], replicas: int) -> Mapping[str, float]:
    """Which part of all rows each node has: the ranges that end at its tokens, and those whose copies it has.

    Copies of a range lie on the next other nodes along the ring (SimpleSnitch).
    """
    ring = sorted((token, node) for node, of_node in tokens.items() for token in of_node)
    shares = dict.fromkeys(tokens, 0.0)
    for at, (token, _) in enumerate(ring):
        before = ring[at - 1][0] if at else ring[-1][0] - RING
        holders: dict[str, None] = {}
        for step in range(len(ring)):
            holders[ring[(at + step) % len(ring)][1]] = None
            if len(holders) == min(replicas, len(tokens)):
                break
        for node in holders:
            shares[node] += (token - before) / RING
    return shares


def _group(shard: int) -> int:
    return shard * GROUPS // SHARDS
