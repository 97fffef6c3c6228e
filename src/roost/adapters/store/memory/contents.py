"""Rows of contents in a dictionary."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from roost.domain.content import Content, Digest
from roost.domain.errors import Invalid, QuotaExceeded
from roost.domain.ids import ContentId, TweetId, UserId


class MemoryContentStore:
    """`is_avatar` says whether some profile shows a content."""

    def __init__(self, is_avatar: Callable[[ContentId], bool]) -> None:
        self._is_avatar = is_avatar
        self._rows: dict[ContentId, Content] = {}

    async def add(self, content: Content, quota_bytes: int) -> None:
        """A greater version of a kept row replaces it, its tweet apart: so a pending row becomes a ready one."""
        others = sum(
            row.quota_bytes for row in self._rows.values() if row.owner == content.owner and row.id != content.id
        )
        if others + content.quota_bytes > quota_bytes:
            raise QuotaExceeded(f"{others} bytes stored and {content.quota_bytes} more, at most {quota_bytes} allowed")
        kept = self._rows.get(content.id)
        if kept is None:
            self._rows[content.id] = content
        elif kept.owner == content.owner and kept.version < content.version:
            self._rows[content.id] = replace(content, tweet_id=kept.tweet_id)

    async def get_many(self, ids: Collection[ContentId]) -> Mapping[ContentId, Content]:
        return {id: self._rows[id] for id in ids if id in self._rows}

    async def of_owner(self, owner: UserId, after: ContentId | None, limit: int) -> Sequence[Content]:
        of_owner = sorted((row.id, row) for row in self._rows.values() if row.owner == owner)
        return [row for id, row in of_owner if id > (after or "")][:limit]

    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        rows = [
            row
            for row in self._rows.values()
            if row.tweet_id is None and row.created_ms < created_before_ms and not self._is_avatar(row.id)
        ]
        return sorted(rows, key=lambda row: (row.created_ms, row.id))[:limit]

    async def unfinished(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        rows = [row for row in self._rows.values() if not row.ready and row.created_ms < created_before_ms]
        return sorted(rows, key=lambda row: (row.created_ms, row.id))[:limit]

    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        dropped = [self._rows.pop(id) for id in dict.fromkeys(ids) if id in self._rows]
        named = {digest for row in self._rows.values() for digest in _digests(row)}
        return [
            digest for digest in dict.fromkeys(each for row in dropped for each in _digests(row)) if digest not in named
        ]

    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        rows = [row for id in ids if (row := self._rows.get(id)) is not None]
        return await self.remove([row.id for row in rows if row.tweet_id is None and not self._is_avatar(row.id)])

    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        named = {digest for row in self._rows.values() for digest in _digests(row)}
        return named.intersection(digests)

    def claim(self, owner: UserId, ids: Collection[ContentId], tweet_id: TweetId) -> None:
        """Put all of them in the tweet, or raise Invalid and put none: one is missing, another's, or elsewhere."""
        rows = [self._rows.get(id) for id in ids]
        for id, row in zip(ids, rows, strict=True):
            if row is None or row.owner != owner or row.tweet_id not in {None, tweet_id}:
                raise Invalid.field("content_ids", f"{id} is no content of yours that is in no tweet yet")
        for row in rows:
            if row is not None:
                self._rows[row.id] = replace(row, tweet_id=tweet_id)


def _digests(row: Content) -> list[Digest]:
    return [blob.digest for blob in (row.original, row.preview) if blob is not None]
