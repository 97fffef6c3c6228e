"""Tell users of what others did to them.

EventLog -> Notify -> NotificationStore -> queries.notifications, push_live

Whether a notification may be shown is judged again when it is read or pushed; here only who it is for. An act that
was undone before its fact came is not told: the row is read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from roost.domain.events import Event, LikeChanged, RelationChanged, TweetDeleted, TweetPosted
from roost.domain.ids import UserId
from roost.domain.notification import Notification, NotificationKind
from roost.domain.relation import RelationKind
from roost.ports.likes import LikeStore
from roost.ports.notifications import NotificationStore
from roost.ports.relations import RelationStore
from roost.views.tweets import TweetView

_RELATION_KINDS = {
    RelationKind.FOLLOW: NotificationKind.FOLLOW,
    RelationKind.REQUEST: NotificationKind.FOLLOW_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Notify:
    notifications: NotificationStore
    tweets: TweetView
    likes: LikeStore
    relations: RelationStore

    async def __call__(self, event: Event) -> None:
        match event:
            case TweetPosted():
                await self._tweet_posted(event)
            case TweetDeleted():
                await self._tweet_deleted(event)
            case LikeChanged():
                await self._like_changed(event)
            case RelationChanged():
                await self._relation_changed(event)
            case _:
                pass

    async def _tweet_posted(self, event: TweetPosted) -> None:
        told = {
            user: Notification(event.tweet_id, user, kind, event.author_id, event.tweet_id)
            for user, kind in _told(event)
        }
        told.pop(event.author_id, None)
        tweet = await self.tweets.get(event.tweet_id)
        if told and tweet is not None and not tweet.deleted:
            await self.notifications.add(list(told.values()))

    async def _tweet_deleted(self, event: TweetDeleted) -> None:
        tweet = await self.tweets.get(event.tweet_id)
        if tweet is None:
            return
        addressed = [mention.user_id for mention in tweet.mentions]
        others = (tweet.reply_to_author, tweet.retweet_of_author, tweet.quote_of_author)
        for user in {*addressed, *(other for other in others if other is not None)}:
            await self.notifications.remove(user, [event.tweet_id])

    async def _like_changed(self, event: LikeChanged) -> None:
        if event.tweet_author == event.user_id:
            return
        kept = await self.likes.holds(event.user_id, event.tweet_id)
        if event.now and kept is not None and kept.version == event.version:
            like = Notification(event.version, event.tweet_author, NotificationKind.LIKE, event.user_id, event.tweet_id)
            await self.notifications.add([like])
        elif not event.now:
            await self.notifications.remove(event.tweet_author, [event.version])

    async def _relation_changed(self, event: RelationChanged) -> None:
        kind = _RELATION_KINDS.get(RelationKind(event.kind))
        if kind is None:
            return
        kept = await self.relations.holds(RelationKind(event.kind), event.subject, event.object)
        if event.now and kept is not None and kept.version == event.version:
            await self.notifications.add([Notification(event.version, event.object, kind, event.subject)])
        elif not event.now:
            await self.notifications.remove(event.object, [event.version])


def _told(event: TweetPosted) -> Iterable[tuple[UserId, NotificationKind]]:
    """Who is told what, the stronger kinds last, so that they stand where one user is told twice."""
    for user in event.mentioned:
        yield user, NotificationKind.MENTION
    if event.quote_of_author is not None:
        yield event.quote_of_author, NotificationKind.QUOTE
    if event.reply_to_author is not None:
        yield event.reply_to_author, NotificationKind.REPLY
    if event.retweet_of_author is not None:
        yield event.retweet_of_author, NotificationKind.RETWEET
