"""Whether somebody who is signed in also knows the password: asked before what cannot be undone.

commands -> PasswordCheck -> AccountStore, PasswordHasher
"""

from dataclasses import dataclass

from roost.domain.errors import Forbidden, NotFound
from roost.domain.ids import UserId
from roost.domain.user import Account, User
from roost.ports.accounts import AccountStore
from roost.ports.passwords import PasswordHasher


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    store: AccountStore
    passwords: PasswordHasher

    async def __call__(self, user_id: UserId, password: str) -> tuple[User, Account]:
        """The user and the account, from the store. Raises Forbidden for a wrong password, NotFound once deleted."""
        account = await self.store.account(user_id)
        user = (await self.store.users([user_id])).get(user_id)
        if account is None or user is None or user.deleted:
            raise NotFound(f"no user {user_id}")
        if not await self.passwords.verify(password, account.password_hash):
            raise Forbidden("the password is wrong")
        return user, account
