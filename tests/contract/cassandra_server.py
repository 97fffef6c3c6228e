"""A Cassandra of one node for tests; each test finds the tables empty that an earlier one wrote to."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.own_server import OncePerProcess, free_port, run_until_exit
from roost.adapters.clock.system import SystemClock
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.outbox import GRACE_MS_DEFAULT, Announce
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.stores import CassandraStores, cassandra_stores
from roost_cluster.engines.cassandra import Ring, node
from roost_cluster.engines.jvm import QUICK
from roost_cluster.launch import Process

ADDRESS = "127.0.0.1"
KEYSPACE = "contract"
_WRITES_TO = re.compile(r"^(?:INSERT INTO|UPDATE|DELETE .*?FROM|DELETE FROM) (\w+)")
_KEPT_TABLES = frozenset({"schema_version"})
_written: set[str] = set()
_open: list["RecordingSession"] = []


@dataclass(frozen=True)
class CassandraServer:
    ring: Ring
    process: Process


def _start(folder: Path) -> CassandraServer:
    ring = Ring([ADDRESS], free_port(), free_port(), free_port())
    return CassandraServer(ring, run_until_exit(node(ring, 0, folder, sync_at_ack=False, flags=QUICK)))


cassandra_server = OncePerProcess("Cassandra", _start)


class RecordingSession(CassandraSession):
    """Over the tests' keyspace. `asked` are the statements that were run."""

    def __init__(self, keyspace: str = KEYSPACE) -> None:
        super().__init__([ADDRESS], cassandra_server().ring.port, keyspace, replicas=1)
        self.asked: list[Cql] = []

    async def _execute(self, cql: Cql, values: Sequence[Any], state: bytes | None) -> Any:
        self._note(cql)
        return await super()._execute(cql, values, state)

    async def _run_batch(self, batch: Any, statements: Sequence[Bound]) -> Any:
        for each in statements:
            self._note(each.cql)
        return await super()._run_batch(batch, statements)

    def _note(self, cql: Cql) -> None:
        self.asked.append(cql)
        written = _WRITES_TO.match(cql.text)
        if written is not None:
            _written.add(written[1])


async def empty(session: CassandraSession) -> None:
    """Take away what tests wrote."""
    for table in sorted(_written - _KEPT_TABLES):
        await session.write(Cql(f"TRUNCATE {table}"))
    _written.clear()


@asynccontextmanager
async def stores_of(
    announce: Announce, *, grace_ms: int = GRACE_MS_DEFAULT
) -> AsyncIterator[tuple[RecordingSession, CassandraStores]]:
    """The stores over a session of their own. Who opens the first finds the tables empty."""
    session = await RecordingSession().open()
    try:
        if not _open:
            await empty(session)
        _open.append(session)
        async with cassandra_stores(session, SystemClock().now_ms, announce, grace_ms=grace_ms) as stores:
            yield session, stores
    finally:
        _open.remove(session)
        await session.close()
