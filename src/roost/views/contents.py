"""Content rows, read through: what a tweet's images and videos are. They do not change once a tweet has them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.domain.content import Content
from roost.domain.ids import ContentId
from roost.ports.cache import ReadThrough
from roost.ports.contents import ContentStore


@dataclass(frozen=True, slots=True)
class ContentView:
    """Only contents that a tweet has are kept: the others still change."""

    store: ContentStore
    cache: ReadThrough[ContentId, Content]

    async def get_many(self, ids: Collection[ContentId]) -> Mapping[ContentId, Content]:
        known = {id: content for id in ids if (content := self.cache.peek(id)) is not None}
        missing = [id for id in ids if id not in known]
        if not missing:
            return known
        loaded = await self.store.get_many(missing)
        for id, content in loaded.items():
            if content.tweet_id is not None:
                await self.cache.put(id, content)
        return {**known, **loaded}
