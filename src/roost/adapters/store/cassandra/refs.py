"""Clients' own names of their posts: a user's ref has one post, for a day by the clock of who posts.

adapters/store/cassandra/tweets.add -> (here)

Cassandra drops the rows by itself, after 90,000 s: an hour later than they are void.
"""

import contextlib
from typing import Any

from roost.adapters.store.cassandra.bodies import Bodies
from roost.adapters.store.cassandra.claims import TURNS_MAX, kept_or_under_way
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import Invalid, Overloaded, RefReused, RoostError
from roost.domain.ids import Position, TweetId, UserId
from roost.domain.tweet import REF_KEPT_MS, Ref
from roost.ports.tweets import Posted

_OF = Cql("SELECT digest, tweet_id, expires_ms, at_ms FROM refs WHERE user_id = ? AND ref = ?")
_CLAIM = Cql(
    "INSERT INTO refs (user_id, ref, digest, tweet_id, expires_ms, at_ms) VALUES (?, ?, ?, ?, ?, ?)"
    " IF NOT EXISTS USING TTL 90000"
)
_TAKE_OVER = Cql(
    "UPDATE refs USING TTL 90000 SET digest = ?, tweet_id = ?, expires_ms = ?, at_ms = ?"
    " WHERE user_id = ? AND ref = ? IF tweet_id = ? AND expires_ms = ?"
)
_RELEASE = Cql("DELETE FROM refs WHERE user_id = ? AND ref = ? IF tweet_id = ?")
_NOTE_POSITION = Cql(
    "INSERT INTO ref_positions (user_id, ref, expires_ms, position) VALUES (?, ?, ?, ?) USING TTL 90000"
)
_POSITION = Cql("SELECT expires_ms, position FROM ref_positions WHERE user_id = ? AND ref = ?")


class Refs:
    def __init__(self, session: CassandraSession, bodies: Bodies, outbox: CassandraOutbox) -> None:
        self._session = session
        self._bodies = bodies
        self._outbox = outbox

    async def tweet_of(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        """The tweet and digest of an unexpired ref, once the tweet is there."""
        if not _is_encodable(ref):
            return None
        row = await self._session.row(_OF, user_id, ref)
        if row is None or row[2] <= now_ms or await self._bodies.is_there(row[1]) is None:
            return None
        return TweetId(row[1]), bytes(row[0])

    async def posted_by(self, ref: Ref) -> Posted | None:
        """What was posted by this ref already. Raises RefReused, and Overloaded where it is under way for long."""
        row = await self._session.row(_OF, ref.user_id, ref.ref)
        return None if row is None else await self._judge(ref, *row)

    async def claim(self, ref: Ref, tweet_id: TweetId) -> Posted | None:
        """Make it the ref of this tweet, or answer what was posted by it meanwhile. Raises as `posted_by` does."""
        new = (ref.digest, tweet_id, ref.expires_ms, self._outbox.now_ms())
        for _ in range(TURNS_MAX):
            decision = await self._session.decide([_CLAIM(ref.user_id, ref.ref, *new)])
            if decision.applied or _is_ours(decision.kept, ref, tweet_id):
                return None
            kept = decision.kept
            posted = await self._judge(ref, kept["digest"], kept["tweet_id"], kept["expires_ms"], kept["at_ms"])
            if posted is not None:
                return posted
            old = (kept["tweet_id"], kept["expires_ms"])
            decision = await self._session.decide([_TAKE_OVER(*new, ref.user_id, ref.ref, *old)])
            if decision.applied:
                return None
        raise Overloaded("too many posts with the same ref at once")

    async def release(self, ref: Ref, tweet_id: TweetId) -> None:
        """The post was refused: the ref is free again."""
        await self._session.decide([_RELEASE(ref.user_id, ref.ref, tweet_id)])

    async def note_position(self, ref: Ref, posted: Posted) -> None:
        """Where the announcement stands, for those who repeat the post. Never fails: they can do without."""
        with contextlib.suppress(RoostError):
            await self._session.write(_NOTE_POSITION, ref.user_id, ref.ref, ref.expires_ms, posted.position)

    async def _judge(self, ref: Ref, digest: bytes, tweet_id: int, expires_ms: int, at_ms: int) -> Posted | None:
        """What a kept row says to a post that comes now; None where it is void."""
        if expires_ms <= ref.expires_ms - REF_KEPT_MS:  # by the clock of who posts
            return None
        is_there = self._bodies.is_there
        if bytes(digest) != ref.digest and await is_there(tweet_id):
            raise RefReused(f"ref {ref.ref!r} was used for another tweet within the last 24 hours")
        if not await kept_or_under_way(is_there, tweet_id, at_ms, self._outbox.now_ms):
            return None
        if bytes(digest) != ref.digest:
            raise RefReused(f"ref {ref.ref!r} was used for another tweet within the last 24 hours")
        return Posted(TweetId(tweet_id), await self._position(ref, expires_ms), repeated=True)

    async def _position(self, ref: Ref, expires_ms: int) -> Position | None:
        """What was noted for this use of the ref, not for one that has expired."""
        row = await self._session.row(_POSITION, ref.user_id, ref.ref)
        return Position(row[1]) if row is not None and row[0] == expires_ms else None


def _is_ours(kept: dict[str, Any], ref: Ref, tweet_id: TweetId) -> bool:
    """Whether the row is the one that this very post wrote, whose outcome was unknown."""
    mine = (tweet_id, ref.expires_ms, ref.digest)
    return (kept["tweet_id"], kept["expires_ms"], bytes(kept["digest"])) == mine


def check_encodable(ref: Ref) -> None:
    """Raises Invalid for what no row can hold."""
    if not _is_encodable(ref.ref):
        raise Invalid.field("ref", "half a surrogate pair is no character")


def _is_encodable(ref: str) -> bool:
    try:
        ref.encode()
    except UnicodeEncodeError:
        return False  # half a surrogate pair, which is in no row
    return True
