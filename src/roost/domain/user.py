"""The user: what everybody may know of one, and the account behind it, which nobody else may."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from roost.domain.ids import ContentId, UserId, Version

FOLLOWING_MAX_DEFAULT = 7_500
SESSIONS_MAX = 100


@dataclass(frozen=True, slots=True)
class User:
    """The public face of a user. `version` grows with every change of it."""

    id: UserId
    username: str
    display_name: str
    created_ms: int
    version: Version
    bio: str = ""
    avatar: ContentId | None = None
    protected: bool = False
    deleted: bool = False
    operator: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What belongs to the owner alone. `email_key` is the address in the form that must be unique."""

    user_id: UserId
    email: str
    email_key: str
    mobile: str | None
    password_hash: str
    email_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `token_hash` and `csrf_hash` are SHA-256; the token itself is kept nowhere.

    `session_id` is `session_id_of(token_hash)`: fit for lists and logs, useless to a thief. A session with a
    `csrf_hash` is a browser's: it is accepted from the cookie, and changes need the other token.
    """

    session_id: str
    user_id: UserId
    token_hash: bytes
    created_ms: int
    last_used_ms: int
    expires_ms: int
    client: str = ""
    csrf_hash: bytes | None = None


def session_id_of(token_hash: bytes) -> str:
    """The public id of the session with this token hash: whoever knows the id learns nothing of the token."""
    return hashlib.blake2b(token_hash, digest_size=12, person=b"session").hexdigest()


class TokenPurpose(StrEnum):
    """What a single-use token may be used for."""

    CONFIRM_EMAIL = "confirm_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose, not a password


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """A single-use token sent by mail; `email` is the address that it proves."""

    token_hash: bytes
    purpose: TokenPurpose
    user_id: UserId
    email: str
    expires_ms: int


@dataclass(frozen=True, slots=True)
class UserCounts:
    """What a profile shows. Deleted tweets do not count; waiting requests do not either."""

    tweets: int = 0
    followers: int = 0
    following: int = 0
