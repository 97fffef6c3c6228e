"""One session with a Cassandra cluster: prepared statements, bounds, and the driver's errors in the core's words.

adapters/store/cassandra/* -> (here) -> the driver

Reads and plain writes go by LOCAL_QUORUM, decisions (lightweight transactions) by LOCAL_SERIAL. Each request waits
at most REQUEST_S_MAX and there are at most IN_FLIGHT_MAX of them at once. Tables that decisions write are written
by decisions alone: their timestamps come from the ballots, which know nothing of a client's clock.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, Self, TypeVar

import acsylla  # type: ignore[import-untyped]  # the driver has no types of its own
from acsylla import errors

from roost.adapters.store.cassandra import schema
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.signing_in import NOBODY, SigningIn
from roost.domain.errors import DependencyDown, Draining, Overloaded, Unavailable

T = TypeVar("T")
Row = tuple[Any, ...]

CONNECT_S_MAX = 10.0
REQUEST_S_MAX = 10.0
IN_FLIGHT_MAX = 256
"""Requests under way from here: what one connection carries well."""
WAITING_MAX = 20_000
"""Requests that wait for their turn: one walk over many authors asks some thousands at once."""
ASK_ANOTHER_MS, OTHERS_MAX = 500, 2
"""What may be repeated is asked of another node where the first is silent for so long: one that hangs holds up none."""
ROWS_A_PAGE = 1_000
DECIDE_TRIES_MAX = 3
"""A decision whose outcome is unknown is asked for again, which tells what became of it."""
NODE_S_MAX = 2.0
LOOKS = 8
_PEERS = Cql("SELECT native_address FROM system.peers_v2", walks=True)
_OWN_TOKENS = Cql("SELECT rpc_address, tokens FROM system.local", walks=True)
_PEERS_TOKENS = Cql("SELECT native_address, tokens FROM system.peers_v2", walks=True)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a lightweight transaction. Where it was not applied, `kept` has the columns that stand."""

    applied: bool
    kept: dict[str, Any]


