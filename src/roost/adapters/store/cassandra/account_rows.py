"""The private part of users in Cassandra, changed by decisions, and the addresses that lead to it.

adapters/store/cassandra/accounts -> (here)

An address is claimed before it is kept and released after it was replaced: so it never has two owners, and a crash in
between leaves a claim that is void by itself (claims.py).
"""

from roost.adapters.store.cassandra.claims import ClaimKind, Claims
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import AlreadyTaken, Overloaded
from roost.domain.ids import UserId
from roost.domain.user import Account

KEY_BYTES_MAX = 4_096
"""Names and addresses longer than this are in no row."""
TURNS_MAX = 10

_ACCOUNT = Cql(
    "SELECT user_id, email, email_key, mobile, password_hash, email_confirmed FROM accounts WHERE user_id = ?"
)
_CREATE = Cql(
    "INSERT INTO accounts (user_id, email, email_key, mobile, password_hash, email_confirmed)"
    " VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS"
)
_CHANGE_EMAIL = Cql(
    "UPDATE accounts SET email = ?, email_key = ?, email_confirmed = true WHERE user_id = ? IF email_key = ?"
)
_CONFIRM_EMAIL = Cql("UPDATE accounts SET email_confirmed = true WHERE user_id = ? IF email = ?")
_CHANGE_PASSWORD = Cql("UPDATE accounts SET password_hash = ? WHERE user_id = ? IF EXISTS")
_RENEW_HASH = Cql("UPDATE accounts SET password_hash = ? WHERE user_id = ? IF password_hash = ?")
_DROP = Cql("DELETE FROM accounts WHERE user_id = ? IF EXISTS")
_OWNER = Cql("SELECT user_id FROM emails WHERE email_key = ?")
_PUT_EMAIL = Cql("INSERT INTO emails (email_key, user_id) VALUES (?, ?)")
_DROP_EMAIL = Cql("DELETE FROM emails WHERE email_key = ?")


class AccountRows:
    def __init__(self, session: CassandraSession, claims: Claims) -> None:
        self._session = session
        self._claims = claims

    async def get(self, user_id: UserId) -> Account | None:
        row = await self._session.row(_ACCOUNT, user_id)
        return None if row is None else Account(*row)

    async def owner_of(self, email_key: str) -> UserId | None:
        """Whose account has the address: the account is what counts, not what leads to it."""
        row = await self._session.row(_OWNER, email_key) if is_key(email_key) else None
        if row is None:
            return None
        account = await self.get(UserId(row[0]))
        return account.user_id if account is not None and account.email_key == email_key else None

    async def claim_email(self, user_id: UserId, email_key: str) -> None:
        """Raises AlreadyTaken("email")."""

        async def is_kept(holder: int) -> bool | None:
            account = await self.get(UserId(holder))
            return True if account is not None and account.email_key == email_key else None

        if await self._claims.claim(ClaimKind.EMAIL, email_key, user_id, is_kept) != user_id:
            raise AlreadyTaken("email", "the e-mail address is taken")

    async def release_email(self, user_id: UserId, email_key: str) -> None:
        await self._claims.release(ClaimKind.EMAIL, email_key, user_id)

    async def create(self, account: Account) -> None:
        """Keep the account of a claimed address."""
        row = (account.email, account.email_key, account.mobile, account.password_hash, account.email_confirmed)
        await self._session.write(_PUT_EMAIL, account.email_key, account.user_id)
        await self._session.decide([_CREATE(account.user_id, *row)])

    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        """Nothing where there is no account. Raises AlreadyTaken("email")."""
        await self.claim_email(user_id, email_key)
        for _ in range(TURNS_MAX):
            account = await self.get(user_id)
            if account is None:
                await self.release_email(user_id, email_key)
                return
            await self._session.write(_PUT_EMAIL, email_key, user_id)
            decision = await self._session.decide([_CHANGE_EMAIL(email, email_key, user_id, account.email_key)])
            if decision.applied or decision.kept.get("email_key") == email_key:
                if account.email_key != email_key:
                    await self._forget_email(user_id, account.email_key)
                return
        raise Overloaded("too many changes of one account at once")

    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        decision = await self._session.decide([_CONFIRM_EMAIL(user_id, email)])
        return decision.applied or decision.kept.get("email") == email

    async def change_password(self, user_id: UserId, password_hash: str) -> None:
        await self._session.decide([_CHANGE_PASSWORD(password_hash, user_id)])

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        await self._session.decide([_RENEW_HASH(new, user_id, old)])

    async def erase(self, user_id: UserId) -> None:
        """Repeatable."""
        account = await self.get(user_id)
        if account is not None:
            await self._session.decide([_DROP(user_id)])
            await self._forget_email(user_id, account.email_key)

    async def _forget_email(self, user_id: UserId, email_key: str) -> None:
        await self._session.write(_DROP_EMAIL, email_key)
        await self.release_email(user_id, email_key)


def is_key(text: str) -> bool:
    """Whether some row may have this name or address."""
    try:
        return 0 < len(text.encode()) <= KEY_BYTES_MAX
    except UnicodeEncodeError:
        return False  # half a surrogate pair, which is in no row
