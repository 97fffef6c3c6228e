"""Sign in by name or address and password.

edge.native.accounts -> SignIn -> AccountStore, PasswordHasher -> SessionStore

Who is unknown and who gave a wrong password cost the same reads and the same hash, and get the same answer.
"""

from dataclasses import dataclass

from roost.domain.errors import Invalid, WrongCredentials
from roost.domain.ids import UserId
from roost.domain.issue import IssuedSession, issue_session
from roost.domain.names import check_email, email_key, username_key
from roost.domain.user import Account
from roost.ports.accounts import AccountStore, SessionStore
from roost.ports.clock import Clock, Randomness
from roost.ports.errands import Errands
from roost.ports.passwords import PasswordHasher

NOBODY = UserId(0)
"""Whose rows are read in place of an unknown user's."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A password, and one of username and address."""

    password: str
    username: str | None = None
    email: str | None = None

    def __post_init__(self) -> None:
        if (self.username is None) == (self.email is None):
            raise Invalid("a log-in names a username or an e-mail address, and not both")

    @property
    def key(self) -> str:
        """Whose tries count together: the same for all spellings of one name or address."""
        if self.username is not None:
            return username_key(self.username)
        return _address_key(self.email or "")


@dataclass(frozen=True, slots=True)
class SignIn:
    """`unconfirmed_by_email`: whether an address signs in before it is confirmed. Off where sign-up must not tell
    which addresses are taken: an address that is another's and one that is not confirmed yet then answer alike.
    """

    store: AccountStore
    sessions: SessionStore
    clock: Clock
    randomness: Randomness
    passwords: PasswordHasher
    errands: Errands
    session_ttl_ms: int
    unconfirmed_by_email: bool = True

    async def __call__(self, given: Credentials, client: str = "", *, browser: bool = False) -> IssuedSession:
        """Raises WrongCredentials, Overloaded."""
        account = await self._account(given)
        kept = None if account is None else account.password_hash
        fits = await self.passwords.verify(given.password, kept)
        if account is None or not fits:
            raise WrongCredentials
        issued = issue_session(
            account.user_id,
            self.randomness.token_bytes,
            self.clock.now_ms(),
            self.session_ttl_ms,
            client,
            browser=browser,
        )
        await self.sessions.add_session(issued.session)
        await self._refuse_if_changed(given, account, issued)
        if self.passwords.needs_rehash(account.password_hash):
            self.errands.later("renew password hash", lambda: self._renew(account, given.password))
        return issued

    async def _account(self, given: Credentials) -> Account | None:
        """The account that may sign in so. As many reads where there is none."""
        id = await self._find(given) or NOBODY
        user = (await self.store.users([id])).get(id)
        account = await self.store.account(id)
        if user is None or user.deleted or account is None:
            return None
        if given.email is not None and not account.email_confirmed and not self.unconfirmed_by_email:
            return None
        return account

    async def _find(self, given: Credentials) -> UserId | None:
        if given.username is not None:
            return (await self.store.ids_by_name([given.key])).get(given.key)
        return await self.store.user_id_by_email(given.key)

    async def _refuse_if_changed(self, given: Credentials, account: Account, issued: IssuedSession) -> None:
        """A new password or a deletion ends all sessions; one that was begun meanwhile must not outlive it."""
        now = await self._account(given)
        same = now is not None and now.user_id == account.user_id
        if same and now is not None and now.password_hash != account.password_hash:
            same = await self.passwords.verify(given.password, now.password_hash)
        if not same:
            await self.sessions.end_session(account.user_id, issued.session.session_id)
            raise WrongCredentials

    async def _renew(self, account: Account, password: str) -> None:
        renewed = await self.passwords.hash(password)
        await self.store.replace_password_hash(account.user_id, account.password_hash, renewed)


def _address_key(text: str) -> str:
    """The form in which addresses are kept; what is no address is looked for as it is, and not found."""
    try:
        return email_key(check_email(text))
    except Invalid:
        return text
