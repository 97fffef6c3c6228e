"""What leads to contents but by their owner: their ids, the digests that they name, and the time of their creation.

adapters/store/cassandra/contents -> (here)
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass

from roost.adapters.store.cassandra.buckets import bucket_of
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.adapters.store.cassandra.spans import Spans
from roost.domain.content import Content, Digest

LIST, PARTS = "contents_waiting", 16
SLOT_MS = 600_000
"""Ten minutes: at the greatest load that is planned for, some 5,000 rows a part."""
SLOT_PAST_MS = 86_400_000
"""Nobody writes to a slot that began longer ago."""
LOOKED_AT_ONCE = 100

_PUT_OWNER = Cql("INSERT INTO content_owners (content_id, owner) VALUES (?, ?)")
_DROP_OWNER = Cql("DELETE FROM content_owners WHERE content_id = ?")
_PUT_NAME = Cql("INSERT INTO digest_names (digest, content_id) VALUES (?, ?)")
_DROP_NAME = Cql("DELETE FROM digest_names WHERE digest = ? AND content_id = ?")
_NAMED = Cql("SELECT content_id FROM digest_names WHERE digest = ? LIMIT 1")
_PUT_WAITING = Cql("INSERT INTO contents_waiting (slot, part, created_ms, content_id, owner) VALUES (?, ?, ?, ?, ?)")
_DROP_WAITING = Cql("DELETE FROM contents_waiting WHERE slot = ? AND part = ? AND created_ms = ? AND content_id = ?")
_WAITING = Cql(
    "SELECT created_ms, content_id, owner FROM contents_waiting WHERE slot = ? AND part = ? AND created_ms < ?"
)


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A content that was in no tweet when it was added."""

    created_ms: int
    content_id: str
    owner: int

    @property
    def place(self) -> tuple[int, int, int, str]:
        part = bucket_of(self.owner, PARTS)
        return (self.created_ms // SLOT_MS, part, self.created_ms, self.content_id)


class ContentTraces:
    def __init__(self, session: CassandraSession, spans: Spans, now_ms: Callable[[], int]) -> None:
        self._session = session
        self._spans = spans
        self._now_ms = now_ms

    async def leave(self, content: Content) -> None:
        """Repeatable."""
        waiting = _waiting(content)
        rows = [_PUT_OWNER(content.id, content.owner), _PUT_WAITING(*waiting.place, waiting.owner)]
        rows += [_PUT_NAME(digest, content.id) for digest in digests_of(content)]
        await self._spans.write(rows, [(LIST, 0, waiting.place[0])])

    async def forget(self, content: Content) -> None:
        """The content is gone."""
        rows = [_DROP_OWNER(content.id), _DROP_WAITING(*_waiting(content).place)]
        rows += [_DROP_NAME(digest, content.id) for digest in digests_of(content)]
        await self._session.write_together(rows)

    async def forget_waiting(self, waiting: Waiting) -> None:
        """The content is in a tweet for good, or gone."""
        await self._session.write(_DROP_WAITING, *waiting.place)

    async def waiting(self, created_before_ms: int) -> AsyncIterator[Sequence[Waiting]]:
        """Those that were created before, oldest first, LOOKED_AT_ONCE at a time."""
        for slot in await self._spans.of(LIST, 0):
            if slot * SLOT_MS >= created_before_ms:
                break
            reads = [(slot, part, created_before_ms) for part in range(PARTS)]
            answers = await each_of(lambda read: self._session.rows(_WAITING, *read), reads)
            found = sorted(Waiting(*row) for rows in answers for row in rows)
            if not found and (slot + 1) * SLOT_MS < min(created_before_ms, self._now_ms() - SLOT_PAST_MS):
                await self._spans.forget(LIST, 0, slot)
            for at in range(0, len(found), LOOKED_AT_ONCE):
                yield found[at : at + LOOKED_AT_ONCE]

    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        some = list(dict.fromkeys(digests))
        rows = await each_of(lambda digest: self._session.row(_NAMED, digest), some)
        return {digest for digest, row in zip(some, rows, strict=True) if row is not None}


def digests_of(content: Content) -> list[Digest]:
    """The bytes that a content names."""
    return list(dict.fromkeys(blob.digest for blob in (content.original, content.preview) if blob is not None))


def _waiting(content: Content) -> Waiting:
    return Waiting(content.created_ms, content.id, content.owner)
