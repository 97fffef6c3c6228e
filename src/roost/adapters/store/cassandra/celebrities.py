"""The celebrity table in Cassandra: one partition, since it is read whole and has at most a few thousand rows."""

from collections.abc import Mapping

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.errors import Overloaded
from roost.domain.events import CelebrityChanged
from roost.domain.ids import Position, UserId, Version

TURNS_MAX = 10

_ALL = Cql("SELECT user_id, state, version FROM celebrities WHERE part = 0")
_VERSION = Cql("SELECT version FROM celebrities WHERE part = 0 AND user_id = ?")
_PUT_NEW = Cql("INSERT INTO celebrities (part, user_id, state, version) VALUES (0, ?, ?, ?) IF NOT EXISTS")
_PUT = Cql("UPDATE celebrities SET state = ?, version = ? WHERE part = 0 AND user_id = ? IF version = ?")
_REMOVE = Cql("DELETE FROM celebrities WHERE part = 0 AND user_id = ? IF version = ?")


class CassandraCelebrityStore:
    def __init__(self, session: CassandraSession, outbox: CassandraOutbox) -> None:
        self._session = session
        self._outbox = outbox

    async def all(self) -> Mapping[UserId, Celebrity]:
        rows = await self._session.rows(_ALL)
        return {
            UserId(user): Celebrity(UserId(user), CelebrityState(state), Version(version))
            for user, state, version in rows
        }

    async def put(self, celebrity: Celebrity) -> Position | None:
        user, state, version = celebrity.user_id, celebrity.state.value, celebrity.version
        for _ in range(TURNS_MAX):
            kept = await self._version(user)
            if kept is not None and kept >= version:
                return None
            step = _PUT_NEW(user, state, version) if kept is None else _PUT(state, version, user, kept)
            position = await self._change(step, CelebrityChanged(user, version), becomes=version)
            if position is not None:
                return position
        raise Overloaded("too many changes of one celebrity at once")

    async def remove(self, user_id: UserId, version: Version) -> Position | None:
        for _ in range(TURNS_MAX):
            kept = await self._version(user_id)
            if kept is None or kept >= version:
                return None
            position = await self._change(_REMOVE(user_id, kept), CelebrityChanged(user_id, version), becomes=None)
            if position is not None:
                return position
        raise Overloaded("too many changes of one celebrity at once")

    async def _version(self, user_id: UserId) -> Version | None:
        row = await self._session.row(_VERSION, user_id)
        return None if row is None else Version(row[0])

    async def _change(self, step: Bound, fact: CelebrityChanged, *, becomes: Version | None) -> Position | None:
        """Decide and tell; None where another came first."""
        left = await self._outbox.leave_before([fact])
        decision = await self._session.decide([step])
        # A row that is already as it was to become may be this very change, whose outcome was unknown.
        if decision.applied or decision.kept.get("version") == becomes:
            return await self._outbox.tell(left)
        self._outbox.withdraw(left)
        return None
