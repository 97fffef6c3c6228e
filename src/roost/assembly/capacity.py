"""How many machines a load takes: the sums behind `roost capacity`, with measured costs.

The formulas stand in docs/capacity.md, in the same order and with the same names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

DAY_S = 86_400
MONTH_DAYS = 30
GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured on a 2-core virtual machine; where from is said beside each. Microseconds of one core, or bytes."""

    page_us: float = 25.0  # benchmarks/reading.py: a page of 20 from a settled home, kernel's send included
    page_bytes: float = 13_300.0  # benchmarks/reading.py: such a page of real tweets
    push_us: float = 3.5  # a frame to a socket, kernel's send included: benchmarks/pushing.py
    push_bytes: float = 700.0
    post_us: float = 300.0  # an accepted tweet in an edge, all local reactions included: benchmarks/posting.py
    delivery_us: float = 3.0  # a push onto a shared timeline: Redis Function 1.2 client + 1.8 server
    home_bytes: float = 8_300.0  # 800 ids in a Redis list
    user_bytes: float = 1_000.0  # a user's rows: account, sessions, names
    index_bytes: float = 177.0  # a tweet in Solr, of 200 characters
    socket_bytes: float = 10_000.0  # an idle socket in an edge
    row_write_us: float = 81.0  # client side of one row in Cassandra
    rows_a_tweet: float = 4.0  # body, author's list, outbox, count


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for. Shares are of all users; a node is one machine."""

    users: int = 300_000_000
    new_users_a_day: int = 100_000
    tweets_per_second: float = 600
    reads_per_second: float = 600_000
    tweet_bytes: int = 500
    followers_average: float = 200
    page_tweets: int = 20
    months_kept: int = 12
    warm_share: float = 0.2
    connected_share: float = 0.02
    replicas: int = 3
    node_cores: int = 16
    node_memory_bytes: int = 64 * GB
    node_disk_bytes: int = 4_000 * GB
    used_share: float = 0.5
    """Of a node's cores, memory and disk: the rest is for peaks, failures and compaction."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: what, how much, and how it comes about."""

    part: str
    what: str
    amount: str
    because: str


def capacity(load: Load, costs: Costs | None = None) -> list[Line]:
    """The table, part by part."""
    costs = costs or Costs()
    return [*_data(load), *_traffic(load, costs), *_nodes(load, costs)]


def _data(load: Load) -> Sequence[Line]:
    second = load.tweets_per_second * load.tweet_bytes
    month = second * DAY_S * MONTH_DAYS
    tweets = load.tweets_per_second * DAY_S
    rate = f"{load.tweets_per_second:g}/s"
    return [
        Line("data", "tweets a day", f"{tweets:,.0f}", f"{rate} x {DAY_S:,} s"),
        Line("data", "written", f"{second / 1_000:,.1f} kB/s", f"{rate} x {load.tweet_bytes:g} B"),
        Line("data", "tweets a month", f"{month / GB:,.1f} GB", f"{second / 1_000:g} kB/s x {MONTH_DAYS} days"),
        Line("data", "new users a year", f"{load.new_users_a_day * 365:,.0f}", f"{load.new_users_a_day:,.0f} a day"),
    ]


def _traffic(load: Load, costs: Costs) -> Sequence[Line]:
    pages = load.reads_per_second / load.page_tweets
    deliveries = load.tweets_per_second * load.followers_average
    pushes = deliveries * load.connected_share
    out = pages * costs.page_bytes + pushes * costs.push_bytes
    return [
        Line(
            "traffic",
            "pages",
            f"{pages:,.0f}/s",
            f"{load.reads_per_second:,.0f} tweets/s in pages of {load.page_tweets}",
        ),
        Line("traffic", "deliveries", f"{deliveries:,.0f}/s", f"x {load.followers_average:g} followers"),
        Line("traffic", "pushes", f"{pushes:,.0f}/s", f"{load.connected_share:.0%} of the followers connected"),
        Line(
            "traffic",
            "sent to clients",
            f"{out / 1e6:,.0f} MB/s",
            f"{costs.page_bytes:,.0f} B a page, {costs.push_bytes:g} B a push",
        ),
        Line("traffic", "reads a write", f"{load.reads_per_second / load.tweets_per_second:,.0f}", "read heavy"),
    ]


def _nodes(load: Load, costs: Costs) -> Sequence[Line]:
    pages = load.reads_per_second / load.page_tweets
    deliveries = load.tweets_per_second * load.followers_average
    edge_us = pages * costs.page_us + deliveries * load.connected_share * costs.push_us
    edge_us += load.tweets_per_second * (costs.post_us + costs.rows_a_tweet * costs.row_write_us)
    sockets_bytes = load.users * load.connected_share * costs.socket_bytes
    homes_bytes = load.users * load.warm_share * costs.home_bytes
    tweets_kept = load.tweets_per_second * DAY_S * MONTH_DAYS * load.months_kept
    store_bytes = (tweets_kept * load.tweet_bytes + load.users * costs.user_bytes) * load.replicas
    index_bytes = tweets_kept * costs.index_bytes * 2
    log_bytes = load.tweets_per_second * load.tweet_bytes * DAY_S * 7 * load.replicas
    cores = load.node_cores * load.used_share
    memory, disk = load.node_memory_bytes * load.used_share, load.node_disk_bytes * load.used_share
    return [
        _line(
            "edges",
            max(edge_us / 1e6 / cores, sockets_bytes / memory),
            f"{edge_us / 1e6:,.1f} cores, {sockets_bytes / GB:,.0f} GB of sockets",
        ),
        _line(
            "fan-out",
            deliveries * costs.delivery_us / 1e6 / cores,
            f"{deliveries * costs.delivery_us / 1e6:,.2f} cores",
        ),
        _line("Redis", homes_bytes * 2 / memory, f"{homes_bytes / GB:,.0f} GB of timelines, twice"),
        _line(
            "Cassandra",
            store_bytes / disk,
            f"{store_bytes / GB:,.0f} GB in {load.months_kept:g} months, {load.replicas} times",
            3,
        ),
        _line("Solr", index_bytes / disk, f"{index_bytes / GB:,.0f} GB, twice"),
        _line("Kafka", log_bytes / disk, f"{log_bytes / GB:,.0f} GB in 7 days, {load.replicas} times", 3),
        _line("HAProxy", 0, "active-active, one would do for the traffic"),
    ]


def _line(kind: str, nodes: float, because: str, least: int = 2) -> Line:
    """Never fewer than it takes to lose one."""
    return Line("nodes", kind, f"{max(ceil(nodes), least):,}", because)
