"""Change the password by the old one. All other sessions end.

edge.native.accounts -> ChangePassword -> AccountStore (with the announcement) -> reactions.refresh, edge.live
"""

from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.letters import password_changed
from roost.domain.names import check_password
from roost.ports.accounts import AccountStore
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.passwords import PasswordHasher
from roost.views.account_mail import AccountMail
from roost.views.password_check import PasswordCheck


@dataclass(frozen=True, slots=True)
class ChangePassword:
    store: AccountStore
    check_password: PasswordCheck
    passwords: PasswordHasher
    ids: IdSource
    mail: AccountMail
    progress: NodeProgress

    async def __call__(self, user_id: UserId, session_id: str, old: str, new: str) -> None:
        """`session_id` is the one in use, which stays. Raises Forbidden (wrong password), Invalid, Overloaded."""
        user, account = await self.check_password(user_id, old)
        check_password(new, user.username, account.email, field="new")
        password_hash = await self.passwords.hash(new)
        position = await self.store.change_password(user_id, password_hash, session_id, self.ids.next_version())
        self.mail.tell(account, password_changed(self.mail.site, user.username))
        await self.progress.reached(position)
