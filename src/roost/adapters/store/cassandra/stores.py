"""All stores over one session, with the outbox that they share.

assembly -> (here)
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from roost.adapters.store.cassandra.accounts import CassandraAccountStore
from roost.adapters.store.cassandra.celebrities import CassandraCelebrityStore
from roost.adapters.store.cassandra.contents import CassandraContentStore
from roost.adapters.store.cassandra.counts import CassandraCountStore
from roost.adapters.store.cassandra.likes import CassandraLikeStore
from roost.adapters.store.cassandra.notifications import CassandraNotificationStore
from roost.adapters.store.cassandra.outbox import GRACE_MS_DEFAULT, Announce, CassandraOutbox
from roost.adapters.store.cassandra.relations import CassandraRelationStore
from roost.adapters.store.cassandra.reports import CassandraReportStore
from roost.adapters.store.cassandra.session import CassandraSession
from roost.adapters.store.cassandra.sessions import CassandraSessionStore
from roost.adapters.store.cassandra.spans import Spans
from roost.adapters.store.cassandra.tokens import CassandraOneTimeTokenStore
from roost.adapters.store.cassandra.tweets import CassandraTweetStore
from roost.adapters.store.cassandra.used_tickets import CassandraUsedTickets
from roost.domain.ids import Position


@dataclass(frozen=True, slots=True)
class CassandraStores:
    """Every port of the system of record."""

    outbox: CassandraOutbox
    tweets: CassandraTweetStore
    relations: CassandraRelationStore
    likes: CassandraLikeStore
    notifications: CassandraNotificationStore
    counts: CassandraCountStore
    celebrities: CassandraCelebrityStore
    accounts: CassandraAccountStore
    sessions: CassandraSessionStore
    tokens: CassandraOneTimeTokenStore
    contents: CassandraContentStore
    reports: CassandraReportStore
    used_tickets: CassandraUsedTickets


@asynccontextmanager
async def cassandra_stores(
    session: CassandraSession,
    now_ms: Callable[[], int],
    announce: Announce,
    *,
    before_all: Position = Position("0"),  # noqa: B008 - a constant
    grace_ms: int = GRACE_MS_DEFAULT,
) -> AsyncIterator[CassandraStores]:
    """The stores over an open session, which stays open. `announce`, `before_all` and `grace_ms` are the outbox's."""
    outbox = CassandraOutbox(session, now_ms, announce, before_all=before_all, grace_ms=grace_ms)
    spans = Spans(session)
    contents = CassandraContentStore(session, spans, outbox)
    try:
        yield CassandraStores(
            outbox=outbox,
            tweets=CassandraTweetStore(session, spans, outbox, contents),
            relations=CassandraRelationStore(session, outbox),
            likes=CassandraLikeStore(session, spans, outbox),
            notifications=CassandraNotificationStore(session, spans, outbox),
            counts=CassandraCountStore(session, spans, outbox),
            celebrities=CassandraCelebrityStore(session, outbox),
            accounts=CassandraAccountStore(session, spans, outbox, contents),
            sessions=CassandraSessionStore(session, outbox),
            tokens=CassandraOneTimeTokenStore(session),
            contents=contents,
            reports=CassandraReportStore(session, spans, outbox),
            used_tickets=CassandraUsedTickets(session),
        )
    finally:
        await outbox.close()
