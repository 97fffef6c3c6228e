"""How many partitions share the rows that many users make about one thing: its likes, replies or followers.

It begins with one. Who counts the rows doubles the number once they are too many for it (counts.py). A row lies in
the bucket that its key had when it was written: one of few, since a number that doubles only ever splits a bucket in
two. So nothing is moved, lists are merged from all buckets, and who deletes a row deletes it wherever it may lie.
"""

from collections.abc import Sequence

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession

ROWS_MAX = 100_000
"""Rows a bucket, roughly: some 5 MB."""
BUCKETS_MAX = 4_096

_OF = Cql("SELECT count FROM buckets WHERE list = ? AND owner = ?")
# The number is its own timestamp: the greatest stands, whoever writes last.
_WIDEN = Cql("INSERT INTO buckets (list, owner, count) VALUES (?, ?, ?) USING TIMESTAMP ?")

_GOLDEN, _MASK, _SHIFT = 0x9E3779B97F4A7C15, (1 << 64) - 1, 40


class Buckets:
    """Asked anew at each use: who knew an older number would miss rows."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def count(self, list: str, owner: int) -> int:
        """How many buckets there are, a power of two."""
        row = await self._session.row(_OF, list, owner)
        return 1 if row is None else int(row[0])

    async def fit(self, list: str, owner: int, rows: int, count: int) -> None:
        """Have more buckets where `rows` in `count` of them are too many."""
        wanted = count
        while rows > ROWS_MAX * wanted and wanted < BUCKETS_MAX:
            wanted *= 2
        if wanted > count:
            await self._session.write(_WIDEN, list, owner, wanted, wanted)


def bucket_of(key: int, count: int) -> int:
    """Where a new row lies."""
    return _mixed(key) % count


def buckets_of(key: int, count: int) -> Sequence[int]:
    """Where a row may lie, whatever the number was when it was written."""
    mixed = _mixed(key)
    return sorted({mixed % (1 << power) for power in range(count.bit_length())})


def _mixed(key: int) -> int:
    """Spread evenly in the low bits, which ids are not."""
    return (key * _GOLDEN & _MASK) >> _SHIFT
