"""The system of record: what images and videos there are; their bytes lie behind ports.content_bytes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from roost.domain.content import Content, Digest
from roost.domain.ids import ContentId, UserId


class ContentStore(Protocol):
    """Partitions: by content id, and by owner. Which tweet a content belongs to is written by TweetStore.add."""

    async def add(self, content: Content, quota_bytes: int) -> None:
        """Keep the row. Raises QuotaExceeded when the owner's bytes would pass the quota, and keeps nothing."""

    async def get_many(self, ids: Collection[ContentId]) -> Mapping[ContentId, Content]:
        """The rows among `ids`; the missing are absent."""
        ...

    async def of_owner(self, owner: UserId, after: ContentId | None, limit: int) -> Sequence[Content]:
        """All of one owner, by id, rising."""
        ...

    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        """Contents that old and in no tweet and no profile."""
        ...

    async def unfinished(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        """Pending contents that old, the oldest first: their uploads broke off."""
        ...

    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        """Drop the rows; the digests that no remaining row names, whose bytes may go."""
        ...

    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        """The same for those of them that are in no tweet and no profile, judged in the same step: what somebody
        takes at this moment is either his or gone.
        """
        ...

    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        """Which of these digests some row names."""
        ...
