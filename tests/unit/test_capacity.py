"""The sums of `roost capacity`."""

from roost.assembly.capacity import Costs, Load, capacity


def amounts(load: Load, costs: Costs | None = None) -> dict[str, str]:
    return {line.what: line.amount for line in capacity(load, costs)}


def test_the_design_load_is_777_6_gb_a_month_and_300_kb_a_second() -> None:
    table = amounts(Load())
    assert table["tweets a month"] == "777.6 GB"
    assert table["written"] == "300.0 kB/s"
    assert table["tweets a day"] == "51,840,000"


def test_the_design_load_is_30_000_pages_and_120_000_deliveries_a_second() -> None:
    table = amounts(Load())
    assert table["pages"] == "30,000/s"
    assert table["deliveries"] == "120,000/s"
    assert table["reads a write"] == "1,000"


def test_the_smallest_load_still_survives_the_loss_of_a_node() -> None:
    table = amounts(Load(users=10, tweets_per_second=1, reads_per_second=1))
    assert {table[kind] for kind in ("edges", "fan-out", "Redis", "Solr", "HAProxy")} == {"2"}
    assert {table[kind] for kind in ("Cassandra", "Kafka")} == {"3"}


def test_twice_the_reads_take_twice_the_edges_where_reading_decides() -> None:
    costs = Costs(push_us=0, post_us=0, row_write_us=0, socket_bytes=0)
    once = amounts(Load(reads_per_second=64_000_000), costs)
    twice = amounts(Load(reads_per_second=128_000_000), costs)
    assert int(twice["edges"]) == 2 * int(once["edges"])
