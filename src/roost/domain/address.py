"""Who holds an e-mail address.

Where sign-up must not tell that an address is taken, whoever enters another's gets an account like any other, whose
address is his word only: it cannot be confirmed, nothing is sent to it on his behalf, and it keeps its owner.
"""

from roost.domain.ids import UserId
from roost.domain.names import email_key
from roost.domain.user import Account


def unheld_key(user_id: UserId) -> str:
    """The `email_key` of an account that does not hold the address that was entered. No address looks like it."""
    return f"unheld {user_id}"


def holds_address(account: Account) -> bool:
    """Whether the account has its address: mails about it may be sent there."""
    return account.email_key == email_key(account.email)
