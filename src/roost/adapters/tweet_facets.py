"""What indexes by words share: a tweet's facets, and a resolved query as words, facets and a range of ids.

Besides its words a tweet has facets, one token for each fact about it. No facet holds a blank.
"""

from dataclasses import dataclass

from roost.domain.ids import ID_MAX, TweetId, UserId, first_id_at
from roost.domain.search.document import IndexedTweet
from roost.domain.search.query import (
    Hashtag,
    HasTrait,
    InLanguage,
    Person,
    Phrase,
    PostedSince,
    ResolvedQuery,
    Role,
    Trait,
)

TWEET_FACET = "is:tweet"
"""On all that are no retweets: it keeps retweets out, and gives a query of negations something to negate."""

_ROLE_FACETS = {Role.AUTHOR: "from", Role.ANSWERED: "to", Role.MENTIONED: "at"}


def facets_of(tweet: IndexedTweet) -> list[str]:
    """Each once."""
    traits = [trait.value for trait in Trait if HasTrait(trait).holds(tweet)]
    people = [_person(Role.AUTHOR, tweet.author_id)]
    people += [_person(Role.MENTIONED, user) for user in dict.fromkeys(tweet.mentions)]
    if tweet.reply_to_author is not None:
        people.append(_person(Role.ANSWERED, tweet.reply_to_author))
    tags = [f"#{tag}" for tag in sorted(tweet.tags)]
    languages = [f"lang:{key}" for key in tweet.languages]
    kind = [] if tweet.is_retweet else [TWEET_FACET]
    return [*kind, *traits, *people, *tags, *languages]


@dataclass(frozen=True, slots=True)
class Facet:
    """One token of the facets."""

    token: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask an index: both ends of the range are inclusive."""

    kind: Facet
    """Required too: retweets, or what are none."""
    required: tuple[Phrase | Facet, ...]
    excluded: tuple[Phrase | Facet, ...]
    first: int
    last: int


def plan(query: ResolvedQuery, before: TweetId | None) -> Plan | None:
    """None where nothing can match."""
    required: list[Phrase | Facet] = []
    excluded: list[Phrase | Facet] = []
    first, last = 0, ID_MAX if before is None else min(before - 1, ID_MAX)
    for term in query.terms:
        match term.condition:
            case PostedSince(ms) if term.negated:
                last = min(last, first_id_at(ms) - 1)
            case PostedSince(ms):
                first = max(first, first_id_at(ms))
            case condition:
                (excluded if term.negated else required).append(_token(condition))
    kind = Facet(Trait.RETWEET.value if query.wants_retweets else TWEET_FACET)
    return Plan(kind, tuple(required), tuple(excluded), first, last) if first <= last else None


def _token(condition: Phrase | Hashtag | HasTrait | InLanguage | Person) -> Phrase | Facet:
    match condition:
        case Phrase():
            return condition
        case Hashtag(key):
            return Facet(f"#{key}")
        case HasTrait(trait):
            return Facet(trait.value)
        case InLanguage(key):
            return Facet(f"lang:{key}")
        case Person(role, user):
            return Facet(_person(role, user))


def _person(role: Role, user: UserId | None) -> str:
    # Nobody has a facet as well, which no tweet carries: required it finds nothing, negated it hides nothing.
    return f"{_ROLE_FACETS[role]}:{user}"
