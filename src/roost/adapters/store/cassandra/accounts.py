"""Users and their accounts in Cassandra.

commands/register_user, … -> (here) -> adapters/store/cassandra/user_rows, account_rows, sessions

A user is there once the batch with the row and the name is: claims and the account before it are of nobody else's
use, and void if the batch does not follow.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from roost.adapters.store.cassandra.account_rows import AccountRows, is_key
from roost.adapters.store.cassandra.buckets import bucket_of
from roost.adapters.store.cassandra.claims import ClaimKind, Claims
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.merging import BEYOND_ALL, Read, Stretch, foremost
from roost.adapters.store.cassandra.outbox import CassandraOutbox, together
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.sessions import SessionRows, put_session
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.adapters.store.cassandra.tokens import TokenRows
from roost.adapters.store.cassandra.user_rows import UserRows, put_user
from roost.domain.errors import AlreadyTaken, NotFound
from roost.domain.events import Event, UserChanged, UserDeleted
from roost.domain.ids import ContentId, Position, UserId, Version
from roost.domain.names import username_key
from roost.domain.user import Account, Session, TokenPurpose, User

LIST, PARTS = "user_ids", 16
"""All ids, by month, in as many partitions a month."""

_ID_OF = Cql("SELECT user_id FROM names WHERE name_key = ?")
_PUT_NAME = Cql("INSERT INTO names (name_key, user_id) VALUES (?, ?)")
_PUT_ID = Cql("INSERT INTO user_ids (month, part, user_id) VALUES (?, ?, ?)")
_IDS = Cql("SELECT user_id FROM user_ids WHERE month = ? AND part = ? AND user_id > ? AND user_id < ? LIMIT ?")


class ProfilePictures(Protocol):
    """The contents that profiles show: nobody may remove them."""

    async def show(self, picture: ContentId, user: UserId) -> None:
        """Before a profile names it."""

    async def hide(self, picture: ContentId, user: UserId) -> None:
        """After the profile names it no more."""


class CassandraAccountStore:
    def __init__(
        self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox, pictures: ProfilePictures
    ) -> None:
        self._session = session
        self._spans = spans
        self._outbox = outbox
        self._pictures = pictures
        self._claims = Claims(session, outbox.now_ms)
        self._users = UserRows(session, outbox)
        self._accounts = AccountRows(session, self._claims)
        self._sessions = SessionRows(session, outbox)
        self._tokens = TokenRows(session)

    async def create(self, user: User, account: Account, session: Session | None, events: Sequence[Event]) -> Position:
        key = username_key(user.username)
        if await self._claims.claim(ClaimKind.USERNAME, key, user.id, self._users.is_there) != user.id:
            raise AlreadyTaken("username", f"the username {user.username} is taken")
        try:
            await self._accounts.claim_email(account.user_id, account.email_key)
        except AlreadyTaken:
            await self._claims.release(ClaimKind.USERNAME, key, user.id)
            raise
        await self._accounts.create(account)
        if user.avatar is not None:
            await self._pictures.show(user.avatar, user.id)
        left = self._outbox.leave(events)
        month = month_of(user.id)
        rows = [put_user(user), _PUT_NAME(key, user.id), _PUT_ID(month, bucket_of(user.id, PARTS), user.id)]
        rows += [] if session is None else put_session(session)
        await self._spans.write([*rows, *left.rows], [(LIST, 0, month)])
        return await self._outbox.tell(left)

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        return await self._users.get_many(ids)

    async def ids_by_name(self, keys: Collection[str]) -> Mapping[str, UserId]:
        some = [key for key in dict.fromkeys(keys) if is_key(key)]
        rows = await each_of(lambda key: self._session.row(_ID_OF, key), some)
        return {key: UserId(row[0]) for key, row in zip(some, rows, strict=True) if row is not None}

    async def save_user(self, user: User, events: Sequence[Event], over: Version | None = None) -> Position | None:
        """A deleted user stays deleted: whoever read the row before the deletion cannot bring it back."""

        def change(kept: User) -> tuple[User, list[Event]] | None:
            stale = kept.version >= user.version or (over is not None and kept.version != over)
            return None if stale or kept.deleted else (user, list(events))

        if user.avatar is not None:
            await self._pictures.show(user.avatar, user.id)
        try:
            changed = await self._users.change(user.id, change)
        except NotFound:
            changed = None
        if changed is None:
            return None
        before, _, left = changed
        await self._hide(before, unless=user.avatar)
        return await self._outbox.tell(left)

    async def account(self, user_id: UserId) -> Account | None:
        return await self._accounts.get(user_id)

    async def user_id_by_email(self, email_key: str) -> UserId | None:
        return await self._accounts.owner_of(email_key)

    async def change_email(self, user_id: UserId, email: str, email_key: str) -> None:
        await self._accounts.change_email(user_id, email, email_key)

    async def confirm_email(self, user_id: UserId, email: str) -> bool:
        return await self._accounts.confirm_email(user_id, email)

    async def change_password(
        self, user_id: UserId, password_hash: str, keep: str | None, version: Version
    ) -> Position:
        await self._accounts.change_password(user_id, password_hash)
        await self._tokens.drop(user_id, TokenPurpose.CHANGE_EMAIL, TokenPurpose.RESET_PASSWORD)
        return await self._outbox.tell(await self._sessions.end_all(user_id, keep))

    async def replace_password_hash(self, user_id: UserId, old: str, new: str) -> None:
        await self._accounts.replace_password_hash(user_id, old, new)

    async def delete_user(self, user_id: UserId, version: Version) -> Position:
        """Announces again when repeated: an erasure that was cut short begins anew. Raises NotFound."""

        def change(kept: User) -> tuple[User, list[Event]]:
            deleted = replace(kept, deleted=True, version=max(kept.version, version))
            return deleted, [UserChanged(user_id, deleted.version), UserDeleted(user_id, deleted.version)]

        changed = await self._users.change(user_id, change)
        ended = await self._sessions.end_all(user_id, keep=None)
        return await self._outbox.tell(ended if changed is None else together(changed[2], ended))

    async def erase_account(self, user_id: UserId) -> None:
        """Raises NotFound."""
        changed = await self._users.change(
            user_id, lambda kept: (replace(kept, display_name="", bio="", avatar=None), [])
        )
        if changed is not None:
            await self._hide(changed[0], unless=None)
        await self._accounts.erase(user_id)
        await self._tokens.drop(user_id, *TokenPurpose)
        if await self._sessions.of(user_id):
            await self._outbox.tell(await self._sessions.end_all(user_id, keep=None))

    async def user_ids(self, after: UserId, limit: int) -> Sequence[UserId]:
        found: list[UserId] = []
        for month in await self._spans.of(LIST, 0):
            if month >= month_of(after) and len(found) < limit:
                parts = [self._ids_of(month, part) for part in range(PARTS)]
                rows = await foremost(parts, Stretch.above(after), limit - len(found))
                found += [UserId(row[0]) for row in rows]
        return found

    def _ids_of(self, month: int, part: int) -> Read:
        async def read(stretch: Stretch, size: int) -> Sequence[Row]:
            return await self._session.rows(_IDS, month, part, stretch.after, BEYOND_ALL, size)

        return read

    async def _hide(self, before: User, *, unless: ContentId | None) -> None:
        if before.avatar is not None and before.avatar != unless:
            await self._pictures.hide(before.avatar, before.id)
