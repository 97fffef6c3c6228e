"""Whom the users connected to this node follow, turned round: author -> connected followers.

edge.live.room -> LocalFollows -> RelationView
"""

from collections.abc import Collection, Container
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from roost.domain.ids import UserId
from roost.views.relations import RelationView

NONE: AbstractSet[UserId] = frozenset()


@dataclass(slots=True)
class LocalFollows:
    """`connected` is the room's own map. Whoever is in `changed` is read anew before the next tweet is told."""

    relations: RelationView
    connected: Container[UserId]
    changed: set[UserId] = field(default_factory=set)
    _of_user: dict[UserId, Collection[UserId]] = field(default_factory=dict)
    _of_author: dict[UserId, set[UserId]] = field(default_factory=dict)

    def of_author(self, author: UserId) -> AbstractSet[UserId]:
        """His followers here, as of the last `note_changes`."""
        return self._of_author.get(author, NONE)

    def may_have(self, author: UserId) -> bool:
        """Whether somebody here follows him, or may do so once the changes are noted."""
        return bool(self.changed) or author in self._of_author

    async def note_changes(self) -> None:
        while self.changed:
            user = self.changed.pop()
            try:
                await self.note(user)
            except BaseException:
                self.changed.add(user)
                raise

    async def note(self, user: UserId) -> None:
        """Bring the map up to what the user follows now."""
        follows = (await self.relations.of(user)).follows
        if user not in self.connected:  # left meanwhile
            return
        before = self._of_user.get(user, NONE)
        self._of_user[user] = follows
        for author in follows:
            if author not in before:
                self._of_author.setdefault(author, set()).add(user)
        for author in before:
            if author not in follows:
                self._unfollow(author, user)

    def forget(self, user: UserId) -> None:
        """He is not connected any more."""
        self.changed.discard(user)
        for author in self._of_user.pop(user, NONE):
            self._unfollow(author, user)

    def _unfollow(self, author: UserId, user: UserId) -> None:
        followers = self._of_author.get(author)
        if followers is not None:
            followers.discard(user)
            if not followers:
                del self._of_author[author]
