"""A walk over a whole table for rebuilds: by rising token, and within a partition by its rows' order.

It goes on after a row by the row's own key, so it needs no state between two steps, and it does not matter whether
that row is still there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession, Row


@dataclass(frozen=True, slots=True)
class Walk:
    """Three statements that answer the same columns, the key's first: partition columns, then clustering columns."""

    begin: Cql
    """With a limit."""
    rest: Cql
    """Of one partition, after clustering columns; with a limit."""
    beyond: Cql
    """Beyond one partition's token; with a limit."""
    partition_width: int
    key_width: int

    async def rows(
        self, session: CassandraSession, after: Sequence[Any] | None, limit: int, keep: Callable[[Row], bool]
    ) -> list[Row]:
        """Up to `limit` rows that are to be kept, after the one with that key; none only at the end."""
        found: list[Row] = []
        while len(found) < limit:
            rows = await self._some(session, after, limit)
            if not rows:
                break
            after = rows[-1][: self.key_width]
            found += [row for row in rows if keep(row)]
        return found[:limit]

    async def _some(self, session: CassandraSession, after: Sequence[Any] | None, limit: int) -> list[Row]:
        if after is None:
            return await session.rows(self.begin, limit)
        rows = await session.rows(self.rest, *after, limit)
        if rows:
            return rows
        return await session.rows(self.beyond, *after[: self.partition_width], limit)
