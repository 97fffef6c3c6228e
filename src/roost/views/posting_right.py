"""Whether a user may post, beyond being signed in.

commands.post_tweet -> PostingRight -> AccountStore
"""

from dataclasses import dataclass

from roost.domain.errors import Forbidden
from roost.domain.ids import UserId
from roost.ports.accounts import AccountStore


@dataclass(frozen=True, slots=True)
class PostingRight:
    """Where a confirmed address is required, others read, follow and like, but post nothing of any kind."""

    accounts: AccountStore
    require_confirmed_email: bool

    async def check(self, author: UserId) -> None:
        """Raises Forbidden. One read by key where it is required, nothing where it is not."""
        if not self.require_confirmed_email:
            return
        account = await self.accounts.account(author)
        if account is None or not account.email_confirmed:
            raise Forbidden("confirm your e-mail address before you post")
