"""A planned query in FTS5's words: one MATCH expression. Every token is quoted."""

from roost.adapters.tweet_facets import Facet, Plan
from roost.domain.search.query import Phrase


def match_of(plan: Plan) -> str:
    """What the query requires and excludes; the range of ids is asked for beside it."""
    match = " AND ".join(_expression(token) for token in plan.required)
    if plan.excluded:
        match = f"({match}) NOT ({' OR '.join(_expression(token) for token in plan.excluded)})"
    return match


def _expression(token: Phrase | Facet) -> str:
    match token:
        case Phrase(words):
            return f'words : "{" ".join(words)}"'
        case Facet(text):
            return f'facets : "{text}"'
