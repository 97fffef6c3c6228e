"""Choose a new password by a token that was sent to the account's address.

edge.native.accounts -> ForgotPassword -> AccountMail; then ResetPassword -> AccountStore (with the announcement)
"""

from dataclasses import dataclass

from roost.domain.errors import Invalid, Overloaded
from roost.domain.ids import UserId
from roost.domain.issue import dead_token, one_time_hash
from roost.domain.letters import password_changed
from roost.domain.names import check_email, check_password, email_key
from roost.domain.user import Account, OneTimeToken, TokenPurpose, User
from roost.ports.accounts import AccountStore, OneTimeTokenStore
from roost.ports.clock import Clock
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.passwords import PasswordHasher
from roost.views.account_mail import AccountMail


@dataclass(frozen=True, slots=True)
class ForgotPassword:
    store: AccountStore
    mail: AccountMail

    async def __call__(self, email: str) -> None:
        """Send a token to whoever holds the address. Even the look-up happens beside the answer, so that its time
        tells nobody whether there is such a user. Raises Invalid for what is no address, Overloaded.
        """
        address = check_email(email)
        if not self.mail.errands.later("forgotten password", lambda: self._send(address)):
            raise Overloaded("too many mails wait to be sent")

    async def _send(self, address: str) -> None:
        id = await self.store.user_id_by_email(email_key(address))
        found = None if id is None else await _live(self.store, id)
        if found is not None:
            user, account = found
            # To the address as it was registered: the one that was typed here need not be read by the same person.
            await self.mail.send_token(TokenPurpose.RESET_PASSWORD, user, account.email)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    store: AccountStore
    tokens: OneTimeTokenStore
    passwords: PasswordHasher
    ids: IdSource
    clock: Clock
    mail: AccountMail
    progress: NodeProgress

    async def __call__(self, text: str, password: str) -> None:
        """Spends the token, unless the password is refused: then it may be tried again with another.

        All sessions end, and other tokens of the account are void. Raises Invalid, Overloaded.
        """
        check_password(password, "", "")
        token = await self.tokens.take_token(one_time_hash(text), TokenPurpose.RESET_PASSWORD)
        if token is None or token.expires_ms <= self.clock.now_ms():
            raise dead_token()
        found = await _live(self.store, token.user_id)
        if found is None or found[1].email != token.email:
            raise dead_token()
        user, account = found
        await self._checked_or_given_back(token, password, user)
        password_hash = await self.passwords.hash(password)
        position = await self.store.change_password(user.id, password_hash, None, self.ids.next_version())
        # The token came back from the address.
        await self.store.confirm_email(user.id, token.email)
        self.mail.tell(account, password_changed(self.mail.site, user.username))
        await self.progress.reached(position)

    async def _checked_or_given_back(self, token: OneTimeToken, password: str, user: User) -> None:
        try:
            check_password(password, user.username, token.email)
        except Invalid:
            await self.tokens.add_token(token)
            raise


async def _live(store: AccountStore, id: UserId) -> tuple[User, Account] | None:
    account, user = await store.account(id), (await store.users([id])).get(id)
    return None if account is None or user is None or user.deleted else (user, account)
