"""The query grammar: `rust "new york" -from:ada #tag @name since:2026-01-01 has:media lang:en is:reply`.

    query  = term { space term }
    term   = [ "-" ] ( '"' words '"' | operator | word )

All terms are required. A term that is no operator is a word; one without a letter, digit or symbol is
passed over. A quote that is not closed ends with the query.
"""

import re
from collections.abc import Callable
from datetime import date

from roost.domain.errors import Invalid
from roost.domain.ids import DAY_MS
from roost.domain.search.query import (
    Hashtag,
    HasTrait,
    InLanguage,
    NamedPerson,
    NamedTerm,
    Phrase,
    PostedSince,
    Role,
    SearchQuery,
    Trait,
)
from roost.domain.search.words import language_keys, tag_key, words_of

QUERY_CHARACTERS_MAX = 500
TERMS_MAX = 32
WORDS_MAX = 256
"""Over all terms. One character may fold into four words, so the length alone does not bound them."""

_QUOTES = str.maketrans("“”„‟", '""""')  # what phones write for a plain quote
_TERM = re.compile(r'(-?)(?:"([^"]*)(?:"|$)|(\S+))')
_NAME = re.compile(r"@?([A-Za-z0-9_]{1,15})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FIRST_DAY = date(1970, 1, 1).toordinal()


def parse_query(text: str) -> SearchQuery:
    """Raises Invalid, naming the field `q`, and nothing else, whatever the text."""
    if len(text) > QUERY_CHARACTERS_MAX:
        raise Invalid.field("q", f"{len(text)} characters, at most {QUERY_CHARACTERS_MAX} allowed")
    # A dict, not a set: what is written twice counts once, and the order stays.
    found = _TERM.finditer(text.translate(_QUOTES))
    terms = dict.fromkeys(term for match in found if (term := _term(*match.groups())))
    if not terms:
        raise Invalid.field("q", "nothing to search for: at least one term is required")
    if len(terms) > TERMS_MAX:
        raise Invalid.field("q", f"{len(terms)} terms, at most {TERMS_MAX} allowed")
    words = sum(len(t.condition.words) for t in terms if isinstance(t.condition, Phrase))
    if words > WORDS_MAX:
        raise Invalid.field("q", f"{words} words, at most {WORDS_MAX} allowed")
    return SearchQuery(tuple(terms))


def _term(minus: str, quoted: str | None, bare: str | None) -> NamedTerm | None:
    operator = bare and (_signed(bare) or _operator(bare))
    term = operator or _phrase(bare or quoted or "")
    return term and NamedTerm(term.condition, term.negated is not bool(minus))


def _phrase(text: str) -> NamedTerm | None:
    words = words_of(text)
    return NamedTerm(Phrase(words)) if words else None


def _signed(text: str) -> NamedTerm | None:
    if text[0] in "#\uff03":
        key = tag_key(text)
        return NamedTerm(Hashtag(key)) if key else None
    if text[0] in "@\uff20":
        return _person(Role.MENTIONED, text[1:])
    return None


def _operator(text: str) -> NamedTerm | None:
    operator, _, value = text.partition(":")
    build = _OPERATORS.get(operator.lower())
    return build(value) if build and value else None


def _person(role: Role, value: str) -> NamedTerm | None:
    name = _NAME.fullmatch(value)
    return NamedTerm(NamedPerson(role, name[1].lower())) if name else None


def _trait(operator: str, value: str) -> NamedTerm | None:
    trait = _TRAITS.get(f"{operator}:{value.lower()}")
    return NamedTerm(HasTrait(trait)) if trait else None


def _language(value: str) -> NamedTerm | None:
    keys = language_keys(value)
    return NamedTerm(InLanguage(keys[0])) if keys else None


def _since(operator: str, value: str, *, negated: bool) -> NamedTerm:
    day = _date(value)
    if day is None:
        raise Invalid.field("q", f"{operator}: {value[:40]!r} is not a date like 2026-11-22")
    return NamedTerm(PostedSince((day.toordinal() - _FIRST_DAY) * DAY_MS), negated)


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        return None


_TRAITS = {trait.value: trait for trait in Trait}
_OPERATORS: dict[str, Callable[[str], NamedTerm | None]] = {
    "from": lambda value: _person(Role.AUTHOR, value),
    "to": lambda value: _person(Role.ANSWERED, value),
    "since": lambda value: _since("since", value, negated=False),
    "until": lambda value: _since("until", value, negated=True),
    "has": lambda value: _trait("has", value),
    "is": lambda value: _trait("is", value),
    "lang": _language,
}
