"""Delete one's account: unseen at once, erased soon after.

edge.native.users -> DeleteAccount -> AccountStore (with the announcement) -> reactions.erase_user
"""

from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.letters import account_deleted
from roost.ports.accounts import AccountStore
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.views.account_mail import AccountMail
from roost.views.password_check import PasswordCheck


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    store: AccountStore
    check_password: PasswordCheck
    ids: IdSource
    mail: AccountMail
    progress: NodeProgress

    async def __call__(self, user_id: UserId, password: str) -> None:
        """All sessions end. The name stays taken. Raises Forbidden (wrong password), NotFound, Overloaded."""
        user, account = await self.check_password(user_id, password)
        position = await self.store.delete_user(user_id, self.ids.next_version(user.version))
        self.mail.tell(account, account_deleted(self.mail.site, user.username))
        await self.progress.reached(position)
