"""Every adapter of the stores of accounts, sessions, tokens, relations, contents and reports under contract.

A new adapter is one new line in STORES.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.cassandra_server import stores_of
from roost.adapters.event_codec import decode_event
from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.memory.accounts import MemoryAccountStore
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.adapters.store.memory.reports import MemoryReportStore
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.adapters.store.sqlite import accounts, contents, relations, reports, sessions
from roost.domain.content import Blob, Content, Digest, MediaType
from roost.domain.errors import Refused
from roost.domain.events import Event
from roost.domain.ids import ContentId, Position, TweetId, UserId, Version
from roost.domain.user import Account, Session, User
from roost.ports.accounts import AccountStore, OneTimeTokenStore, SessionStore
from roost.ports.contents import ContentStore
from roost.ports.relations import RelationStore
from roost.ports.reports import ReportStore

SCHEMAS = (accounts.SCHEMA, sessions.SCHEMA, relations.SCHEMA, contents.SCHEMA, reports.SCHEMA)

ANA, BEN, CEM, DEE = (UserId(id) for id in (101, 102, 103, 104))


@dataclass(frozen=True)
class Stores:
    """The stores over one piece of storage; `left` answers all events that they left for the log, in order.

    `put_in_tweet` does what TweetStore.add does to the contents of a tweet.
    """

    accounts: AccountStore
    sessions: SessionStore
    tokens: OneTimeTokenStore
    relations: RelationStore
    contents: ContentStore
    reports: ReportStore
    left: Callable[[], list[Event]]
    put_in_tweet: Callable[[ContentId, UserId, TweetId], Awaitable[None]]


def memory_stores(
    *,
    account_store: type[MemoryAccountStore] = MemoryAccountStore,
    session_store: type[MemorySessionStore] = MemorySessionStore,
    token_store: type[MemoryOneTimeTokenStore] = MemoryOneTimeTokenStore,
    relation_store: type[MemoryRelationStore] = MemoryRelationStore,
    content_store: type[MemoryContentStore] = MemoryContentStore,
    report_store: type[MemoryReportStore] = MemoryReportStore,
) -> Stores:
    events: list[Event] = []

    def leave(facts: Sequence[Event]) -> Position:
        events.extend(facts)
        return Position(str(len(events)))

    session_rows, token_rows = session_store(leave), token_store()
    account_rows = account_store(leave, session_rows, token_rows)
    content_rows = content_store(account_rows.is_avatar)

    async def put_in_tweet(id: ContentId, owner: UserId, tweet_id: TweetId) -> None:
        content_rows.claim(owner, [id], tweet_id)

    return Stores(
        account_rows,
        session_rows,
        token_rows,
        relation_store(leave),
        content_rows,
        report_store(),
        lambda: list(events),
        put_in_tweet,
    )


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[Stores]:
    yield memory_stores()


@asynccontextmanager
async def in_sqlite(folder: Path) -> AsyncIterator[Stores]:
    file = await SqliteFile(folder / "roost.db", lambda: 1, synchronous="OFF").open(*SCHEMAS)

    def left() -> list[Event]:
        rows = file.reader.execute("SELECT kind, body FROM log ORDER BY seq").fetchall()
        return [event for kind, body in rows if (event := decode_event(kind, body)) is not None]

    async def put_in_tweet(id: ContentId, owner: UserId, tweet_id: TweetId) -> None:
        claim = "UPDATE contents SET tweet_id = ? WHERE content_id = ? AND owner = ? AND tweet_id IS NULL"
        await file.write(lambda connection: connection.execute(claim, (tweet_id, id, owner)).rowcount)

    try:
        yield Stores(
            accounts.SqliteAccountStore(file),
            sessions.SqliteSessionStore(file),
            sessions.SqliteOneTimeTokenStore(file),
            relations.SqliteRelationStore(file),
            contents.SqliteContentStore(file),
            reports.SqliteReportStore(file),
            left,
            put_in_tweet,
        )
    finally:
        await file.close()


@asynccontextmanager
async def in_cassandra(_: Path) -> AsyncIterator[Stores]:
    events: list[Event] = []

    async def announce(facts: Sequence[Event]) -> Position:
        events.extend(facts)
        return Position(str(len(events)))

    async with stores_of(announce) as (_session, stores):

        async def put_in_tweet(id: ContentId, owner: UserId, tweet_id: TweetId) -> None:
            await stores.contents.claim(owner, [id], tweet_id)

        yield Stores(
            stores.accounts,
            stores.sessions,
            stores.tokens,
            stores.relations,
            stores.contents,
            stores.reports,
            lambda: list(events),
            put_in_tweet,
        )


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Stores]]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
    "cassandra": in_cassandra,
}

Promise = Callable[[Stores], Awaitable[None]]


async def is_caught(stores: Stores, promise: Promise) -> None:
    """A promise that saboteurs break fails: by an assertion, by a refusal out of place or by the lack of one."""
    with pytest.raises((AssertionError, Refused, pytest.fail.Exception)):
        await promise(stores)


def user(id: UserId = ANA, username: str = "ana", version: int = 1) -> User:
    return User(id, username, display_name=username.title(), created_ms=1_000, version=Version(version), bio="hello")


def account(id: UserId = ANA, email: str = "ana@example.org") -> Account:
    return Account(id, email, email.lower(), "+31612345678", password_hash="hash of a password")


def session(id: str = "s1", owner: UserId = ANA, *, created_ms: int = 1_000, last_used_ms: int = 1_000) -> Session:
    return Session(
        id,
        owner,
        f"token of {id}".encode(),
        created_ms,
        last_used_ms,
        expires_ms=9_000,
        client="a browser",
        csrf_hash=b"c",
    )


def pending(id: str, owner: UserId = ANA, *, created_ms: int = 1_000, reserved_bytes: int = 100) -> Content:
    return Content(ContentId(id), owner, created_ms, "a cat", reserved_bytes, Version(1))


def ready(
    id: str,
    owner: UserId = ANA,
    *,
    digest: str = "d1",
    preview: str = "p1",
    byte_size: int = 60,
    created_ms: int = 1_000,
) -> Content:
    return pending(id, owner, created_ms=created_ms).completed(
        Blob(Digest(digest), byte_size, MediaType.JPEG),
        Blob(Digest(preview), 40, MediaType.WEBP),
        width=640,
        height=480,
        duration_ms=None,
        version=Version(2),
    )
