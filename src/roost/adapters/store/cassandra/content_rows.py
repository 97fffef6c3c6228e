"""An owner's contents in one partition whose changes come one after the other.

adapters/store/cassandra/contents -> (here)

The quota, and who takes a content (a tweet, a profile, the sweeper), are decided on the whole partition: its row of
id '' has a stamp and the sum of the bytes, and a change applies only where the stamp is still the one that it read.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

import msgspec

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.domain.content import Content
from roost.domain.errors import Overloaded
from roost.domain.ids import ContentId, TweetId, UserId

TURNS_MAX = 40
TURN_S_MAX = 0.05

_SEEN = Cql(
    "SELECT content_id, stamp, writer, used_bytes, tweet_id, claimed_ms, profile, body FROM contents"
    " WHERE owner = ? AND content_id IN ?"
)
_OF_OWNER = Cql(
    "SELECT content_id, stamp, writer, used_bytes, tweet_id, claimed_ms, profile, body FROM contents"
    " WHERE owner = ? AND content_id > ? LIMIT ?"
)
_STEP = Cql(
    "UPDATE contents SET stamp = ?, writer = ?, used_bytes = ? WHERE owner = ? AND content_id = ''"
    " IF stamp = ? AND writer = ?"
)
_PUT = Cql(
    "INSERT INTO contents (owner, content_id, version, tweet_id, claimed_ms, profile, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_DROP = Cql("DELETE FROM contents WHERE owner = ? AND content_id = ?")
_OWNER = Cql("SELECT owner FROM content_owners WHERE content_id = ?")

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Content).decode


@dataclass(frozen=True, slots=True)
class Kept:
    """A content and who has it: a tweet (in the content itself), or a profile. `claimed_ms` is when that was said."""

    content: Content
    claimed_ms: int | None = None
    profile: UserId | None = None


@dataclass(frozen=True, slots=True)
class OwnersPartition:
    """An owner's partition as it was read: some of its rows, and what orders its changes."""

    owner: UserId
    stamp: int | None = None
    writer: int | None = None
    used_bytes: int = 0
    kept: dict[ContentId, Kept] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Changes of one partition that belong together."""

    seen: OwnersPartition
    puts: list[Kept] = field(default_factory=list)
    drops: list[Kept] = field(default_factory=list)

    @property
    def used_bytes(self) -> int:
        """After the changes."""
        puts = sum(put.content.quota_bytes - self._taken(put.content.id) for put in self.puts)
        return self.seen.used_bytes + puts - sum(self._taken(drop.content.id) for drop in self.drops)

    @property
    def is_empty(self) -> bool:
        return not (self.puts or self.drops)

    def _taken(self, id: ContentId) -> int:
        kept = self.seen.kept.get(id)
        return 0 if kept is None else kept.content.quota_bytes


PlanFor = Callable[[OwnersPartition], Awaitable[Plan]]


class ContentRows:
    def __init__(self, session: CassandraSession, now_ms: Callable[[], int]) -> None:
        self._session = session
        self._now_ms = now_ms
        self._writer = secrets.randbits(62)
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def owners(self, ids: Collection[ContentId]) -> dict[UserId, list[ContentId]]:
        """Whose these are; the missing are in no list."""
        some = [id for id in dict.fromkeys(ids) if id]
        rows = await each_of(lambda content: self._session.row(_OWNER, content), some)
        found: dict[UserId, list[ContentId]] = {}
        for id, row in zip(some, rows, strict=True):
            if row is not None:
                found.setdefault(UserId(row[0]), []).append(id)
        return found

    async def get_many(self, ids: Collection[ContentId]) -> dict[ContentId, Kept]:
        owners = await self.owners(ids)
        parts = await each_of(lambda owner: self.read(owner, owners[owner]), list(owners))
        kept = {id: row for part in parts for id, row in part.kept.items()}
        return {id: kept[id] for id in ids if id in kept}

    async def of_owner(self, owner: UserId, after: ContentId | None, limit: int) -> Sequence[Kept]:
        return [_kept(row) for row in await self._session.rows(_OF_OWNER, owner, after or "", limit)]

    async def read(self, owner: UserId, ids: Collection[ContentId]) -> OwnersPartition:
        rows = await self._session.rows(_SEEN, owner, ["", *ids])
        kept = {ContentId(row[0]): _kept(row) for row in rows if row[0]}
        head = next((row for row in rows if not row[0]), None)
        if head is None:
            return OwnersPartition(owner, kept=kept)
        _, stamp, writer, used_bytes, *_ = head
        return OwnersPartition(owner, stamp, writer, used_bytes, kept)

    async def change(self, owner: UserId, ids: Collection[ContentId], plan_for: PlanFor) -> Plan:
        """Do what is planned for the partition as it stands; the plan that was done, or an empty one.

        Raises what `plan_for` raises, and Overloaded where others get in between TURNS_MAX times.
        """
        async with self._turns.setdefault(owner, asyncio.Lock()):
            for turn in range(TURNS_MAX):
                plan = await plan_for(await self.read(owner, ids))
                if plan.is_empty or await self._apply(plan):
                    return plan
                await asyncio.sleep(TURN_S_MAX * secrets.randbelow(turn + 1) / TURNS_MAX)
        raise Overloaded("too many changes of one user's contents at once")

    async def _apply(self, plan: Plan) -> bool:
        seen = plan.seen
        stamp = max(self._now_ms() * 1_000, (seen.stamp or 0) + 1)
        statements: list[Bound] = [
            _STEP(stamp, self._writer, plan.used_bytes, seen.owner, seen.stamp, seen.writer),
            *(_put(each) for each in plan.puts),
            *(_DROP(seen.owner, each.content.id) for each in plan.drops),
        ]
        decision = await self._session.decide(statements)
        kept = decision.kept
        return decision.applied or (kept.get("stamp"), kept.get("writer")) == (stamp, self._writer)


def _put(kept: Kept) -> Bound:
    content = kept.content
    row = (content.version, content.tweet_id, kept.claimed_ms, kept.profile, _ENCODE(content))
    return _PUT(content.owner, content.id, *row)


def _kept(row: Row) -> Kept:
    _, _, _, _, tweet_id, claimed_ms, profile, body = row
    content = replace(_DECODE(bytes(body)), tweet_id=None if tweet_id is None else TweetId(tweet_id))
    return Kept(content, claimed_ms, None if profile is None else UserId(profile))
