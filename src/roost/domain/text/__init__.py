"""The text of tweets: what its parts mean and how much it weighs, by the twitter-text rules."""

from roost.domain.text.cashtags import Cashtag
from roost.domain.text.characters import normalise
from roost.domain.text.entities import Entities, Entity, extract_entities
from roost.domain.text.hashtags import Hashtag, normalise_tag
from roost.domain.text.mentions import Mention
from roost.domain.text.urls import Url
from roost.domain.text.weight import MESSAGE_WEIGHT_MAX, overflow_start, weighted_length

__all__ = [
    "MESSAGE_WEIGHT_MAX",
    "Cashtag",
    "Entities",
    "Entity",
    "Hashtag",
    "Mention",
    "Url",
    "extract_entities",
    "normalise",
    "normalise_tag",
    "overflow_start",
    "weighted_length",
]
