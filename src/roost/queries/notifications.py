"""Read notifications: what others did to a user, as far as he may see it now.

edge.native.notifications, edge.live -> Notifications -> NotificationStore, Sight (visible)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.notification import Notification
from roost.domain.user import User
from roost.domain.visibility import Place
from roost.ports.notifications import NotificationStore
from roost.views.lists import ListPage, Rows, fill_list
from roost.views.relations import RelationView
from roost.views.sight import Seen, Sight
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class SeenNotification:
    """A notification with who did it and, where the act has one, its tweet."""

    notification: Notification
    actor: User
    tweet: Seen | None = None


@dataclass(frozen=True, slots=True)
class Notifications:
    """Judged when read: an act of somebody muted, blocked or deleted, or of a tweet that is gone or not to be seen,
    is left out, and is back when that ends.
    """

    store: NotificationStore
    users: UserView
    relations: RelationView
    sight: Sight

    async def __call__(self, user: UserId, limit: int, before: int | None) -> ListPage[SeenNotification]:
        rows = Rows(
            lambda cursor, size: self.store.page(user, cursor, size),
            lambda notifications: self.see(user, notifications),
            lambda notification: notification.id,
        )
        return await fill_list(rows, before, limit)

    async def one(self, user: UserId, id: int) -> SeenNotification | None:
        """None where it is gone or not to be shown now."""
        notification = await self.store.get(user, id)
        return None if notification is None else (await self.see(user, [notification]))[0]

    async def see(self, user: UserId, notifications: Sequence[Notification]) -> list[SeenNotification | None]:
        """Each as the user may see it, None where he may not."""
        ids = list(dict.fromkeys(one.tweet_id for one in notifications if one.tweet_id is not None))
        # By its id, since a home timeline holds none of whom one does not follow; the mute is asked below.
        tweets = {seen.tweet.id: seen for seen in await self.sight.of(ids, user, Place.DIRECT)}
        actors = await self.users.get_many({one.actor for one in notifications})
        relations = await self.relations.of(user)

        def seen(one: Notification) -> SeenNotification | None:
            actor = actors.get(one.actor)
            if actor is None or actor.deleted or relations.blocked(actor.id) or actor.id in relations.mutes:
                return None
            if one.tweet_id is None:
                return SeenNotification(one, actor)
            tweet = tweets.get(one.tweet_id)
            return None if tweet is None else SeenNotification(one, actor, tweet)

        return [seen(one) for one in notifications]
