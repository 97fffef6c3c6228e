"""Leases of node numbers: one partition, changed by decisions only, whose times are the cluster's own."""

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import Overloaded
from roost.domain.ids import NODES
from roost.ports.leases import RELET_MS, NodeLease

TRIES_MAX = 50
"""Others take numbers at the same time: each turn somebody gets one."""

_ALL = Cql("SELECT number, at_ms, last_ms, holder FROM node_leases WHERE one = 0")
_NEW = Cql("INSERT INTO node_leases (one, number, holder, at_ms, last_ms) VALUES (0, ?, ?, ?, ?) IF NOT EXISTS")
_TAKE_OVER = Cql(
    "UPDATE node_leases SET holder = ?, at_ms = ?, last_ms = ? WHERE one = 0 AND number = ? IF holder = ? AND at_ms = ?"
)
_RENEW = Cql("UPDATE node_leases SET at_ms = ?, last_ms = ? WHERE one = 0 AND number = ? IF holder = ?")
_NOW = Cql("SELECT toUnixTimestamp(now()) FROM schema_version WHERE one = 0")


class CassandraNodeLeases:
    """Implements ports.leases.NodeLeases."""

    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def take(self, holder: str) -> NodeLease:
        for _ in range(TRIES_MAX):
            now_ms = await self.now_ms()
            rows = {number: row for number, *row in await self._session.rows(_ALL)}
            free = next((n for n in range(NODES) if n not in rows or rows[n][0] < now_ms - RELET_MS), None)
            if free is None:
                raise Overloaded(f"all {NODES} node numbers are taken")
            if free not in rows:
                at_ms, last_ms = 0, 0
                taken = await self._session.decide([_NEW(free, holder, now_ms, last_ms)])
            else:
                at_ms, last_ms, other = rows[free]
                taken = await self._session.decide([_TAKE_OVER(holder, now_ms, last_ms, free, other, at_ms)])
            if taken.applied or taken.kept.get("holder") == holder:
                return NodeLease(free, last_ms)
        raise Overloaded("too many processes want a node number at once")

    async def renew(self, number: int, holder: str, last_ms: int) -> bool:
        decided = await self._session.decide([_RENEW(await self.now_ms(), last_ms, number, holder)])
        return decided.applied

    async def release(self, number: int, holder: str, last_ms: int) -> None:
        await self._session.decide([_RENEW(0, last_ms, number, holder)])

    async def now_ms(self) -> int:
        row = await self._session.row(_NOW)
        return 0 if row is None else int(row[0])
