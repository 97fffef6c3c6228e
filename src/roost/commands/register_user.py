"""Register a user: the account, the profile and the first session at once.

edge.native.accounts -> RegisterUser -> AccountStore (with the announcement) -> reactions
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from roost.domain.address import holds_address, unheld_key
from roost.domain.errors import AlreadyTaken, FieldError, Invalid
from roost.domain.events import UserChanged
from roost.domain.ids import Position
from roost.domain.issue import IssuedSession, issue_session
from roost.domain.names import check_email, check_mobile, check_password, check_username, email_key, username_key
from roost.domain.user import Account, TokenPurpose, User
from roost.ports.accounts import AccountStore
from roost.ports.clock import Clock, Randomness
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.passwords import PasswordHasher
from roost.views.account_mail import AccountMail


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody wants to be, as it came. None is missing."""

    username: str | None
    password: str | None
    email: str | None
    mobile: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    user: User
    issued: IssuedSession
    position: Position


@dataclass(frozen=True, slots=True)
class RegisterUser:
    """With `reveal_email_taken` off, nothing tells that an address is taken: whoever enters one gets an account of
    his own like any other, that does not hold the address, and its owner gets a mail.
    """

    store: AccountStore
    ids: IdSource
    clock: Clock
    randomness: Randomness
    passwords: PasswordHasher
    mail: AccountMail
    progress: NodeProgress
    session_ttl_ms: int
    reveal_email_taken: bool

    async def __call__(self, wanted: SignUp, client: str = "") -> Registered:
        """Raises Invalid with all wrong fields, AlreadyTaken with the field, Overloaded."""
        username, password, email, mobile = _checked(wanted)
        held = await self._is_free(username, email)
        password_hash = await self.passwords.hash(password)
        now_ms, id = self.clock.now_ms(), self.ids.next_user_id()
        user = User(id, username, display_name=username, created_ms=now_ms, version=self.ids.next_version())
        key = email_key(email) if held else unheld_key(id)
        account = Account(id, email, key, mobile, password_hash)
        issued = issue_session(id, self.randomness.token_bytes, now_ms, self.session_ttl_ms, client, browser=False)
        account, position = await self._create(user, account, issued)
        self._send_mail(user, account)
        await self.progress.reached(position)
        return Registered(user, issued, position)

    async def _is_free(self, username: str, email: str) -> bool:
        """Whether the address is free. Asked before the hash, which is dear; who wins is decided by the store."""
        if await self.store.ids_by_name([username_key(username)]):
            raise AlreadyTaken("username", f"the username {username} is taken")
        taken = await self.store.user_id_by_email(email_key(email)) is not None
        if taken and self.reveal_email_taken:
            raise AlreadyTaken("email", "the e-mail address is taken")
        return not taken

    async def _create(self, user: User, account: Account, issued: IssuedSession) -> tuple[Account, Position]:
        facts = [UserChanged(user.id, user.version, sight=False)]
        try:
            return account, await self.store.create(user, account, issued.session, facts)
        except AlreadyTaken as taken:
            # Somebody was quicker by less than the time of a hash.
            if taken.field != "email" or self.reveal_email_taken:
                raise
        account = replace(account, email_key=unheld_key(user.id))
        return account, await self.store.create(user, account, issued.session, facts)

    def _send_mail(self, user: User, account: Account) -> None:
        """Beside the answer. Where too many mails wait it is not sent: the user can ask for it again."""
        if holds_address(account):
            self.mail.errands.later(
                "mail confirm_email",
                lambda: self.mail.send_token(TokenPurpose.CONFIRM_EMAIL, user, account.email),
            )
        else:
            self.mail.tell_owner_of(account.email)


def _checked(wanted: SignUp) -> tuple[str, str, str, str | None]:
    """Username, password, address and mobile in their normal forms. Raises one Invalid for all that is wrong."""
    wrong: list[FieldError] = []

    def checked(field: str, text: str | None, check: Callable[[str], str]) -> str:
        if text is None:
            wrong.append(FieldError(field, "is required"))
            return ""
        try:
            return check(text)
        except Invalid as error:
            wrong.extend(error.fields)
            return ""

    def mobile_checked(text: str) -> str:
        return check_mobile(text) or ""

    username = checked("username", wanted.username, check_username)
    email = checked("email", wanted.email, check_email)
    password = checked("password", wanted.password, lambda text: check_password(text, username, email))
    mobile = checked("mobile", wanted.mobile or "", mobile_checked) or None
    if wrong:
        details = "; ".join(f"{one.field}: {one.detail}" for one in wrong)
        raise Invalid(details, *wrong)
    return username, password, email, mobile
