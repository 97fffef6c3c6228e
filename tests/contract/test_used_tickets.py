"""The UsedTickets contract, and saboteurs that it must catch."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from contract.cassandra_server import stores_of
from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.memory.used_tickets import MemoryUsedTickets
from roost.adapters.store.sqlite import used_tickets
from roost.domain.events import Event
from roost.ports.used_tickets import UsedTickets

NOW_MS = 1_700_000_000_000
GOOD_FOR_MS = 30_000
UNTIL_MS = NOW_MS + GOOD_FOR_MS


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[UsedTickets]:
    yield MemoryUsedTickets()


@asynccontextmanager
async def in_sqlite(folder: Path) -> AsyncIterator[UsedTickets]:
    file = await SqliteFile(folder / "roost.db", lambda: NOW_MS).open(used_tickets.SCHEMA)
    try:
        yield used_tickets.SqliteUsedTickets(file)
    finally:
        await file.close()


@asynccontextmanager
async def in_cassandra(_: Path) -> AsyncIterator[UsedTickets]:
    async def announce(_: Sequence[Event]) -> None:
        """Tickets leave no events."""

    async with stores_of(announce) as (_session, stores):
        yield stores.used_tickets


ADAPTERS: dict[str, Callable[[Path], AbstractAsyncContextManager[UsedTickets]]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
    "cassandra": in_cassandra,
}


@pytest.fixture(params=ADAPTERS)
async def tickets(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UsedTickets]:
    async with ADAPTERS[request.param](tmp_path) as opened:
        yield opened


async def test_a_ticket_is_good_once(tickets: UsedTickets) -> None:
    assert await tickets.use(b"one", UNTIL_MS, NOW_MS)
    assert not await tickets.use(b"one", UNTIL_MS, NOW_MS)
    assert not await tickets.use(b"one", UNTIL_MS, UNTIL_MS), "up to its end, that moment included"


async def test_tickets_are_told_apart_whatever_bytes_they_have(tickets: UsedTickets) -> None:
    for id in (b"one", b"One", b"one\0", b"", bytes(range(256))):
        assert await tickets.use(id, UNTIL_MS, NOW_MS)


async def test_of_all_who_ask_at_once_one_hears_that_he_is_first(tickets: UsedTickets) -> None:
    asked = await asyncio.gather(*(tickets.use(b"one", UNTIL_MS, NOW_MS) for _ in range(50)))
    assert sorted(asked) == [*[False] * 49, True]


async def test_many_that_end_leave_the_good_ones_used(tickets: UsedTickets) -> None:
    assert await tickets.use(b"good", UNTIL_MS, NOW_MS)
    for number in range(50):
        assert await tickets.use(b"short %d" % number, NOW_MS + 1, NOW_MS)
    later_ms = NOW_MS + 1_000
    for number in range(20):
        assert await tickets.use(b"later %d" % number, UNTIL_MS + 1_000, later_ms)
    assert not await tickets.use(b"good", UNTIL_MS, later_ms)


async def test_a_used_ticket_stays_used_after_a_restart(tmp_path: Path) -> None:
    async with in_sqlite(tmp_path) as opened:
        assert await opened.use(b"one", UNTIL_MS, NOW_MS)
    async with in_sqlite(tmp_path) as opened:
        assert not await opened.use(b"one", UNTIL_MS, NOW_MS)


async def test_what_is_void_does_not_pile_up(tmp_path: Path) -> None:
    async with in_sqlite(tmp_path) as opened:
        for step, number in itertools.product(range(20), range(50)):
            now_ms = NOW_MS + step * 2 * GOOD_FOR_MS
            assert await opened.use(b"%d %d" % (step, number), now_ms + GOOD_FOR_MS, now_ms)
    async with _file(tmp_path) as file:
        ((kept,),) = file.rows("SELECT count(*) FROM used_tickets")
    assert kept <= 50 + used_tickets.FORGOTTEN_A_USE_MAX


@asynccontextmanager
async def _file(folder: Path) -> AsyncIterator[SqliteFile]:
    file = await SqliteFile(folder / "roost.db", lambda: NOW_MS).open()
    try:
        yield file
    finally:
        await file.close()


class NeverRemembers(MemoryUsedTickets):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        return True


class IgnoresTheCase(MemoryUsedTickets):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        return await super().use(id.lower(), until_ms, now_ms)


class LooksThenKeeps(MemoryUsedTickets):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        known = id in self._until_ms
        await asyncio.sleep(0)
        self._until_ms[id] = until_ms
        return not known


class ForgetsATickTooEarly(MemoryUsedTickets):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        return await super().use(id, until_ms, now_ms + 1)


class ForgetsAllWithTheVoid(MemoryUsedTickets):
    async def use(self, id: bytes, until_ms: int, now_ms: int) -> bool:
        if any(end_ms < now_ms for end_ms in self._until_ms.values()):
            self._until_ms.clear()
        return await super().use(id, until_ms, now_ms)


@pytest.mark.parametrize(
    ("saboteur", "promise"),
    [
        (NeverRemembers, test_a_ticket_is_good_once),
        (ForgetsATickTooEarly, test_a_ticket_is_good_once),
        (IgnoresTheCase, test_tickets_are_told_apart_whatever_bytes_they_have),
        (LooksThenKeeps, test_of_all_who_ask_at_once_one_hears_that_he_is_first),
        (ForgetsAllWithTheVoid, test_many_that_end_leave_the_good_ones_used),
    ],
)
async def test_a_wrong_adapter_is_caught(
    saboteur: type[MemoryUsedTickets], promise: Callable[[UsedTickets], Awaitable[None]]
) -> None:
    with pytest.raises(AssertionError):
        await promise(saboteur())
