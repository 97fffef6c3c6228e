"""The parts of a tweet that mean something: hashtags, mentions, URLs and cashtags."""

from dataclasses import dataclass
from operator import attrgetter

from roost.domain.text.cashtags import Cashtag, find_cashtags
from roost.domain.text.hashtags import Hashtag, find_hashtags
from roost.domain.text.mentions import Mention, find_mentions
from roost.domain.text.urls import Url, find_urls

Entity = Hashtag | Mention | Url | Cashtag


@dataclass(frozen=True, slots=True)
class Entities:
    """Each kind in the order of the text; no two entities share a character.

    Offsets are code points of the text that was given.
    """

    hashtags: tuple[Hashtag, ...] = ()
    mentions: tuple[Mention, ...] = ()
    urls: tuple[Url, ...] = ()
    cashtags: tuple[Cashtag, ...] = ()


_NO_ENTITIES = Entities()


def extract_entities(text: str) -> Entities:
    """Of entities that overlap, the one that begins first stays: a tag in a URL is part of the URL."""
    urls = find_urls(text)
    hashtags = find_hashtags(text)
    mentions = find_mentions(text)
    cashtags = find_cashtags(text)
    if not (urls or hashtags or mentions or cashtags):
        return _NO_ENTITIES
    found: list[Entity] = [*urls, *mentions, *hashtags, *cashtags]
    kept = without_overlaps(found)
    if len(kept) == len(found):
        return Entities(tuple(hashtags), tuple(mentions), tuple(urls), tuple(cashtags))
    return Entities(
        tuple(entity for entity in kept if isinstance(entity, Hashtag)),
        tuple(entity for entity in kept if isinstance(entity, Mention)),
        tuple(entity for entity in kept if isinstance(entity, Url)),
        tuple(entity for entity in kept if isinstance(entity, Cashtag)),
    )


def without_overlaps(entities: list[Entity]) -> list[Entity]:
    """In the order of the text, without those that begin before the one ahead of them ends."""
    kept: list[Entity] = []
    end = 0
    for entity in sorted(entities, key=attrgetter("start")):  # stable: of two that begin together, the first
        if entity.start >= end:
            kept.append(entity)
            end = entity.end
    return kept
