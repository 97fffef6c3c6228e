"""A resolved query in FTS5's words: one MATCH expression and a range of ids.

Besides its words a tweet has facets, one token for each fact about it. Every token is quoted.
"""

from collections.abc import Iterable
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
    Term,
    Trait,
)

TWEET_FACET = "is:tweet"
"""On all that are no retweets: it keeps retweets out, and gives a query of negations something to negate."""
RETWEETED = "rt:"
"""Before each word of a retweet; no word has a colon."""

_ROLE_FACETS = {Role.AUTHOR: "from", Role.ANSWERED: "to", Role.MENTIONED: "at"}


def facets_of(tweet: IndexedTweet) -> str:
    """The facets, between blanks."""
    traits = [trait.value for trait in Trait if HasTrait(trait).holds(tweet)]
    people = [_person(Role.AUTHOR, tweet.author_id)]
    people += [_person(Role.MENTIONED, user) for user in dict.fromkeys(tweet.mentions)]
    if tweet.reply_to_author is not None:
        people.append(_person(Role.ANSWERED, tweet.reply_to_author))
    tags = [f"#{tag}" for tag in sorted(tweet.tags)]
    languages = [f"lang:{key}" for key in tweet.languages]
    kind = [] if tweet.is_retweet else [TWEET_FACET]
    return " ".join([*kind, *traits, *people, *tags, *languages])


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask the file: both ends of the range are inclusive."""

    match: str
    first: int
    last: int
    is_one_word: bool
    """And nothing else: then the newest are found in some 50 µs, however many there are. Of two words that seldom meet,
    or of a phrase, all places may have to be looked at.
    """


def plan(query: ResolvedQuery, before: TweetId | None) -> Plan | None:
    """None where nothing can match."""
    kind = Trait.RETWEET.value if query.wants_retweets else TWEET_FACET
    # Words of retweets are other words, so who asks for some need not say what he means: it costs more than all else.
    has_words = any(isinstance(term.condition, Phrase) and not term.negated for term in query.terms)
    required = [] if has_words else [_facet(kind)]
    excluded: list[str] = []
    first, last = 0, ID_MAX if before is None else min(before - 1, ID_MAX)
    for term in query.terms:
        match term.condition:
            case PostedSince(ms) if term.negated:
                last = min(last, first_id_at(ms) - 1)
            case PostedSince(ms):
                first = max(first, first_id_at(ms))
            case condition:
                (excluded if term.negated else required).append(_expression(condition, query.wants_retweets))
    if first > last:
        return None
    match = " AND ".join(required)
    if excluded:
        match = f"({match}) NOT ({' OR '.join(excluded)})"
    return Plan(match, first, last, _is_one_word(query))


def _is_one_word(query: ResolvedQuery) -> bool:
    match query.terms:
        case (Term(Phrase(words), negated=False),):
            return len(words) == 1
        case _:
            return False


def words_in_file(words: Iterable[str], is_retweet: bool) -> str:
    """The words as the file has them, between blanks."""
    return " ".join(f"{RETWEETED}{word}" for word in words) if is_retweet else " ".join(words)


def _expression(condition: Phrase | Hashtag | HasTrait | InLanguage | Person, wants_retweets: bool) -> str:
    match condition:
        case Phrase(words):
            return f'words : "{words_in_file(words, wants_retweets)}"'
        case Hashtag(key):
            return _facet(f"#{key}")
        case HasTrait(trait):
            return _facet(trait.value)
        case InLanguage(key):
            return _facet(f"lang:{key}")
        case Person(role, user):
            return _facet(_person(role, user))


def _person(role: Role, user: UserId | None) -> str:
    # Nobody has a facet as well, which no tweet carries: required it finds nothing, negated it hides nothing.
    return f"{_ROLE_FACETS[role]}:{user}"


def _facet(token: str) -> str:
    return f'facets : "{token}"'
