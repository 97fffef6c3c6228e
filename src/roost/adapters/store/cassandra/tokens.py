"""Single-use tokens in Cassandra: one row a user and purpose, so that a new token is the end of the earlier one."""

from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.domain.errors import Overloaded
from roost.domain.ids import UserId
from roost.domain.user import OneTimeToken, TokenPurpose

TURNS_MAX = 10

_OWNER = Cql("SELECT user_id, purpose FROM token_owners WHERE token_hash = ?")
# Longer than any token is good for: what is left of those that nobody takes goes by itself, after 30 days.
_PUT_OWNER = Cql("INSERT INTO token_owners (token_hash, user_id, purpose) VALUES (?, ?, ?) USING TTL 2592000")
_DROP_OWNER = Cql("DELETE FROM token_owners WHERE token_hash = ?")
_TOKEN = Cql("SELECT token_hash, email, expires_ms FROM tokens WHERE user_id = ? AND purpose = ?")
_PUT_FIRST = Cql(
    "INSERT INTO tokens (user_id, purpose, token_hash, email, expires_ms) VALUES (?, ?, ?, ?, ?) IF NOT EXISTS"
)
_PUT_NEXT = Cql(
    "UPDATE tokens SET token_hash = ?, email = ?, expires_ms = ? WHERE user_id = ? AND purpose = ? IF token_hash = ?"
)
_TAKE = Cql("DELETE FROM tokens WHERE user_id = ? AND purpose = ? IF token_hash = ?")
_DROP = Cql("DELETE FROM tokens WHERE user_id = ? AND purpose = ? IF EXISTS")


class TokenRows:
    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def drop(self, user_id: UserId, *purposes: TokenPurpose) -> None:
        """Void a user's tokens for these purposes."""
        await each_of(lambda purpose: self._session.decide([_DROP(user_id, purpose.value)]), purposes)


class CassandraOneTimeTokenStore:
    def __init__(self, session: CassandraSession) -> None:
        self._session = session

    async def add_token(self, token: OneTimeToken) -> None:
        user, purpose = token.user_id, token.purpose.value
        await self._session.write(_PUT_OWNER, token.token_hash, user, purpose)
        row = (token.token_hash, token.email, token.expires_ms)
        for _ in range(TURNS_MAX):
            first = await self._session.decide([_PUT_FIRST(user, purpose, *row)])
            if first.applied or bytes(first.kept["token_hash"]) == token.token_hash:
                return
            earlier = first.kept["token_hash"]
            if (await self._session.decide([_PUT_NEXT(*row, user, purpose, earlier)])).applied:
                return
        raise Overloaded("too many tokens for one user and purpose at once")

    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        """Where the outcome of the decision is unknown, nobody gets it."""
        owner = await self._session.row(_OWNER, token_hash)
        if owner is None or owner[1] != purpose.value:
            return None
        row = await self._session.row(_TOKEN, owner[0], purpose.value)
        if row is None or bytes(row[0]) != token_hash:
            return None
        if not (await self._session.decide([_TAKE(owner[0], purpose.value, token_hash)])).applied:
            return None
        await self._session.write(_DROP_OWNER, token_hash)
        return OneTimeToken(token_hash, purpose, UserId(owner[0]), row[1], row[2])
