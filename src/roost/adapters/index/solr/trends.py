"""Trends from the tweets themselves: distinct authors of a tag in an hour, counted when asked.

Nothing is kept that a late or repeated change could throw off. Authors' documents lie in the shard of their tweets,
so that a shard leaves out protected ones by itself, and so that the shards' counts of authors add up.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from roost.adapters.index.solr.collection import Collection, Document, quoted, version_text
from roost.domain.ids import shard_of
from roost.domain.search.trending import BUSIEST_MAX, WINDOW_HOURS, Trend, ranked, recent_hours, usual_hours
from roost.ports.index import AuthorPublic

TAGS_A_REQUEST = 250
"""Of at most RECENT_HOURS * BUSIEST_MAX candidates: 12 requests of one ranking."""

AUTHORS = "unique(author)"
"""Exact within a shard. Over several Solr takes the sum of what they counted, and no author is in two."""

_NO_PROTECTED = "-_query_:\"{!join from=protected to=author_name v='protected:*'}\""


def author_document(author: AuthorPublic) -> Document:
    """What the index knows of an author: a name that tweets are joined by, where they are not for everybody."""
    id = author.author_id
    hidden = {} if author.public else {"protected": str(id)}
    return {"id": f"{shard_of(id)}!author{id}", "version": version_text(author.version), **hidden}


async def trends(collection: Collection, now_ms: int, limit: int) -> list[Trend]:
    recent, usual = recent_hours(now_ms), usual_hours(now_ms)
    candidates = sorted(await _busiest(collection, recent))
    uses: dict[str, Mapping[int, int]] = {}
    for first in range(0, len(candidates), TAGS_A_REQUEST):
        some = candidates[first : first + TAGS_A_REQUEST]
        uses.update(await _uses(collection, some, range(usual.start, recent.stop)))
    return ranked(uses, now_ms, limit)


async def _busiest(collection: Collection, hours: range) -> set[str]:
    """The tags that most authors used, of each hour; ties by tag, as buckets come anyway."""
    tags = {
        "type": "terms",
        "field": "tags",
        "limit": BUSIEST_MAX,
        "sort": "authors desc",
        "refine": True,
        "facet": {"authors": AUTHORS},
    }
    facets = {str(hour): {"type": "query", "q": f"hour:{hour}", "facet": {"tags": tags}} for hour in hours}
    found = await _facets(collection, hours, facets)
    return {bucket["val"] for hour in hours for bucket in _buckets(found, str(hour), "tags")}


async def _uses(collection: Collection, tags: Sequence[str], hours: range) -> dict[str, Mapping[int, int]]:
    by_hour = {"type": "terms", "field": "hour", "limit": WINDOW_HOURS, "facet": {"authors": AUTHORS}}
    facets = {
        str(at): {"type": "query", "q": f"tags:{quoted(tag)}", "facet": {"hours": by_hour}}
        for at, tag in enumerate(tags)
    }
    found = await _facets(collection, hours, facets)
    uses: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for at, tag in enumerate(tags):
        for bucket in _buckets(found, str(at), "hours"):
            uses[tag][bucket["val"]] = bucket["authors"]
    return dict(uses)


async def _facets(collection: Collection, hours: range, facets: Mapping[str, object]) -> Mapping[str, Any]:
    query = f"+hour:[{hours.start} TO {hours.stop - 1}] {_NO_PROTECTED}"
    answer = await collection.select({"query": query, "limit": 0, "facet": facets})
    found: Any = answer["facets"]
    return dict(found)


def _buckets(found: Mapping[str, Any], outer: str, inner: str) -> Sequence[Mapping[str, Any]]:
    # Solr leaves out facets of nothing.
    buckets: Sequence[Mapping[str, Any]] = found.get(outer, {}).get(inner, {}).get("buckets", [])
    return buckets
