"""Mails about an account: single-use tokens to an address that they prove, and notices of what was changed.

commands -> AccountMail -> Errands -> OneTimeTokenStore, Mailer

All of it happens beside the answer: a mail host that is slow or down neither delays nor fails what a user does, and
the time of an answer does not tell whether a mail was sent. Whoever misses a mail asks for it again.
"""

from dataclasses import dataclass

from roost.domain.address import holds_address
from roost.domain.errors import Overloaded
from roost.domain.issue import issue_one_time_token
from roost.domain.letters import Letter, address_in_use, token_letter
from roost.domain.names import email_key
from roost.domain.user import Account, TokenPurpose, User
from roost.ports.accounts import AccountStore, OneTimeTokenStore
from roost.ports.clock import Clock, Randomness
from roost.ports.errands import Errands
from roost.ports.mail import Mail, Mailer


@dataclass(frozen=True, slots=True)
class AccountMail:
    """`site` is what the mails call this server: its address where there is one."""

    accounts: AccountStore
    tokens: OneTimeTokenStore
    mailer: Mailer
    errands: Errands
    clock: Clock
    randomness: Randomness
    site: str

    def offer_token(self, purpose: TokenPurpose, user: User, email: str) -> None:
        """Send a token to that address. Raises Overloaded where too many mails wait."""
        if not self.errands.later(f"mail {purpose}", lambda: self.send_token(purpose, user, email)):
            raise Overloaded("too many mails wait to be sent")

    async def send_token(self, purpose: TokenPurpose, user: User, email: str) -> None:
        """The same here and now, for what is an errand already."""
        token, text = issue_one_time_token(purpose, user.id, email, self.randomness.token_bytes, self.clock.now_ms())
        await self.tokens.add_token(token)
        await self._send(email, token_letter(purpose, self.site, user.username, text))

    def tell_owner_of(self, email: str) -> bool:
        """Tell who holds the address that somebody else entered it; False where too many mails wait."""
        return self.errands.later("mail address in use", lambda: self._tell_owner_of(email))

    def tell(self, account: Account, letter: Letter) -> bool:
        """Send a notice, if the account holds its address; False where too many mails wait."""
        if not holds_address(account):
            return True
        return self.errands.later(f"mail {letter.subject}", lambda: self._send(account.email, letter))

    async def _tell_owner_of(self, email: str) -> None:
        owner = await self.accounts.user_id_by_email(email_key(email))
        if owner is None:
            return
        account, users = await self.accounts.account(owner), await self.accounts.users([owner])
        if account is not None and owner in users:
            await self._send(account.email, address_in_use(self.site, users[owner].username))

    async def _send(self, to: str, letter: Letter) -> None:
        await self.mailer.send(Mail(to, letter.subject, letter.text))
