"""Users' rows in Cassandra, changed by decisions: what was read is replaced only while nobody else replaced it.

adapters/store/cassandra/accounts, contents -> (here)
"""

import secrets
from collections.abc import Callable, Collection, Mapping

import msgspec

from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.outbox import CassandraOutbox, Left
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.domain.errors import NotFound, Overloaded
from roost.domain.events import Event
from roost.domain.ids import ContentId, UserId
from roost.domain.user import User

TURNS_MAX = 20

_BODY = Cql("SELECT body FROM users WHERE user_id = ?")
_ROW = Cql("SELECT body, revision FROM users WHERE user_id = ?")
_PUT = Cql("INSERT INTO users (user_id, version, revision, body) VALUES (?, ?, ?, ?)")
_REPLACE = Cql("UPDATE users SET version = ?, revision = ?, body = ? WHERE user_id = ? IF revision = ?")

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(User).decode

Change = Callable[[User], tuple[User, list[Event]] | None]
"""What becomes of a user as it stands, and the facts to be told of it; None where nothing is to change."""


class UserRows:
    def __init__(self, session: CassandraSession, outbox: CassandraOutbox) -> None:
        self._session = session
        self._outbox = outbox

    async def get_many(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        some = list(dict.fromkeys(ids))
        found = await each_of(self.get, some)
        return {id: user for id, user in zip(some, found, strict=True) if user is not None}

    async def get(self, id: UserId) -> User | None:
        row = await self._session.row(_BODY, id)
        return None if row is None else _DECODE(bytes(row[0]))

    async def is_there(self, id: int) -> bool | None:
        """None where there is no such user: not yet, since users are never dropped."""
        return None if await self._session.row(_BODY, id) is None else True

    async def shows(self, id: UserId, picture: ContentId) -> bool:
        """Whether the user's profile shows this content."""
        user = await self.get(id)
        return user is not None and user.avatar == picture

    async def change(self, id: UserId, change: Change) -> tuple[User, User, Left] | None:
        """Replace the row by what `change` makes of it, with its facts in the outbox, still to be told; the row before
        and after. None where `change` answers None.

        Raises NotFound where there is no such user, Overloaded where others get in between TURNS_MAX times.
        """
        for _ in range(TURNS_MAX):
            row = await self._session.row(_ROW, id)
            if row is None:
                raise NotFound(f"no user has the id {id}")
            before = _DECODE(bytes(row[0]))
            changed = change(before)
            if changed is None:
                return None
            after, facts = changed
            left = await self._outbox.leave_before(facts)
            revision = secrets.randbits(62)
            replace = _REPLACE(after.version, revision, _ENCODE(after), id, row[1])
            decision = await self._session.decide([replace])
            if decision.applied or decision.kept.get("revision") == revision:
                return before, after, left
            self._outbox.withdraw(left)
        raise Overloaded("too many changes of one user at once")


def put_user(user: User) -> Bound:
    """The row of a new user."""
    return _PUT(user.id, user.version, secrets.randbits(62), _ENCODE(user))
