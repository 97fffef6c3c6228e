"""Tell users of what others did to them.

EventLog -> Notify -> NotificationStore -> queries.notifications, push_live

Whether a notification may be shown is judged again when it is read or pushed; here only who it is for. An act that
was undone before its fact came is not told: the row is read again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

from roost.domain.events import Event, LikeChanged, RelationChanged, TweetDeleted, TweetPosted
from roost.domain.ids import TweetId, UserId
from roost.domain.notification import Notification, NotificationKind
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import Tweet
from roost.ports.likes import Like, LikeStore
from roost.ports.notifications import NotificationStore
from roost.ports.relations import RelationStore
from roost.views.tweets import TweetView

REBUILD_BATCH = 200
"""Rows looked at in one step: some 10 ms of the loop."""

_RELATION_KINDS = {
    RelationKind.FOLLOW: NotificationKind.FOLLOW,
    RelationKind.REQUEST: NotificationKind.FOLLOW_REQUEST,
}


@dataclass(slots=True)
class Notify:
    """Facts are gathered, and written by `flush`, some hundred in one durable write."""

    notifications: NotificationStore
    tweets: TweetView
    likes: LikeStore
    relations: RelationStore
    _told: dict[tuple[UserId, int], Notification] = field(default_factory=dict)
    _undone: dict[UserId, set[int]] = field(default_factory=dict)

    async def flush(self) -> None:
        """Write what was gathered. What fails stays gathered."""
        told, undone = list(self._told.values()), dict(self._undone)
        if told:
            await self.notifications.add(told)
        # Side by side, so that they share a flush of the disk.
        await asyncio.gather(*(self.notifications.remove(user, ids) for user, ids in undone.items()))
        self._told.clear()
        self._undone.clear()

    def _tell(self, notification: Notification) -> None:
        self._told[notification.user_id, notification.id] = notification

    def _undo(self, user: UserId, id: int) -> None:
        """Also what is gathered and not written."""
        self._told.pop((user, id), None)
        self._undone.setdefault(user, set()).add(id)

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
        if tweet is not None and not tweet.deleted:
            for one in told.values():
                self._tell(one)

    async def _tweet_deleted(self, event: TweetDeleted) -> None:
        tweet = await self.tweets.get(event.tweet_id)
        if tweet is None:
            return
        addressed = [mention.user_id for mention in tweet.mentions]
        others = (tweet.reply_to_author, tweet.retweet_of_author, tweet.quote_of_author)
        for user in {*addressed, *(other for other in others if other is not None)}:
            self._undo(user, event.tweet_id)

    async def _like_changed(self, event: LikeChanged) -> None:
        if event.tweet_author == event.user_id:
            return
        kept = await self.likes.holds(event.user_id, event.tweet_id)
        if event.now and kept is not None and kept.version == event.version:
            like = Notification(event.version, event.tweet_author, NotificationKind.LIKE, event.user_id, event.tweet_id)
            self._tell(like)
        elif not event.now:
            self._undo(event.tweet_author, event.version)

    async def _relation_changed(self, event: RelationChanged) -> None:
        kind = _RELATION_KINDS.get(RelationKind(event.kind))
        if kind is None:
            return
        kept = await self.relations.holds(RelationKind(event.kind), event.subject, event.object)
        if event.now and kept is not None and kept.version == event.version:
            self._tell(Notification(event.version, event.object, kind, event.subject))
        elif not event.now:
            self._undo(event.object, event.version)

    async def rebuild(self, settled_before: int) -> AsyncIterator[int]:
        """Drop what no row bears out, then keep what is missing, without telling anybody. Nothing that is right is
        absent meanwhile. Acts with ids from `settled_before` on are left to their facts, which tell of them.

        Yields how many rows were looked at, after each step. Facts may be dealt with between steps, not within one.
        """
        done = 0
        kept: Notification | None = None
        while notifications := await self.notifications.scan(kept, REBUILD_BATCH):
            for each in await self._unfounded([each for each in notifications if each.id < settled_before]):
                await self.notifications.remove(each.user_id, [each.id])
            kept, done = notifications[-1], done + len(notifications)
            yield done
        async for told, rows in self._borne_out():
            await self.notifications.restore([each for each in told if each.id < settled_before])
            done += rows
            yield done

    async def _borne_out(self) -> AsyncIterator[tuple[Sequence[Notification], int]]:
        """All that the rows give, batch by batch, and of how many rows."""
        tweet = TweetId(0)
        while tweets := await self.tweets.store.scan(tweet, REBUILD_BATCH):
            yield [told for row in tweets if not row.deleted for told in _of_tweet(row)], len(tweets)
            tweet = tweets[-1].id
        like: Like | None = None
        while likes := await self.likes.scan(like, REBUILD_BATCH):
            yield [_of_like(row) for row in likes if row.tweet_author != row.user_id], len(likes)
            like = likes[-1]
        relation: Relation | None = None
        while relations := await self.relations.scan(relation, REBUILD_BATCH):
            yield [told for row in relations for told in _of_relation(row)], len(relations)
            relation = relations[-1]

    async def _unfounded(self, notifications: Sequence[Notification]) -> list[Notification]:
        """Those that the rows, as they are now, would not give."""
        ids = {each.tweet_id for each in notifications if each.tweet_id is not None}
        tweets = await self.tweets.store.get_many(ids)
        founded: set[Notification] = set()
        for tweet in tweets.values():
            if not tweet.deleted:
                founded.update(_of_tweet(tweet))
        for each in notifications:
            if each.kind is NotificationKind.LIKE and each.tweet_id is not None:
                like = await self.likes.holds(each.actor, each.tweet_id)
                founded.update([] if like is None else [_of_like(like)])
            elif each.kind in _RELATION_KINDS.values():
                kind = next(relation for relation, told in _RELATION_KINDS.items() if told is each.kind)
                row = await self.relations.holds(kind, each.actor, each.user_id)
                founded.update([] if row is None else _of_relation(row))
        return [each for each in notifications if each not in founded]


def _of_tweet(tweet: Tweet) -> list[Notification]:
    event = TweetPosted.of(tweet)
    told = {user: Notification(tweet.id, user, kind, tweet.author, tweet.id) for user, kind in _told(event)}
    told.pop(tweet.author, None)
    return list(told.values())


def _of_like(like: Like) -> Notification:
    return Notification(like.version, like.tweet_author, NotificationKind.LIKE, like.user_id, like.tweet_id)


def _of_relation(row: Relation) -> list[Notification]:
    kind = _RELATION_KINDS.get(row.kind)
    return [] if kind is None else [Notification(row.version, row.object, kind, row.subject)]


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
