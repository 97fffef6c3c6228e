"""Used tickets in Cassandra: a row a ticket, which Cassandra drops by itself when the ticket is void."""

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession

TTL_S_MAX = 86_400
SPARE_S = 2
"""Clocks may differ by a second, and seconds are rounded."""

_KEY = b"t"
"""Before each ticket: a partition's key may not be empty."""

_USE = Cql("INSERT INTO used_tickets (id, until_ms) VALUES (?, ?) IF NOT EXISTS USING TTL ?")


class CassandraUsedTickets:
    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        """A ticket that is good for more than TTL_S_MAX is refused with ValueError: it would be forgotten too early.

        Where the outcome of the decision is unknown, the ticket counts as used.
        """
        ttl_s = max(until_ms - now_ms, 0) // 1_000 + SPARE_S
        if ttl_s > TTL_S_MAX:
            raise ValueError(f"a ticket is good for at most {TTL_S_MAX} s, this one for {ttl_s}")
        return (await self._session.decide([_USE(_KEY + id, until_ms, ttl_s)])).applied
