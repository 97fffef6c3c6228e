"""Erase what a deleted user left behind: account and address, tweets, likes, relations, content, notifications.

EventLog (UserDeleted) -> EraseUser -> every store, the storage of bytes

Nobody sees any of it from the moment of the deletion: the rules of sight say so. A turn erases a bounded part, and
puts the fact on the log again while something may be left, behind what others did meanwhile. Each step may be
repeated, so a crash costs nothing but a step done twice.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.content import Digest
from roost.domain.events import (
    Event,
    LikeChanged,
    Notified,
    RelationChanged,
    TweetDeleted,
    TweetPosted,
    UserDeleted,
)
from roost.domain.ids import UserId
from roost.domain.tweet import Tweet
from roost.ports.accounts import AccountStore
from roost.ports.clock import Clock
from roost.ports.content_bytes import UPLOAD_MS_MAX, ContentBytes
from roost.ports.contents import ContentStore
from roost.ports.ids import IdSource
from roost.ports.likes import LikeStore
from roost.ports.log import EventLog
from roost.ports.notifications import NotificationStore
from roost.ports.relations import RelationStore
from roost.ports.tweets import TweetStore
from roost.views.users import UserView

ROWS_A_TURN = 200
"""Of each kind: some 800 small writes, which share commits, so that a turn takes well below a second."""


@dataclass(frozen=True, slots=True)
class EraseUser:
    accounts: AccountStore
    tweets: TweetStore
    likes: LikeStore
    relations: RelationStore
    contents: ContentStore
    content_bytes: ContentBytes
    notifications: NotificationStore
    users: UserView
    ids: IdSource
    clock: Clock
    log: EventLog

    async def __call__(self, event: Event) -> None:
        match event:
            case UserDeleted():
                await self._turn(event.user_id)
            # What was under way when its user went comes after the deletion, and goes too.
            case TweetPosted():
                await self._late(event.author_id)
            case LikeChanged() if event.now:
                await self._late(event.user_id)
            case RelationChanged() if event.now:
                await self._late(event.subject)
                await self._late(event.object)
            case Notified():
                await self._late(event.user_id)
            case _:
                pass

    async def _late(self, user_id: UserId) -> None:
        user = self.users.cache.peek(user_id) or await self.users.get(user_id)
        if user is not None and user.deleted:
            await self._turn(user_id)

    async def _turn(self, user_id: UserId) -> None:
        user = (await self.accounts.users([user_id])).get(user_id)
        if user is None or not user.deleted:
            return
        # First, since it frees the address and takes the picture off the profile.
        await self.accounts.erase_account(user_id)
        full = [
            await self._tweets(user_id),
            await self._likes(user_id),
            await self.relations.erase(user_id, ROWS_A_TURN) >= ROWS_A_TURN,
            await self._contents(user_id),
            await self._notifications(user_id),
        ]
        if any(full):
            await self.log.append([UserDeleted(user_id, user.version)])

    async def _tweets(self, user_id: UserId) -> bool:
        """Whether there may be more, as of each kind below."""
        ids = await self.tweets.by_authors([user_id], None, None, ROWS_A_TURN)
        tweets = await self.tweets.get_many(ids)
        await asyncio.gather(*(self._delete(tweet) for tweet in tweets.values()))
        return len(ids) >= ROWS_A_TURN

    async def _delete(self, tweet: Tweet) -> None:
        """As its author would: so the index, the counts, the lists and the notifications follow."""
        version = self.ids.next_version(tweet.version)
        event = TweetDeleted(tweet.id, tweet.author, version, tweet.reply_to, tweet.retweet_of, tweet.quote_of)
        await self.tweets.delete(tweet, version, [event])

    async def _likes(self, user_id: UserId) -> bool:
        likes = await self.likes.by_user(user_id, None, ROWS_A_TURN)
        await asyncio.gather(*(self.likes.remove(user_id, like.tweet_id) for like in likes))
        return len(likes) >= ROWS_A_TURN

    async def _contents(self, user_id: UserId) -> bool:
        now_ms = self.clock.now_ms()
        rows = await self.contents.of_owner(user_id, None, ROWS_A_TURN)
        await self._delete_bytes(await self.contents.remove([row.id for row in rows]), now_ms)
        return len(rows) >= ROWS_A_TURN

    async def _delete_bytes(self, digests: Sequence[str], now_ms: int) -> None:
        """What is too young, and what a crash leaves here, has no row: the sweep of the storage finds it."""
        for digest in digests:
            await self.content_bytes.delete(Digest(digest), now_ms - UPLOAD_MS_MAX)

    async def _notifications(self, user_id: UserId) -> bool:
        page = await self.notifications.page(user_id, None, ROWS_A_TURN)
        await self.notifications.remove(user_id, [one.id for one in page])
        return len(page) >= ROWS_A_TURN
