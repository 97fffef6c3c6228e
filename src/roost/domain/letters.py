"""The mails about an account, in words."""

from dataclasses import dataclass

from roost.domain.tokens import TokenText
from roost.domain.user import TokenPurpose


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it has an address. A token stands alone on its line."""

    subject: str
    text: str


def token_letter(purpose: TokenPurpose, site: str, username: str, token: TokenText) -> Letter:
    """The mail that brings a single-use token."""
    subject, wish = _WISHES[purpose]
    return Letter(
        subject,
        f"Hello @{username},\n\n{wish.format(site=site)} enter this code:\n\n{token}\n\n"
        "It works once, within one hour. If you did not ask for it, do nothing: without the code nothing happens.\n",
    )


def address_in_use(site: str, username: str) -> Letter:
    """To the owner of an address that somebody else entered."""
    return Letter(
        "Your address was entered again",
        f"Hello @{username},\n\nsomebody entered this address at {site} for an account of their own. It stays yours: "
        "nothing was changed. If it was you, sign in as you did before, or ask for a new password.\n",
    )


def address_changed(site: str, username: str) -> Letter:
    """To the old address."""
    return Letter(
        "Your address was changed",
        f"Hello @{username},\n\nyour account at {site} has another address from now on. If that was not you, tell the "
        "operators of the server.\n",
    )


def password_changed(site: str, username: str) -> Letter:
    """To the owner, after a change or a reset."""
    return Letter(
        "Your password was changed",
        f"Hello @{username},\n\nyour account at {site} has a new password, and its other sessions have ended. If that "
        "was not you, ask for another password at once.\n",
    )


def account_deleted(site: str, username: str) -> Letter:
    """The last one."""
    return Letter(
        "Your account was deleted",
        f"Hello @{username},\n\nyour account at {site} is gone from view, and all that is yours is erased within a "
        "day.\n",
    )


_WISHES = {
    TokenPurpose.CONFIRM_EMAIL: ("Confirm your address", "to confirm that this address is yours at {site},"),
    TokenPurpose.CHANGE_EMAIL: ("Confirm your new address", "to make this the address of your account at {site},"),
    TokenPurpose.RESET_PASSWORD: ("Choose a new password", "to choose a new password at {site},"),
}
