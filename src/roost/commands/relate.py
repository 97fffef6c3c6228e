"""Follow, block and mute others, and answer their requests.

edge.native.relations -> here -> RelationStore (with the announcement) -> reactions
"""

from dataclasses import dataclass

from roost.domain.errors import Conflict, Forbidden, NotFound
from roost.domain.ids import Position, UserId
from roost.domain.relation import Relation, RelationKind
from roost.domain.user import User
from roost.domain.visibility import may_see_user
from roost.ports.ids import IdSource
from roost.ports.log import NodeProgress
from roost.ports.relations import RelationStore
from roost.views.relations import RelationView
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class Relate:
    """All acts between two users. Each is idempotent."""

    store: RelationStore
    ids: IdSource
    users: UserView
    relations: RelationView
    progress: NodeProgress
    following_max: int

    async def follow(self, user: UserId, other: UserId) -> bool:
        """Whether it holds now; False when it waits for a protected user to accept.

        Raises Conflict (oneself), NotFound (absent, or blocked by them), Forbidden (blocking them), Invalid beyond
        `following_max`.
        """
        target = await self._other(user, other, "follow")
        relations = await self.relations.of(user)
        if other in relations.blocks:
            raise Forbidden(f"you block user {other}")
        if other in relations.follows:
            return True
        kind = RelationKind.REQUEST if target.protected else RelationKind.FOLLOW
        await self._add(kind, user, other)
        return kind is RelationKind.FOLLOW or await self._accepted_at_once(user, other)

    async def unfollow(self, user: UserId, other: UserId) -> None:
        """Also takes back a request. Raises Conflict (oneself), NotFound (absent)."""
        await self._other(user, other, "unfollow")
        await self._remove(RelationKind.FOLLOW, user, other)
        await self._remove(RelationKind.REQUEST, user, other)

    async def block(self, user: UserId, other: UserId) -> None:
        """Also ends follows and requests both ways. Raises Conflict (oneself), NotFound (absent)."""
        await self._existing(user, other, "block")
        await self._add(RelationKind.BLOCK, user, other)

    async def unblock(self, user: UserId, other: UserId) -> None:
        await self._existing(user, other, "unblock")
        await self._remove(RelationKind.BLOCK, user, other)

    async def mute(self, user: UserId, other: UserId) -> None:
        """Raises Conflict (oneself), NotFound (absent, or blocked by them)."""
        await self._other(user, other, "mute")
        await self._add(RelationKind.MUTE, user, other)

    async def unmute(self, user: UserId, other: UserId) -> None:
        await self._existing(user, other, "unmute")
        await self._remove(RelationKind.MUTE, user, other)

    async def accept(self, user: UserId, requester: UserId) -> None:
        """Turn a request into a follow. Raises NotFound where there is none; accepting again changes nothing."""
        request = await self.store.holds(RelationKind.REQUEST, requester, user)
        if request is None:
            if await self.store.holds(RelationKind.FOLLOW, requester, user) is None:
                raise NotFound(f"no follow request of user {requester}")
            return
        await self._accept(request)

    async def reject(self, user: UserId, requester: UserId) -> None:
        """Drop a request. Raises NotFound where there is none."""
        if await self.store.holds(RelationKind.REQUEST, requester, user) is None:
            raise NotFound(f"no follow request of user {requester}")
        await self._remove(RelationKind.REQUEST, requester, user)

    async def _accepted_at_once(self, user: UserId, other: UserId) -> bool:
        """Who lifts his protection accepts all who wait: a request that came just after that would wait for good."""
        target = (await self.users.store.users([other])).get(other)
        if target is None or target.protected:
            return False
        request = await self.store.holds(RelationKind.REQUEST, user, other)
        if request is not None:
            await self._accept(request)
        return await self.store.holds(RelationKind.FOLLOW, user, other) is not None

    async def _accept(self, request: Relation) -> None:
        version = self.ids.next_version(request.version)
        follow = Relation(RelationKind.FOLLOW, request.subject, request.object, version)
        await self._reached(await self.store.accept([follow]))

    async def _existing(self, user: UserId, other: UserId, act: str) -> User:
        if other == user:
            raise Conflict(f"you cannot {act} yourself")
        target = await self.users.get(other)
        if target is None or target.deleted:
            raise NotFound(f"no user {other}")
        return target

    async def _other(self, user: UserId, other: UserId, act: str) -> User:
        target = await self._existing(user, other, act)
        if not may_see_user(target, await self.relations.of(user)):
            raise NotFound(f"no user {other}")
        return target

    async def _add(self, kind: RelationKind, user: UserId, other: UserId) -> None:
        relation = Relation(kind, user, other, self.ids.next_version())
        await self._reached(await self.store.add(relation, self.following_max))

    async def _remove(self, kind: RelationKind, user: UserId, other: UserId) -> None:
        await self._reached(await self.store.remove(kind, user, other, self.ids.next_version()))

    async def _reached(self, position: Position | None) -> None:
        if position is not None:
            await self.progress.reached(position)
