"""Where new identifiers come from."""

from collections.abc import Iterable
from typing import Protocol

from roost.domain.ids import TweetId, UserId, Version


class IdSource(Protocol):
    def next_user_id(self) -> UserId:
        """A user id that nobody has."""
        ...

    def next_tweet_id(self, author: UserId, after: Iterable[int] = ()) -> TweetId:
        """A tweet id in the author's shard.

        It is greater than every id that this source gave that author and than every id in `after` (the
        answered tweet, the author's newest elsewhere).

        Raises Unavailable when this node may not mint: its lease is lost or its clock is off.
        """
        ...

    def next_version(self, after: int = 0) -> Version:
        """A version greater than `after` and than every version that this source gave before."""
        ...
