"""Ask for another address. It is changed when the token that is sent there comes back.

edge.native.accounts -> ChangeEmail -> AccountMail; then commands.confirm_email
"""

from dataclasses import dataclass

from roost.domain.errors import AlreadyTaken
from roost.domain.ids import UserId
from roost.domain.names import check_email, email_key
from roost.domain.user import TokenPurpose
from roost.ports.accounts import AccountStore
from roost.views.account_mail import AccountMail
from roost.views.password_check import PasswordCheck


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    store: AccountStore
    check_password: PasswordCheck
    mail: AccountMail
    reveal_email_taken: bool

    async def __call__(self, user_id: UserId, email: str, password: str) -> None:
        """Raises Invalid, Forbidden (wrong password), AlreadyTaken (where that may be told), NotFound, Overloaded."""
        address = check_email(email)
        user, _ = await self.check_password(user_id, password)
        owner = await self.store.user_id_by_email(email_key(address))
        if owner is None or owner == user_id:
            self.mail.offer_token(TokenPurpose.CHANGE_EMAIL, user, address)
        elif self.reveal_email_taken:
            raise AlreadyTaken("email", "the e-mail address is taken")
        else:
            self.mail.tell_owner_of(address)
