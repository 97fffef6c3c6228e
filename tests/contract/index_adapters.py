"""The indexes under contract. A new adapter is one new line here."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.solr_server import solr_server
from roost.adapters.index.memory import MemoryTweetIndex, MemoryUserIndex
from roost.adapters.index.solr.collection import Layout
from roost.adapters.index.solr.http import SolrNodes
from roost.adapters.index.solr.tweets import SolrTweetIndex
from roost.adapters.index.solr.users import SolrUserIndex
from roost.adapters.index.sqlite.file import SearchFile
from roost.adapters.index.sqlite.tweets import SqliteTweetIndex
from roost.adapters.index.sqlite.users import SqliteUserIndex
from roost.ports.index import TweetIndex, UserIndex

DEADLINE_MS = 60_000  # a contract says what is answered, not how fast
NOW_MS = 1_795_000_000_000
"""The moment that the contract plays at."""


@dataclass
class StandingClock:
    """A clock for those who ask the hour and measure nothing."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000


@dataclass(frozen=True)
class Indexes:
    tweets: TweetIndex
    users: UserIndex


@asynccontextmanager
async def memory_indexes(folder: Path) -> AsyncIterator[Indexes]:
    yield Indexes(MemoryTweetIndex(), MemoryUserIndex())


@asynccontextmanager
async def sqlite_indexes(folder: Path) -> AsyncIterator[Indexes]:
    file = SearchFile(folder / "search.db", read_deadline_ms=DEADLINE_MS)
    try:
        yield Indexes(SqliteTweetIndex(file, StandingClock()), SqliteUserIndex(file))
    finally:
        await file.close()


@asynccontextmanager
async def solr_indexes(folder: Path) -> AsyncIterator[Indexes]:
    """Empty, and in the one collection each that all tests of this process share."""
    nodes = SolrNodes([solr_server().url], read_deadline_ms=DEADLINE_MS)
    try:
        layout = Layout(prefix="contract")
        indexes = Indexes(
            await SolrTweetIndex(nodes, layout).open(), await SolrUserIndex(nodes, layout, StandingClock()).open()
        )
        await indexes.tweets.clear()
        await indexes.users.clear()
        yield indexes
    finally:
        await nodes.close()


MakeIndexes = Callable[[Path], AbstractAsyncContextManager[Indexes]]

INDEXES: dict[str, MakeIndexes] = {
    "memory": memory_indexes,
    "sqlite": sqlite_indexes,
    "solr": solr_indexes,
}
