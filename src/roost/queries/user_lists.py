"""Read lists of users: followers, followed, requests, blocks and mutes.

edge.native.relations, edge.native.lists -> UserLists -> RelationStore (rows), visibility
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from roost.domain.errors import Forbidden, NotFound
from roost.domain.ids import UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations
from roost.domain.user import User
from roost.domain.visibility import may_see_tweets_of, may_see_user
from roost.ports.relations import RelationStore
from roost.views.lists import ListPage, Rows, fill_list
from roost.views.relations import RelationView
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class UserLists:
    """Each newest first. Left out are the deleted and those with a block between them and the viewer, either way."""

    store: RelationStore
    users: UserView
    relations: RelationView

    async def followers(self, of: UserId, viewer: UserId | None, limit: int, before: int | None) -> ListPage[UserId]:
        """Raises NotFound for who is not to be seen, Forbidden for whose tweets are not."""
        relations = await self._allowed(of, viewer)
        return await self._objects_of(RelationKind.FOLLOW, of, relations, limit, before)

    async def following(self, of: UserId, viewer: UserId | None, limit: int, before: int | None) -> ListPage[UserId]:
        """Raises as `followers`."""
        relations = await self._allowed(of, viewer)
        return await self._subjects_of(RelationKind.FOLLOW, of, _unblocked(relations), limit, before)

    async def requests(self, viewer: UserId, limit: int, before: int | None) -> ListPage[UserId]:
        """Who waits to be accepted."""
        relations = await self.relations.of(viewer)
        return await self._objects_of(RelationKind.REQUEST, viewer, relations, limit, before)

    async def blocks(self, viewer: UserId, limit: int, before: int | None) -> ListPage[UserId]:
        """Whom the viewer blocks; but not those who block him too, of whom he may know nothing."""
        relations = await self.relations.of(viewer)
        return await self._subjects_of(RelationKind.BLOCK, viewer, _known(relations), limit, before)

    async def mutes(self, viewer: UserId, limit: int, before: int | None) -> ListPage[UserId]:
        """Whom the viewer mutes, likewise."""
        relations = await self.relations.of(viewer)
        return await self._subjects_of(RelationKind.MUTE, viewer, _known(relations), limit, before)

    async def _allowed(self, of: UserId, viewer: UserId | None) -> Relations:
        relations = await self.relations.of(viewer)
        user = await self.users.get(of)
        if user is None or not may_see_user(user, relations):
            raise NotFound(f"no user {of}")
        if not may_see_tweets_of(user, relations):
            raise Forbidden(f"the follows of user {of} are not for you")
        return relations

    async def _objects_of(
        self, kind: RelationKind, user: UserId, viewer: Relations, limit: int, before: int | None
    ) -> ListPage[UserId]:
        """Those who do it to the user."""
        rows: Rows[Relation, UserId] = Rows(
            lambda cursor, size: self.store.of_object(kind, user, _version(cursor), size),
            lambda relations: self._visible([one.subject for one in relations], _unblocked(viewer)),
            lambda relation: relation.version,
        )
        return await fill_list(rows, before, limit)

    async def _subjects_of(
        self, kind: RelationKind, user: UserId, shown: Callable[[User], bool], limit: int, before: int | None
    ) -> ListPage[UserId]:
        """Those to whom the user does it."""
        rows: Rows[Relation, UserId] = Rows(
            lambda cursor, size: self.store.of_subject(kind, user, _version(cursor), size),
            lambda relations: self._visible([one.object for one in relations], shown),
            lambda relation: relation.version,
        )
        return await fill_list(rows, before, limit)

    async def _visible(self, ids: Sequence[UserId], shown: Callable[[User], bool]) -> list[UserId | None]:
        users = await self.users.get_many(ids)
        return [id if id in users and shown(users[id]) else None for id in ids]


def _known(viewer: Relations) -> Callable[[User], bool]:
    return lambda user: may_see_user(user, viewer)


def _unblocked(viewer: Relations) -> Callable[[User], bool]:
    return lambda user: may_see_user(user, viewer) and user.id not in viewer.blocks


def _version(cursor: int | None) -> Version | None:
    return None if cursor is None else Version(cursor)