class CassandraSession:
    """Made for one event loop. `open` it before use and `close` it in the end."""

    def __init__(
        self,
        contact_points: Sequence[str],
        port: int,
        keyspace: str,
        *,
        datacenter: str = "",
        replicas: int = 3,
        signing_in: SigningIn = NOBODY,
    ) -> None:
        """`datacenter` is the local one where there are several; `replicas` counts for a keyspace that is created.

        Raises ValueError where the keyspace's name is none.
        """
        if not _NAME.fullmatch(keyspace):
            raise ValueError(f"{keyspace!r} is no name of a keyspace: a letter, then at most 47 of a-z, 0-9 and _")
        self.keyspace = keyspace
        self._contact_points = list(contact_points)
        self._port = port
        self._datacenter = datacenter
        self._replicas = replicas
        self._signing_in = signing_in
        self._driver: Any = None
        self._prepared: dict[str, asyncio.Future[Any]] = {}
        self._turns = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._waiting = 0

    async def open(self) -> Self:
        """Connect, and create the keyspace and the tables that are missing.

        Raises DependencyDown where no node answers or a newer program has been here.
        """
        try:
            self._driver = await self._connected()
            await self._settle_schema()
        except errors.CassException as error:
            await self.close()
            raise DependencyDown(f"Cassandra cannot be used: {_sentence(error)}") from error
        except DependencyDown:
            await self.close()
            raise
        return self

    async def close(self) -> None:
        """What is asked afterwards is refused with Draining."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def nodes(self) -> tuple[int, int]:
        """How many nodes answer the one that is asked, and how many there are. Raises DependencyDown."""
        peers = await self.rows(_PEERS)
        up = 1 + sum([await self._answers(str(address)) for (address,) in peers])
        return up, 1 + len(peers)

    async def tokens(self) -> dict[str, list[int]]:
        """The tokens of each node, by address. Raises DependencyDown."""
        found: dict[str, list[int]] = {}
        # A node knows itself and its peers by different tables, and two questions may go to two nodes.
        for _ in range(LOOKS):
            rows = [*await self.rows(_OWN_TOKENS), *await self.rows(_PEERS_TOKENS)]
            found |= {str(address): [int(token) for token in tokens] for address, tokens in rows}
        return found

    async def _answers(self, address: str) -> bool:
        try:
            async with asyncio.timeout(NODE_S_MAX):
                _, writer = await asyncio.open_connection(address, self._port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    async def rows(self, cql: Cql, *values: Any) -> list[Row]:
        """All rows of a statement, page by page: the statement's LIMIT or its partition bounds them."""
        found: list[Row] = []
        state: bytes | None = None
        while True:
            result = await self._execute(cql, values, state)
            found += [row.as_tuple() for row in result.all()]
            if not result.has_more_pages():
                return found
            state = result.page_state()

    async def row(self, cql: Cql, *values: Any) -> Row | None:
        """The only row of a statement, if there is one."""
        rows = await self.rows(cql, *values)
        return rows[0] if rows else None

    async def write(self, cql: Cql, *values: Any) -> None:
        """A plain write. Repeating it does no harm, so the driver may."""
        await self._execute(cql, values, None)

    async def write_together(self, statements: Sequence[Bound], at_us: int | None = None) -> None:
        """All of them, or after a crash all of them a little later: a logged batch. Of two writes of one row the one
        with the greater time stands: `at_us` is it, where this process's clock must not decide.
        """
        if not statements:
            return
        batch = acsylla.create_batch_logged() if len(statements) > 1 else acsylla.create_batch_unlogged()
        batch.set_is_idempotent(True)
        if at_us is not None:
            batch.set_timestamp(at_us)
        await self._run_batch(batch, statements)

    async def decide(self, statements: Sequence[Bound]) -> Decision:
        """A lightweight transaction: one statement with IF, or several of one partition of one table.

        Where the outcome is unknown it is tried again: so what was applied may be answered as not applied, with what
        one wrote oneself among the columns that stand. Callers compare. Raises DependencyDown after DECIDE_TRIES_MAX.
        """
        for tried in range(1, DECIDE_TRIES_MAX + 1):
            try:
                return await self._decide(statements)
            except (Overloaded, Draining):
                raise
            except Unavailable:
                if tried == DECIDE_TRIES_MAX:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _decide(self, statements: Sequence[Bound]) -> Decision:
        if len(statements) == 1:
            result = await self._execute(statements[0].cql, statements[0].values, None)
        else:
            result = await self._run_batch(acsylla.create_batch_unlogged(), statements)
        first = result.first()
        if first is None:
            return Decision(applied=True, kept={})
        kept = first.as_dict()
        return Decision(applied=bool(kept.pop("[applied]")), kept=kept)

    async def _execute(self, cql: Cql, values: Sequence[Any], state: bytes | None) -> Any:
        prepared = await self._prepare(cql)
        statement = prepared.bind(list(values), page_size=ROWS_A_PAGE, page_state=state)
        if not cql.is_decision:
            statement.set_is_idempotent(is_idempotent=True)
        async with self._turn() as driver:
            return await _in_our_words(driver.execute(statement))

    async def _run_batch(self, batch: Any, statements: Sequence[Bound]) -> Any:
        for each in statements:
            batch.add_statement((await self._prepare(each.cql)).bind(list(each.values)))
        async with self._turn() as driver:
            return await _in_our_words(driver.execute_batch(batch))

    async def _prepare(self, cql: Cql) -> Any:
        """The statement as the cluster knows it: asked once, whoever asks first."""
        waiting = self._prepared.get(cql.text)
        if waiting is None or (waiting.done() and (waiting.cancelled() or waiting.exception())):
            waiting = self._prepared[cql.text] = asyncio.ensure_future(self._ask_to_prepare(cql))
        return waiting.result() if waiting.done() else await asyncio.shield(waiting)

    async def _ask_to_prepare(self, cql: Cql) -> Any:
        async with self._turn() as driver:
            return await _in_our_words(driver.create_prepared(cql.text, timeout=REQUEST_S_MAX))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        if self._waiting >= WAITING_MAX:
            raise Overloaded(f"{WAITING_MAX} requests to Cassandra wait already")
        self._waiting += 1
        try:
            async with self._turns:
                if self._driver is None:
                    raise Draining("the session with Cassandra is closed")
                yield self._driver
        finally:
            self._waiting -= 1

    async def _connected(self) -> Any:
        cluster = acsylla.create_cluster(
            self._contact_points,
            port=self._port,
            connect_timeout=CONNECT_S_MAX,
            request_timeout=REQUEST_S_MAX,
            log_level="critical",  # what fails is raised, too
            consistency=acsylla.Consistency.LOCAL_QUORUM,
            serial_consistency=acsylla.Consistency.LOCAL_SERIAL,
            load_balance_dc_aware=self._datacenter or None,
            timestamp_gen="monotonic",
            speculative_execution_policy=acsylla.SpeculativeExecutionPolicy(ASK_ANOTHER_MS, OTHERS_MAX),
            application_name="roost",
            **self._signing_in.options(),
        )
        return await asyncio.wait_for(cluster.create_session(), CONNECT_S_MAX)

    async def _settle_schema(self) -> None:
        """Bring the keyspace to this program's schema. Raises DependencyDown where it has a newer one's."""
        replication = (
            f"{{'class': 'NetworkTopologyStrategy', '{self._datacenter or 'replication_factor'}': {self._replicas}}}"
        )
        await self._tell(schema.KEYSPACE.format(keyspace=self.keyspace, replication=replication))
        await self._driver.set_keyspace(self.keyspace)
        await self._tell(schema.VERSION_TABLE)
        kept = await self.row(schema.KEPT_VERSION)
        version = 0 if kept is None else kept[0]
        if version > schema.VERSION:
            raise DependencyDown(
                f"the keyspace {self.keyspace} has schema version {version}, made by a newer program;"
                f" this one knows up to {schema.VERSION}"
            )
        if version < schema.VERSION:
            for table in schema.TABLES:
                await self._tell(table)
            await self.write(schema.KEEP_VERSION, schema.VERSION)

    async def _tell(self, text: str) -> None:
        await self._driver.execute(acsylla.create_statement(text, timeout=schema.CHANGE_S_MAX))


async def each_of(ask: Callable[[T], Awaitable[Any]], them: Sequence[T]) -> list[Any]:
    """The answers in order: all asked at once, where the session bounds how many are under way."""
    return await asyncio.gather(*(ask(each) for each in them))


async def _in_our_words(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except errors.CassException as error:
        _raise(error)


def _raise(error: Exception) -> NoReturn:
    match error:
        case (
            errors.CassErrorServerOverloaded() | errors.CassErrorLibRequestQueueFull() | errors.CassErrorLibNoStreams()
        ):
            raise Overloaded("Cassandra has more to do than it can") from error
        case errors.CassErrorServerInvalidQuery() | errors.CassErrorServerSyntaxError():
            raise error  # no outage but a fault of ours, which nobody should ask to be repeated
        case _:
            raise DependencyDown(f"Cassandra does not answer: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """What the driver says, without the class names that it puts before it."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
