"""What a search asks for, and when a tweet answers it. The reference that every index agrees with."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from roost.domain.ids import UserId, ms_of
from roost.domain.search.document import IndexedTweet


class Role(Enum):
    """What a person has to do with a tweet."""

    AUTHOR = "from"
    ANSWERED = "to"
    MENTIONED = "@"


class Trait(Enum):
    """What a tweet may be or have."""

    MEDIA = "has:media"
    LINK = "has:link"
    REPLY = "is:reply"
    RETWEET = "is:retweet"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another. A single word is a phrase of one."""

    words: tuple[str, ...]

    def holds(self, tweet: IndexedTweet) -> bool:
        return f" {' '.join(self.words)} " in tweet.words


@dataclass(frozen=True, slots=True)
class Hashtag:
    key: str

    def holds(self, tweet: IndexedTweet) -> bool:
        return self.key in tweet.tags


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person by name, in lower case: not yet looked up."""

    role: Role
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person looked up; None where nobody has that name, which no tweet answers."""

    role: Role
    user: UserId | None

    def holds(self, tweet: IndexedTweet) -> bool:
        if self.user is None:
            return False
        match self.role:
            case Role.AUTHOR:
                return tweet.author_id == self.user
            case Role.ANSWERED:
                return tweet.reply_to_author == self.user
            case Role.MENTIONED:
                return self.user in tweet.mentions


@dataclass(frozen=True, slots=True)
class PostedSince:
    """At this Unix time in milliseconds or later. Negated, it is the exclusive end of a span."""

    ms: int

    def holds(self, tweet: IndexedTweet) -> bool:
        return ms_of(tweet.tweet_id) >= self.ms


@dataclass(frozen=True, slots=True)
class HasTrait:
    trait: Trait

    def holds(self, tweet: IndexedTweet) -> bool:
        match self.trait:
            case Trait.MEDIA:
                return tweet.has_media
            case Trait.LINK:
                return tweet.has_link
            case Trait.REPLY:
                return tweet.reply_to_author is not None
            case Trait.RETWEET:
                return tweet.is_retweet


@dataclass(frozen=True, slots=True)
class InLanguage:
    key: str

    def holds(self, tweet: IndexedTweet) -> bool:
        return self.key in tweet.languages


Condition = Phrase | Hashtag | Person | PostedSince | HasTrait | InLanguage
"""What can be judged of a tweet alone."""


@dataclass(frozen=True, slots=True)
class Term:
    condition: Condition
    negated: bool = False

    def holds(self, tweet: IndexedTweet) -> bool:
        return self.condition.holds(tweet) is not self.negated


@dataclass(frozen=True, slots=True)
class NamedTerm:
    """A term as it was written, its person still a name."""

    condition: Condition | NamedPerson
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedQuery:
    """All terms are required. Retweets answer only when they are asked for."""

    terms: tuple[Term, ...]

    @property
    def wants_retweets(self) -> bool:
        return Term(HasTrait(Trait.RETWEET)) in self.terms

    def matches(self, tweet: IndexedTweet) -> bool:
        if tweet.is_retweet and not self.wants_retweets:
            return False
        return all(term.holds(tweet) for term in self.terms)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query as it was parsed. Equal queries are equal values and hash alike."""

    terms: tuple[NamedTerm, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names to look up, in lower case."""
        conditions = (term.condition for term in self.terms)
        return frozenset(one.name for one in conditions if isinstance(one, NamedPerson))

    def resolve(self, users: Mapping[str, UserId]) -> ResolvedQuery:
        """With ids for names (lower case). A name that is absent belongs to nobody: required, it lets
        nothing match; negated, it excludes nothing.
        """

        def resolved(condition: Condition | NamedPerson) -> Condition:
            if isinstance(condition, NamedPerson):
                return Person(condition.role, users.get(condition.name))
            return condition

        return ResolvedQuery(tuple(Term(resolved(t.condition), t.negated) for t in self.terms))
