"""Tweets in Solr: words and facets made ready by the domain, newest first by their number.

A tweet is one document; a removed one is its id with a version above all, and stays. Solr itself drops what is not
newer, so that several nodes may apply the same part of the log, in any order, and agree.
"""

from roost.adapters.index.solr import trends
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
from roost.adapters.tweet_facets import Facet, facets_of, plan
from roost.domain.ids import Position, TweetId, ms_of, shard_in
from roost.domain.search.document import IndexedTweet
from roost.domain.search.query import Hashtag, Phrase, ResolvedQuery, Term
from roost.domain.search.trending import TRENDS_MAX, Trend, hour_of
from roost.domain.search.words import tag_key
from roost.ports.index import TweetBatch, TweetIndex, checked_limit

NEWEST_FIRST = "number desc"


class SolrTweetIndex(TweetIndex):
    """Whoever made the nodes closes them.

    `apply` costs one request for each thousand changes, one for the position and one commit, which all that wait
    share. The changes are synced before the position is written: a crash between the two, or within the changes,
    leaves an earlier position, from which the log is read again and changes nothing twice. Until then a search that
    another node's commit overtakes may find a part of the batch.
    """

    def __init__(self, nodes: SolrNodes, layout: Layout) -> None:
        self._collection = Collection(nodes, "tweets", layout)

    async def open(self) -> "SolrTweetIndex":
        """Make the collection where it is missing."""
        await self._collection.create()
        return self

    async def apply(self, batch: TweetBatch, position: Position | None = None) -> None:
        documents: list[Document] = [_removal(id) for id in batch.removed]
        documents += [_document(tweet) for tweet in batch.added]
        documents += [trends.author_document(author) for author in batch.authors]
        await self._collection.put(newest(documents))
        await self._collection.keep_position(position)
        if documents:
            await self._collection.commit()

    async def applied(self) -> Position | None:
        return await self._collection.position()

    async def clear(self) -> None:
        await self._collection.clear()

    async def forget_removed(self) -> None:
        await self._collection.forget_deleted()

    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        checked_limit(limit)
        planned = plan(query, before)
        if planned is None:
            return []
        clauses = [f"+{_clause(token)}" for token in (planned.kind, *planned.required)]
        clauses += [f"-{_clause(token)}" for token in planned.excluded]
        clauses.append(f"+number:[{planned.first} TO {planned.last}]")
        found = await self._collection.numbers(" ".join(clauses), NEWEST_FIRST, limit)
        return [TweetId(number) for number in found]

    async def hashtag(self, tag: str, before: TweetId | None, limit: int) -> list[TweetId]:
        key = tag_key(tag)
        tagged = ResolvedQuery((Term(Hashtag(key)),)) if key else None
        checked_limit(limit)
        return await self.search(tagged, before, limit) if tagged else []

    async def trends(self, now_ms: int, limit: int) -> list[Trend]:
        most = min(checked_limit(limit), TRENDS_MAX)
        return await trends.trends(self._collection, now_ms, most)


def _document(tweet: IndexedTweet) -> Document:
    document: dict[str, object] = {
        "id": _key(tweet.tweet_id),
        "version": version_text(tweet.version),
        "number": tweet.tweet_id,
        "words": tweet.words.strip(),
        "facets": facets_of(tweet),
    }
    if tweet.public and not tweet.is_retweet and tweet.tags:
        document |= {
            "tags": sorted(tweet.tags),
            "hour": hour_of(ms_of(tweet.tweet_id)),
            "author": tweet.author_id,
            "author_name": str(tweet.author_id),
        }
    return document


def _removal(id: TweetId) -> Document:
    return {"id": _key(id), "version": REMOVED_VERSION}


def _key(id: TweetId) -> str:
    # The id carries its author's shard: an author's tweets lie in one shard of Solr, with what is known of the author.
    return f"{shard_in(id)}!{id}"


def _clause(token: Phrase | Facet) -> str:
    match token:
        case Phrase(words):
            return f"words:{quoted(' '.join(words))}"
        case Facet(text):
            return f"facets:{quoted(text)}"
