"""A planned query in FTS5's words: one MATCH expression. Every token is quoted."""

from collections.abc import Iterable

from roost.adapters.tweet_facets import Facet, Plan
from roost.domain.search.query import Phrase, Trait

RETWEETED = "rt:"
"""Before each word of a retweet; no word has a colon."""


def match_of(plan: Plan) -> str:
    """What the query requires and excludes; the range of ids is asked for beside it."""
    # Words of retweets are other words, so who asks for some need not say what he means: it costs more than all else.
    has_words = any(isinstance(token, Phrase) for token in plan.required)
    required = plan.required if has_words else (plan.kind, *plan.required)
    is_retweet = plan.kind.token == Trait.RETWEET.value
    match = " AND ".join(_expression(token, is_retweet) for token in required)
    if plan.excluded:
        match = f"({match}) NOT ({' OR '.join(_expression(token, is_retweet) for token in plan.excluded)})"
    return match


def is_one_word(plan: Plan) -> bool:
    """And nothing else: then the newest are found in some 50 µs, however many there are.

    Of two words that seldom meet, or of a phrase, all places may have to be looked at.
    """
    match plan.required:
        case (Phrase(words),):
            return len(words) == 1 and not plan.excluded
        case _:
            return False


def words_in_file(words: Iterable[str], is_retweet: bool) -> str:
    """The words as the file has them, between blanks."""
    return " ".join(f"{RETWEETED}{word}" for word in words) if is_retweet else " ".join(words)


def _expression(token: Phrase | Facet, is_retweet: bool) -> str:
    match token:
        case Phrase(words):
            return f'words : "{words_in_file(words, is_retweet)}"'
        case Facet(text):
            return f'facets : "{text}"'
