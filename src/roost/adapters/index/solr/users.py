"""Users in Solr: found by the beginnings of their keys, the exact name first, then by followers."""

from roost.adapters.index.solr.collection import (
    REMOVED_VERSION,
    Collection,
    Document,
    Layout,
    newest,
    quoted,
    version_text,
)
from roost.adapters.index.solr.http import SolrNodes
from roost.domain.ids import SHARDS, Position, UserId
from roost.domain.search.people import IndexedUser, UserPrefix
from roost.ports.clock import Clock
from roost.ports.index import UserBatch, UserIndex, checked_limit

START_CHARACTERS_MAX = 3
"""Prefixes up to this length are terms of their own; a longer one is looked up among the keys."""

TURN_DIGITS = 16

_ORDER = "score desc, followers desc, number asc"


class SolrUserIndex(UserIndex):
    """As SolrTweetIndex. Of two puts of the same version the later one by `clock` is kept: where two nodes put the
    same user within what their clocks differ by, the followers of either may stay until they are counted next.
    """

    def __init__(self, nodes: SolrNodes, layout: Layout, clock: Clock) -> None:
        self._collection = Collection(nodes, "users", layout)
        self._clock = clock
        self._turn = 0

    async def open(self) -> "SolrUserIndex":
        """Make the collection where it is missing."""
        await self._collection.create()
        return self

    async def apply(self, batch: UserBatch, position: Position | None = None) -> None:
        documents: list[Document] = [{"id": _key(id), "version": REMOVED_VERSION} for id in batch.removed]
        documents += [self._document(user) for user in batch.put]
        await self._collection.put(newest(documents))
        await self._collection.keep_position(position)
        if documents:
            await self._collection.commit()

    async def applied(self) -> Position | None:
        return await self._collection.position()

    async def clear(self) -> None:
        await self._collection.clear()

    async def search(self, prefix: UserPrefix, limit: int) -> list[UserId]:
        checked_limit(limit)
        text = prefix.text
        begins = (
            f"starts:{quoted(text)}" if len(text) <= START_CHARACTERS_MAX else f"{{!prefix f=keys v={_value(text)}}}"
        )
        # Everybody who is found scores 1, the one so named 2.
        everybody_or_named = f"*:*^=1 name:{quoted(text)}^=1"
        found = await self._collection.numbers(everybody_or_named, _ORDER, limit, filter=begins)
        return [UserId(number) for number in found]

    def _document(self, user: IndexedUser) -> Document:
        keys = sorted(user.keys)
        starts = {key[:size] for key in keys for size in range(1, min(len(key), START_CHARACTERS_MAX) + 1)}
        return {
            "id": _key(user.user_id),
            "version": f"{version_text(user.version)}.{self._next_turn():0{TURN_DIGITS}}",
            "number": user.user_id,
            "name": user.name.lower(),
            "followers": user.followers,
            "keys": keys,
            "starts": sorted(starts),
        }

    def _next_turn(self) -> int:
        """Rises with each document of this process, also within a millisecond and when the clock goes back."""
        self._turn = max(self._turn + 1, self._clock.now_ms() * 1_000)
        return self._turn


def _key(id: UserId) -> str:
    return f"{id % SHARDS}!{id}"


def _value(text: str) -> str:
    """Text as a local parameter's value."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
