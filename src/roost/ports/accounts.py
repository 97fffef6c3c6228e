"""The system of record: users, their accounts, sessions and single-use tokens."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from roost.domain.events import Event
from roost.domain.ids import Position, UserId, Version
from roost.domain.user import Account, OneTimeToken, Session, TokenPurpose, User

USERS_MAX = 1_000
"""Ids or names asked for in one call."""


class AccountStore(Protocol):
    """Users by id, name and address. Every writing method leaves `events` in the outbox in the same durable write.

    Partitions: users and accounts by user id; names and addresses each by their own key (one winner a key).
    """

    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        """Keep a new user with account and first session.

        Raises AlreadyTaken("username") or AlreadyTaken("email"), and then keeps nothing. A name stays taken for
        good, an address until its account is erased.
        """
        ...

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        """The users among `ids`, deleted ones included; the missing are absent."""
        ...

    async def ids_by_name(self, keys: Collection[str]) -> Mapping[str, UserId]:
        """User ids by `names.username_key`; of deleted users too; the missing are absent."""
        ...

    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        """Replace the row if `user.version` is greater than the kept one's; None when it is not.

        With `over`, only while the kept one's is still that: so that of two who change what they read, the second
        reads again, and nothing is lost.
        """
        ...

    async def account(self, user_id: UserId) -> Account | None:
        """The private part; None when there is none or it was erased."""
        ...

    async def user_id_by_email(self, email_key: str) -> UserId | None: ...

    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        """Replace the address by one that is confirmed. Raises AlreadyTaken("email")."""

    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        """Mark the address confirmed if it still is this one; whether it was."""
        ...

    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        """Replace the hash and end all sessions but `keep` (a session id), announced as SessionsEnded.

        Tokens to change the address or the password are void: whoever asked for one knew the old password, or
        read the mail.
        """
        ...

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        """Keep the same password in another form; nothing when `old` is no longer the kept one."""

    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        """Mark the user deleted and end all sessions: announced as UserChanged, UserDeleted and SessionsEnded.

        Repeatable.
        """
        ...

    async def erase_account(self, user_id: UserId) -> None:
        """Drop the account, its address, sessions and single-use tokens, and blank the profile.

        The name stays taken.
        """

    async def user_ids(self, after: UserId, limit: int) -> Sequence[UserId]:
        """All user ids above `after`, rising: for rebuilds. A walk over partitions, not for requests."""
        ...


class SessionStore(Protocol):
    """Sessions by token hash, and by user."""

    async def add_session(self, session: Session) -> None:
        """Keep a session. Beyond SESSIONS_MAX the user's longest unused one ends."""

    async def session_by_token(self, token_hash: bytes) -> Session | None:
        """The session, expired ones too; None when there is none."""
        ...

    async def sessions_of(self, user_id: UserId) -> Sequence[Session]:
        """Newest first, at most SESSIONS_MAX."""
        ...

    async def touch_session(self, token_hash: bytes, last_used_ms: int) -> None:
        """Note the use; never moves backwards; nothing when the session ended."""

    async def end_session(self, user_id: UserId, session_id: str) -> Position | None:
        """End one session of this user, announced as SessionsEnded; None when there was none."""
        ...


class OneTimeTokenStore(Protocol):
    """Single-use tokens, by hash."""

    async def add_token(self, token: OneTimeToken) -> None:
        """Keep it; earlier ones of the same user and purpose are void."""

    async def take_token(self, token_hash: bytes, purpose: TokenPurpose) -> OneTimeToken | None:
        """Remove and return it, expired or not; exactly one taker gets it."""
        ...
