"""All stores of one node with the log that they leave their events on: in memory, or in one SQLite file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from roost.adapters.clock.manual import ManualClock
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.memory.accounts import MemoryAccountStore
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.adapters.store.memory.counts import MemoryCountStore
from roost.adapters.store.memory.likes import MemoryLikeStore
from roost.adapters.store.memory.notifications import MemoryNotificationStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.adapters.store.memory.reports import MemoryReportStore
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.adapters.store.memory.tweets import MemoryTweetStore
from roost.assembly.embedded import SCHEMAS, stores_over
from roost.assembly.engines import Stores
from roost.ports.log import EventLog


@dataclass(frozen=True)
class Ground:
    """What outlives a restart."""

    stores: Stores
    log: EventLog
    clock: ManualClock


def in_memory() -> Ground:
    clock = ManualClock()
    log = MemoryEventLog(clock.now_ms)
    sessions, tokens = MemorySessionStore(log.leave), MemoryOneTimeTokenStore()
    accounts = MemoryAccountStore(log.leave, sessions, tokens)
    contents = MemoryContentStore(accounts.is_avatar)
    tweets, likes = MemoryTweetStore(log.leave, contents), MemoryLikeStore(log.leave)
    relations = MemoryRelationStore(log.leave)
    stores = Stores(
        accounts=accounts,
        sessions=sessions,
        tokens=tokens,
        tweets=tweets,
        relations=relations,
        likes=likes,
        notifications=MemoryNotificationStore(log.leave),
        counts=MemoryCountStore(log.leave, tweets, likes, relations),
        celebrities=MemoryCelebrityStore(log.leave),
        contents=contents,
        reports=MemoryReportStore(),
    )
    return Ground(stores, log, clock)


@asynccontextmanager
async def in_sqlite(folder: Path) -> AsyncIterator[Ground]:
    clock = ManualClock()
    file = await SqliteFile(folder / "roost.db", clock.now_ms, synchronous="OFF").open(*SCHEMAS)
    log = await SqliteEventLog(file).open()
    try:
        yield Ground(stores_over(file), log, clock)
    finally:
        await log.close()
        await file.close()
