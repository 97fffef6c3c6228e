"""Users and their accounts in dictionaries."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.domain.errors import AlreadyTaken, NotFound
from roost.domain.events import Event, UserChanged, UserDeleted
from roost.domain.ids import ContentId, Position, UserId, Version
from roost.domain.names import username_key
from roost.domain.user import Account, Session, TokenPurpose, User


class MemoryAccountStore:
    """No method waits for anything before it is done: so each is one step, as a transaction is."""

    def __init__(
        self,
        leave: Callable[[Sequence[Event]], Position],
        sessions: MemorySessionStore,
        tokens: MemoryOneTimeTokenStore,
    ) -> None:
        self._leave = leave
        self._sessions = sessions
        self._tokens = tokens
        self._users: dict[UserId, User] = {}
        self._ids_by_name: dict[str, UserId] = {}
        self._accounts: dict[UserId, Account] = {}
        self._ids_by_email: dict[str, UserId] = {}

    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        key = username_key(user.username)
        if key in self._ids_by_name:
            raise AlreadyTaken("username", f"the username {user.username} is taken")
        self._refuse_taken_email(account.user_id, account.email_key)
        self._users[user.id] = user
        self._ids_by_name[key] = user.id
        self._accounts[user.id] = account
        self._ids_by_email[account.email_key] = user.id
        if session is not None:
            await self._sessions.add_session(session)
        return self._leave(events)

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        return {id: self._users[id] for id in ids if id in self._users}

    async def ids_by_name(self, keys: Collection[str]) -> Mapping[str, UserId]:
        return {key: self._ids_by_name[key] for key in keys if key in self._ids_by_name}

    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        """A deleted user stays deleted: whoever read the row before the deletion cannot bring it back."""
        kept = self._users.get(user.id)
        if kept is None or kept.version >= user.version or kept.deleted:
            return None
        if over is not None and kept.version != over:
            return None
        self._users[user.id] = user
        return self._leave(events)

    async def account(self, user_id: UserId) -> Account | None:
        return self._accounts.get(user_id)

    async def user_id_by_email(self, email_key: str) -> UserId | None:
        return self._ids_by_email.get(email_key)

    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        self._refuse_taken_email(user_id, email_key)
        account = self._accounts.get(user_id)
        if account is None:
            return
        del self._ids_by_email[account.email_key]
        self._ids_by_email[email_key] = user_id
        self._accounts[user_id] = replace(account, email=email, email_key=email_key, email_confirmed=True)

    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        account = self._accounts.get(user_id)
        if account is None or account.email != email:
            return False
        self._accounts[user_id] = replace(account, email_confirmed=True)
        return True

    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        account = self._accounts.get(user_id)
        if account is not None:
            self._accounts[user_id] = replace(account, password_hash=password_hash)
        self._tokens.drop(user_id, (TokenPurpose.CHANGE_EMAIL, TokenPurpose.RESET_PASSWORD))
        return self._leave([self._sessions.end_all(user_id, keep)])

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        account = self._accounts.get(user_id)
        if account is not None and account.password_hash == old:
            self._accounts[user_id] = replace(account, password_hash=new)

    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        """Announces again when repeated: an erasure that was cut short begins anew. Raises NotFound."""
        user = self._kept(user_id)
        deleted = self._users[user_id] = replace(user, deleted=True, version=max(user.version, version))
        return self._leave(
            [
                UserChanged(user_id, deleted.version),
                UserDeleted(user_id, deleted.version),
                self._sessions.end_all(user_id, keep=None),
            ]
        )

    async def erase_account(self, user_id: UserId) -> None:
        """Raises NotFound."""
        self._users[user_id] = replace(self._kept(user_id), display_name="", bio="", avatar=None)
        account = self._accounts.pop(user_id, None)
        if account is not None:
            del self._ids_by_email[account.email_key]
        self._tokens.drop_all(user_id)
        ended = self._sessions.end_all(user_id, keep=None)
        if ended.session_ids:
            self._leave([ended])

    async def user_ids(self, after: UserId, limit: int) -> Sequence[UserId]:
        return sorted(id for id in self._users if id > after)[:limit]

    def is_avatar(self, content: ContentId) -> bool:
        """Whether some profile shows it."""
        return any(user.avatar == content for user in self._users.values())

    def _kept(self, user_id: UserId) -> User:
        if user_id not in self._users:
            raise NotFound(f"no user has the id {user_id}")
        return self._users[user_id]

    def _refuse_taken_email(self, user_id: UserId, email_key: str) -> None:
        if self._ids_by_email.get(email_key, user_id) != user_id:
            raise AlreadyTaken("email", "the e-mail address is taken")
