"""Erase the images and videos of deleted tweets.

EventLog (TweetDeleted) -> EraseContent -> ContentStore, ContentBytes

Nobody sees them from the moment of the deletion: their addresses are judged by their tweet. Repeating it changes
nothing. What is in use as its owner's picture stays until the account goes.
"""

from dataclasses import dataclass

from roost.domain.content import Digest
from roost.domain.events import Event, TweetDeleted
from roost.ports.clock import Clock
from roost.ports.content_bytes import UPLOAD_MS_MAX, ContentBytes
from roost.ports.contents import ContentStore
from roost.ports.tweets import TweetStore
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class EraseContent:
    tweets: TweetStore
    contents: ContentStore
    content_bytes: ContentBytes
    users: UserView
    clock: Clock

    async def __call__(self, event: Event) -> None:
        if not isinstance(event, TweetDeleted):
            return
        tweet = (await self.tweets.get_many([event.tweet_id])).get(event.tweet_id)
        if tweet is None or not tweet.deleted or not tweet.content:
            return
        author = await self.users.get(tweet.author)
        avatar = None if author is None else author.avatar
        now_ms = self.clock.now_ms()
        # Younger bytes may belong to an upload that has no row yet: they are left to the sweep of the storage.
        for digest in await self.contents.remove([id for id in tweet.content if id != avatar]):
            await self.content_bytes.delete(Digest(digest), now_ms - UPLOAD_MS_MAX)
