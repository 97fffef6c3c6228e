"""Every adapter of the stores of tweets, likes, counts, notifications and celebrities, and of the log, under contract.

A new adapter is one new line in STORES.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.cassandra_server import stores_of
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
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.adapters.store.memory.tweets import MemoryTweetStore
from roost.adapters.store.sqlite import (
    accounts,
    celebrities,
    contents,
    counts,
    likes,
    notifications,
    relations,
    sessions,
    tweets,
)
from roost.domain.content import Content
from roost.domain.errors import Refused
from roost.domain.events import Event, TweetDeleted, TweetPosted
from roost.domain.ids import ContentId, Position, TweetId, UserId, Version
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import REF_KEPT_MS, Ref, Tweet
from roost.ports.celebrities import CelebrityStore
from roost.ports.contents import ContentStore
from roost.ports.counts import CountStore
from roost.ports.likes import LikeStore
from roost.ports.log import EventLog
from roost.ports.notifications import NotificationStore
from roost.ports.relations import RelationStore
from roost.ports.tweets import Posted, TweetStore

SCHEMAS = (
    accounts.SCHEMA,
    sessions.SCHEMA,
    relations.SCHEMA,
    contents.SCHEMA,
    tweets.SCHEMA,
    likes.SCHEMA,
    counts.SCHEMA,
    notifications.SCHEMA,
    celebrities.SCHEMA,
)

ANA, BEN, CEM, DEE = (UserId(id) for id in (101, 102, 103, 104))
NOW_MS = 1_700_000_000_000
ALL_EVENTS = 100_000
START = Position("0")


@dataclass(frozen=True)
class Stores:
    """The stores over one piece of storage, and the log that they leave their events on.

    `is_ordered`: of what is asked at once, what was asked first is done first.
    """

    tweets: TweetStore
    likes: LikeStore
    counts: CountStore
    notifications: NotificationStore
    celebrities: CelebrityStore
    relations: RelationStore
    contents: ContentStore
    log: EventLog
    is_ordered: bool = True

    async def left(self) -> list[Event]:
        """All events on the log, in order."""
        logged = await self.log.read(START, ALL_EVENTS)
        assert logged is not None
        return [each.event for each in logged]

    async def post(self, tweet: Tweet, ref: Ref | None = None) -> Posted:
        return await self.tweets.add(tweet, ref, [TweetPosted.of(tweet)])

    async def delete(self, tweet: Tweet, version: int = 1_000) -> Position | None:
        gone = TweetDeleted(tweet.id, tweet.author, Version(version))
        return await self.tweets.delete(tweet, Version(version), [gone])

    async def follow(self, subject: UserId, object: UserId, version: int) -> None:
        await self.relations.add(Relation(RelationKind.FOLLOW, subject, object, Version(version)), following_max=100)


def memory_stores(
    *,
    tweet_store: type[MemoryTweetStore] = MemoryTweetStore,
    like_store: type[MemoryLikeStore] = MemoryLikeStore,
    count_store: type[MemoryCountStore] = MemoryCountStore,
    notification_store: type[MemoryNotificationStore] = MemoryNotificationStore,
    celebrity_store: type[MemoryCelebrityStore] = MemoryCelebrityStore,
    event_log: type[MemoryEventLog] = MemoryEventLog,
) -> Stores:
    log = event_log(lambda: NOW_MS)
    account_rows = MemoryAccountStore(log.leave, MemorySessionStore(log.leave), MemoryOneTimeTokenStore())
    content_rows = MemoryContentStore(account_rows.is_avatar)
    relation_rows = MemoryRelationStore(log.leave)
    tweet_rows, like_rows = tweet_store(log.leave, content_rows), like_store(log.leave)
    return Stores(
        tweet_rows,
        like_rows,
        count_store(log.leave, tweet_rows, like_rows, relation_rows),
        notification_store(log.leave),
        celebrity_store(log.leave),
        relation_rows,
        content_rows,
        log,
    )


@asynccontextmanager
async def in_memory(_: Path) -> AsyncIterator[Stores]:
    yield memory_stores()


@asynccontextmanager
async def in_sqlite(folder: Path) -> AsyncIterator[Stores]:
    file = await SqliteFile(folder / "roost.db", lambda: NOW_MS, synchronous="OFF").open(*SCHEMAS)
    log = await SqliteEventLog(file).open()
    try:
        yield Stores(
            tweets.SqliteTweetStore(file),
            likes.SqliteLikeStore(file),
            counts.SqliteCountStore(file),
            notifications.SqliteNotificationStore(file),
            celebrities.SqliteCelebrityStore(file),
            relations.SqliteRelationStore(file),
            contents.SqliteContentStore(file),
            log,
        )
    finally:
        await log.close()
        await file.close()


@asynccontextmanager
async def in_cassandra(_: Path) -> AsyncIterator[Stores]:
    log = MemoryEventLog(lambda: NOW_MS)
    async with stores_of(log.append) as (_session, stores):
        yield Stores(
            stores.tweets,
            stores.likes,
            stores.counts,
            stores.notifications,
            stores.celebrities,
            stores.relations,
            stores.contents,
            log,
            is_ordered=False,
        )


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Stores]]] = {
    "memory": in_memory,
    "sqlite": in_sqlite,
    "cassandra": in_cassandra,
}

Promise = Callable[[Stores], Awaitable[None]]


async def is_caught(stores: Stores, promise: Promise) -> None:
    """A promise that saboteurs break fails: by an assertion, by what is missing, by a refusal too many or too few."""
    with pytest.raises((AssertionError, KeyError, Refused, pytest.fail.Exception)):
        await promise(stores)


def tweet(id: int, author: UserId = ANA, message: str = "hi", **more: object) -> Tweet:
    return Tweet(TweetId(id), author, message, version=Version(id), **more)  # type: ignore[arg-type]  # as the test says


def reply(id: int, to: Tweet, author: UserId = ANA) -> Tweet:
    return tweet(id, author, reply_to=to.id, reply_to_author=to.author)


def retweet(id: int, of: Tweet, author: UserId = ANA) -> Tweet:
    return tweet(id, author, "", retweet_of=of.id, retweet_of_author=of.author)


def quote(id: int, of: Tweet, author: UserId = ANA) -> Tweet:
    return tweet(id, author, quote_of=of.id, quote_of_author=of.author)


def ref(name: str = "r1", digest: bytes = b"d1", *, user_id: UserId = ANA, at_ms: int = NOW_MS) -> Ref:
    """What a client that posts at that time calls its post."""
    return Ref(user_id, name, digest, expires_ms=at_ms + REF_KEPT_MS)


def content(id: str, owner: UserId = ANA) -> Content:
    return Content(ContentId(id), owner, created_ms=NOW_MS, alt="", reserved_bytes=10, version=Version(1))


def ids(*values: int) -> Sequence[TweetId]:
    return [TweetId(value) for value in values]
