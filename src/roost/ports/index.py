"""Finding tweets by what they say and users by what they are called. Views: both can be rebuilt.

Events may come late, twice and in another order than things happened: the answers are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.search.document import IndexedTweet
from roost.domain.search.people import IndexedUser, UserPrefix
from roost.domain.search.query import ResolvedQuery
from roost.domain.search.trending import Trend

BATCH_CHANGES_MAX = 5_000
"""In one batch, over all kinds. A batch is one transaction: larger ones hold up the others."""

RESULTS_MAX = 2_000
"""The greatest `limit` of a search, more than the candidates that a page may look at."""


@dataclass(frozen=True, slots=True)
class AuthorPublic:
    """Whether a user's tweets are for everybody, as of a version. Protection makes it False."""

    author_id: UserId
    public: bool
    version: Version


@dataclass(frozen=True, slots=True)
class TweetBatch:
    """Changes that are made together or not at all."""

    added: tuple[IndexedTweet, ...] = ()
    removed: tuple[TweetId, ...] = ()
    authors: tuple[AuthorPublic, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.added) + len(self.removed) + len(self.authors)
        if size > BATCH_CHANGES_MAX:
            raise ValueError(f"{size} changes, at most {BATCH_CHANGES_MAX} in a batch")


@dataclass(frozen=True, slots=True)
class UserBatch:
    """Changes that are made together or not at all."""

    put: tuple[IndexedUser, ...] = ()
    removed: tuple[UserId, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.put) + len(self.removed)
        if size > BATCH_CHANGES_MAX:
            raise ValueError(f"{size} changes, at most {BATCH_CHANGES_MAX} in a batch")


def checked_limit(limit: int) -> int:
    """The limit itself. Raises ValueError where it is outside of 1..RESULTS_MAX."""
    if not 1 <= limit <= RESULTS_MAX:
        raise ValueError(f"limit {limit}, 1 to {RESULTS_MAX} allowed")
    return limit


class TweetIndex(Protocol):
    """Every change is found by the searches that begin after it returned.

    Each method raises Overloaded when too much waits or an answer takes too long, Draining once closed,
    DependencyDown when the index does not answer. A `limit` is 1..RESULTS_MAX, else ValueError.
    Adapters inherit the shorthands.
    """

    async def apply(self, batch: TweetBatch, position: Position | None = None) -> None:
        """Make the changes, and remember the log position that they end at, both or neither.

        A tweet: the greater version is kept, the same one again changes nothing. A removed tweet stays
        removed whatever comes later. An author: the greater version is kept.
        """
        ...

    async def add(self, tweets: Sequence[IndexedTweet]) -> None:
        """`apply` of tweets alone, as many as there are, in batches."""
        for first in range(0, len(tweets), BATCH_CHANGES_MAX):
            await self.apply(TweetBatch(added=tuple(tweets[first : first + BATCH_CHANGES_MAX])))

    async def remove(self, tweets: Sequence[TweetId]) -> None:
        """`apply` of removals alone, as many as there are, in batches."""
        for first in range(0, len(tweets), BATCH_CHANGES_MAX):
            await self.apply(TweetBatch(removed=tuple(tweets[first : first + BATCH_CHANGES_MAX])))

    async def set_author_public(self, author: UserId, public: bool, version: Version) -> None:
        """`apply` of one author's protection."""
        await self.apply(TweetBatch(authors=(AuthorPublic(author, public, version),)))

    async def applied(self) -> Position | None:
        """The position given last; after a loss of power it may be an earlier one, with its changes."""
        ...

    async def clear(self) -> None:
        """Forget everything, removals, authors and the position too, before a rebuild."""
        ...

    async def forget_removed(self) -> None:
        """To be called once a day: after it, storage holds no word of what was removed before.

        Changes and searches go on meanwhile.
        """
        ...

    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        """The matching tweets, newest first, strictly older than `before`. Visibility is not judged."""
        ...

    async def hashtag(self, tag: str, before: TweetId | None, limit: int) -> list[TweetId]:
        """The tweets, no retweets, with that hashtag without regard to case; as `search`."""
        ...

    async def trends(self, now_ms: int, limit: int) -> list[Trend]:
        """The hashtags that rose most over the last hours; at most TRENDS_MAX.

        An author counts once an hour for a tag. Counted are the public tweets of public authors that are
        no retweets. A tweet that comes after its hour has left the window need not be counted.
        """
        ...


class UserIndex(Protocol):
    """As TweetIndex, for users."""

    async def apply(self, batch: UserBatch, position: Position | None = None) -> None:
        """Make the changes and remember the position, both or neither.

        An older version than the kept one changes nothing; the same one replaces it, since a count of
        followers is taken anew without a version. A removed user stays removed.
        """
        ...

    async def put(self, users: Sequence[IndexedUser]) -> None:
        """`apply` of users alone, as many as there are, in batches."""
        for first in range(0, len(users), BATCH_CHANGES_MAX):
            await self.apply(UserBatch(put=tuple(users[first : first + BATCH_CHANGES_MAX])))

    async def remove(self, users: Sequence[UserId]) -> None:
        """`apply` of removals alone, as many as there are, in batches."""
        for first in range(0, len(users), BATCH_CHANGES_MAX):
            await self.apply(UserBatch(removed=tuple(users[first : first + BATCH_CHANGES_MAX])))

    async def applied(self) -> Position | None:
        """The position given last; after a loss of power it may be an earlier one, with its changes."""
        ...

    async def clear(self) -> None:
        """Forget everything, removals and the position too, before a rebuild."""
        ...

    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        """The users whose name, or whose display name from one of its words on, begins so.

        The exact name first, then by followers. Of a very common prefix the order is that of a part
        that includes all whose names sort first.
        """
        ...
