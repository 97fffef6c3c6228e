"""Change one's own profile.

edge.native.users -> UpdateProfile -> AccountStore (with the announcement) -> reactions
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from roost.domain.content import Kind
from roost.domain.errors import FieldError, Invalid, NotFound, Overloaded
from roost.domain.events import UserChanged
from roost.domain.ids import ContentId, UserId
from roost.domain.names import check_bio, check_display_name
from roost.domain.relation import Relation, RelationKind
from roost.domain.user import User
from roost.ports.accounts import AccountStore
from roost.ports.contents import ContentStore
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.relations import RelationStore

SAVE_TRIES_MAX = 5
REQUESTS_A_WRITE = 500


class Unchanged(Enum):
    """Where None is a value of its own."""

    UNCHANGED = auto()


UNCHANGED = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What is to be changed; None stays as it is. An `avatar` of None is taken away."""

    display_name: str | None = None
    bio: str | None = None
    avatar: ContentId | Unchanged | None = UNCHANGED
    protected: bool | None = None


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    store: AccountStore
    contents: ContentStore
    relations: RelationStore
    ids: IdSource
    progress: NodeProgress

    async def __call__(self, user_id: UserId, changes: ProfileChanges) -> User:
        """The user as he is now. Without protection, whoever waits to follow him does so from now on.

        Raises Invalid with all wrong fields, NotFound once deleted, Overloaded when others keep changing the row.
        """
        checked = await self._checked(user_id, changes)
        user = await self._save(user_id, checked)
        # Also where it was off before: so that asking again completes what was cut short.
        if changes.protected is False:
            await self._accept_waiting(user_id)
        return user

    async def _save(self, user_id: UserId, changes: ProfileChanges) -> User:
        for _ in range(SAVE_TRIES_MAX):
            # From the store, not the cache: what another change wrote must not be undone.
            user = (await self.store.users([user_id])).get(user_id)
            if user is None or user.deleted:
                raise NotFound(f"no user {user_id}")
            changed = _changed(user, changes)
            if changed == user:
                return user
            changed = replace(changed, version=self.ids.next_version(user.version))
            facts = [UserChanged(user_id, changed.version, sight=changed.protected != user.protected)]
            position = await self.store.save_user(changed, facts, over=user.version)
            if position is not None:
                await self.progress.reached(position)
                return changed
        raise Overloaded(f"the profile was changed by others {SAVE_TRIES_MAX} times meanwhile")

    async def _accept_waiting(self, user_id: UserId) -> None:
        """Ends: nobody asks to follow a user who is not protected. A write a REQUESTS_A_WRITE of them."""
        while waiting := await self.relations.of_object(RelationKind.REQUEST, user_id, None, REQUESTS_A_WRITE):
            # The oldest request becomes the oldest follow.
            follows = [
                Relation(RelationKind.FOLLOW, one.subject, user_id, self.ids.next_version(one.version))
                for one in reversed(waiting)
            ]
            position = await self.relations.accept(follows)
            if position is not None:
                await self.progress.reached(position)

    async def _checked(self, user_id: UserId, changes: ProfileChanges) -> ProfileChanges:
        wrong: list[FieldError] = []
        name, bio = changes.display_name, changes.bio
        try:
            name = None if name is None else check_display_name(name)
        except Invalid as error:
            wrong.extend(error.fields)
        try:
            bio = None if bio is None else check_bio(bio)
        except Invalid as error:
            wrong.extend(error.fields)
        if isinstance(changes.avatar, str) and not await self._is_own_picture(user_id, ContentId(changes.avatar)):
            wrong.append(FieldError("avatar_content_id", f"no image {changes.avatar[:40]} of yours that is ready"))
        if wrong:
            raise Invalid("; ".join(f"{one.field}: {one.detail}" for one in wrong), *wrong)
        return replace(changes, display_name=name, bio=bio)

    async def _is_own_picture(self, user_id: UserId, id: ContentId) -> bool:
        content = (await self.contents.get_many([id])).get(id)
        return content is not None and content.owner == user_id and content.ready and content.kind is Kind.IMAGE


def _changed(user: User, changes: ProfileChanges) -> User:
    return replace(
        user,
        display_name=user.display_name if changes.display_name is None else changes.display_name,
        bio=user.bio if changes.bio is None else changes.bio,
        avatar=user.avatar if isinstance(changes.avatar, Unchanged) else changes.avatar,
        protected=user.protected if changes.protected is None else changes.protected,
    )
