"""The system of record: tweets, in the user tweets table that refers to itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from roost.domain.events import Event
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.timeline import Page
from roost.domain.tweet import Ref, Tweet

IDS_MAX = 1_000
"""Ids asked for in one call."""
AUTHORS_MAX = 10_000
SEGMENT_MAX = 1_000
"""Ids answered by one call."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post: the tweet's id, where its announcement stands, and whether it was there before.

    `position` is None for a repeated post whose announcement is long past.
    """

    tweet_id: TweetId
    position: Position | None
    repeated: bool = False


class TweetStore(Protocol):
    """Partitions: bodies by (shard, day) of the id, the author's list by (author, month), replies, retweets and
    quotes by the tweet they aim at. Every writing method leaves `events` in the outbox in the same durable write.
    """

    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        """Keep the tweet for good, with its place among the author's tweets, replies, retweets and quotes.

        A `ref` that the user used before its expiry answers the earlier tweet (`repeated`), or raises RefReused
        when the digests differ. A second retweet of the same tweet by the same author answers the first. Adding
        the same id again changes nothing (`repeated`). Content named by the tweet becomes its own: raises
        Invalid("content_ids") when one is missing, another's, or in another tweet already.
        """
        ...

    async def posted_by_ref(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        """The tweet and digest of an unexpired ref."""
        ...

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        """The tweets among `ids`, tombstones included; the missing are absent."""
        ...

    async def by_author(self, author: UserId, page: Page) -> Sequence[TweetId]:
        """Ids of one author's tweets, tombstones left out, newest first: the newest below `before`, or the oldest
        above `after`.
        """
        ...

    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        """The same of many authors at once, as one list: up to SEGMENT_MAX ids of up to AUTHORS_MAX authors.

        With `before` (or neither) the newest below it; with `after` the oldest above it; with both the newest
        between the two, exclusive.
        """
        ...

    async def replies_to(self, tweet_id: TweetId, after: TweetId | None, limit: int) -> Sequence[TweetId]:
        """Direct replies, oldest first, tombstones left out."""
        ...

    async def retweets_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        """Ids of the retweets themselves, newest first, tombstones left out."""
        ...

    async def quotes_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]: ...

    async def retweeted_by(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> Mapping[TweetId, TweetId]:
        """Which of the tweets the user retweets now: original -> retweet."""
        ...

    async def retweets_by(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        """The originals that the user retweets now, greatest original id first: at most `limit`."""
        ...

    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        """Make it a tombstone, out of all lists; None (and no events) when it is one already."""
        ...

    async def forget_message(self, ids: Collection[TweetId]) -> None:
        """Blank the messages of these tombstones: the index has dropped them."""

    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        """All tweets with ids above `after`, rising, tombstones included: for rebuilds, not for requests."""
        ...

    async def newest_id(self) -> TweetId:
        """The greatest tweet id kept, 0 when there is none: where a mint must go on from."""
        ...
