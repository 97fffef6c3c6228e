"""Confirm an address: the one that an account has, or the one that it is to have.

edge.native.accounts -> ConfirmEmail -> OneTimeTokenStore, AccountStore
"""

from dataclasses import dataclass

from roost.domain.address import holds_address
from roost.domain.errors import NotFound
from roost.domain.ids import UserId
from roost.domain.issue import dead_token, one_time_hash
from roost.domain.letters import address_changed
from roost.domain.names import email_key
from roost.domain.user import OneTimeToken, TokenPurpose
from roost.ports.accounts import AccountStore, OneTimeTokenStore
from roost.ports.clock import Clock
from roost.views.account_mail import AccountMail


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    store: AccountStore
    tokens: OneTimeTokenStore
    clock: Clock
    mail: AccountMail

    async def __call__(self, text: str) -> None:
        """Spends the token. Raises Invalid for a dead one, AlreadyTaken where the address went to another meanwhile."""
        hash = one_time_hash(text)
        token = await self.tokens.take_token(hash, TokenPurpose.CONFIRM_EMAIL)
        if token is None:
            token = await self.tokens.take_token(hash, TokenPurpose.CHANGE_EMAIL)
        if token is None or token.expires_ms <= self.clock.now_ms():
            raise dead_token()
        if token.purpose is TokenPurpose.CHANGE_EMAIL:
            await self._change(token)
        elif not await self.store.confirm_email(token.user_id, token.email):
            raise dead_token()  # the account has another address by now, or is gone

    async def _change(self, token: OneTimeToken) -> None:
        before = await self.store.account(token.user_id)
        user = (await self.store.users([token.user_id])).get(token.user_id)
        if before is None or user is None or user.deleted:
            raise dead_token()
        await self.store.change_email(token.user_id, token.email, email_key(token.email))
        if email_key(before.email) != email_key(token.email):
            self.mail.tell(before, address_changed(self.mail.site, user.username))


@dataclass(frozen=True, slots=True)
class ResendConfirmation:
    store: AccountStore
    mail: AccountMail

    async def __call__(self, user_id: UserId) -> None:
        """Send another token, unless the address is confirmed already. Raises NotFound once deleted, Overloaded."""
        account = await self.store.account(user_id)
        user = (await self.store.users([user_id])).get(user_id)
        if account is None or user is None or user.deleted:
            raise NotFound(f"no user {user_id}")
        if account.email_confirmed:
            return
        if holds_address(account):
            self.mail.offer_token(TokenPurpose.CONFIRM_EMAIL, user, account.email)
        else:
            self.mail.tell_owner_of(account.email)
