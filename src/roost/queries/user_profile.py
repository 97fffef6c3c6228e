"""Read users as a viewer sees them: the profile, its counts, and how the two stand to each other.

edge.native.users -> UserProfiles -> UserView, RelationView
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.errors import NotFound
from roost.domain.ids import UserId
from roost.domain.relation import RelationKind, Relations
from roost.domain.user import Account, User, UserCounts
from roost.domain.visibility import may_see_user
from roost.ports.accounts import AccountStore
from roost.ports.relations import RelationStore
from roost.views.relations import RelationView
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class Standing:
    """How the viewer stands to a user."""

    following: bool = False
    requested: bool = False
    followed_by: bool = False
    blocking: bool = False
    muting: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """`account` is there for its owner alone."""

    user: User
    counts: UserCounts
    standing: Standing
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class UserProfiles:
    users: UserView
    accounts: AccountStore
    relations: RelationView
    store: RelationStore

    async def one(self, id: UserId, viewer: UserId | None) -> Profile:
        """Raises NotFound for who is not there, is deleted, or blocked the viewer."""
        relations = await self.relations.of(viewer)
        user = await self.users.get(id)
        if user is None or not may_see_user(user, relations):
            raise NotFound(f"no user {id}")
        profile = (await self._profiles([user], relations))[0]
        if viewer != id:
            return profile
        return Profile(user, profile.counts, profile.standing, await self.accounts.account(id))

    async def by_name(self, name: str, viewer: UserId | None) -> Profile:
        """Raises NotFound likewise."""
        id = (await self.users.ids_by_name([name])).get(name)
        if id is None:
            raise NotFound(f"no user {name[:40]!r}")
        return await self.one(id, viewer)

    async def many(self, ids: Sequence[UserId], viewer: UserId | None) -> list[Profile]:
        """Those whom the viewer may see, in the order of `ids`."""
        relations = await self.relations.of(viewer)
        users = await self.users.get_many(ids)
        seen = [users[id] for id in ids if id in users and may_see_user(users[id], relations)]
        return await self._profiles(seen, relations)

    async def _profiles(self, users: Sequence[User], viewer: Relations) -> list[Profile]:
        counts = await self.users.counts([user.id for user in users])
        return [Profile(user, counts[user.id], await self._standing(user.id, viewer)) for user in users]

    async def _standing(self, other: UserId, viewer: Relations) -> Standing:
        if not viewer.viewer or other == viewer.viewer:
            return Standing()
        follow = await self.store.holds(RelationKind.FOLLOW, other, viewer.viewer)
        return Standing(
            following=other in viewer.follows,
            requested=other in viewer.requested,
            followed_by=follow is not None,
            blocking=other in viewer.blocks,
            muting=other in viewer.mutes,
        )
