"""The query grammar."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.ids import TweetId, UserId
from roost.domain.search.document import IndexedTweet
from roost.domain.search.grammar import (
    QUERY_CHARACTERS_MAX,
    TERMS_MAX,
    WORDS_MAX,
    parse_query,
)
from roost.domain.search.query import (
    Condition,
    Hashtag,
    HasTrait,
    InLanguage,
    NamedPerson,
    NamedTerm,
    Person,
    Phrase,
    PostedSince,
    ResolvedQuery,
    Role,
    SearchQuery,
    Term,
    Trait,
)

DAY_MS = 86_400_000
ADA = NamedPerson(Role.AUTHOR, "ada")


def phrase(*words: str) -> Phrase:
    return Phrase(words)


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("Rust", phrase("rust")),
        ("Café", phrase("cafe")),
        ('"New York"', phrase("new", "york")),
        ("“New York”", phrase("new", "york")),
        ('"never closed', phrase("never", "closed")),
        ("don't", phrase("don", "t")),
        ("foo#bar", phrase("foo", "bar")),
        ("東京", phrase("東", "京")),
        ("from:Ada", ADA),
        ("FROM:@ADA", ADA),
        ("to:bo_2", NamedPerson(Role.ANSWERED, "bo_2")),
        ("@Cy", NamedPerson(Role.MENTIONED, "cy")),
        ("\uff20Cy", NamedPerson(Role.MENTIONED, "cy")),
        ("#Rust", Hashtag("rust")),
        ("\uff03Élan", Hashtag("élan")),
        ("since:1970-01-02", PostedSince(DAY_MS)),
        ("since:1969-12-31", PostedSince(-DAY_MS)),
        ("has:media", HasTrait(Trait.MEDIA)),
        ("Has:Link", HasTrait(Trait.LINK)),
        ("is:reply", HasTrait(Trait.REPLY)),
        ("is:retweet", HasTrait(Trait.RETWEET)),
        ("lang:EN", InLanguage("en")),
        ("lang:pt_BR", InLanguage("pt-br")),
    ],
)
def test_a_term_may_be_written_so_and_be_negated(text: str, condition: Condition | NamedPerson) -> None:
    assert parse_query(text).terms == (NamedTerm(condition),)
    assert parse_query(f"-{text}").terms == (NamedTerm(condition, negated=True),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from:", "from"),
        ("from:not-a-name", "from not a name"),
        ("from:sixteen_letters_", "from sixteen_letters_"),
        ("to:ü", "to u"),
        ("@not-a-name", "not a name"),
        ("#foo-bar", "foo bar"),
        ("has:dog", "has dog"),
        ("is:", "is"),
        ("lang:12", "lang 12"),
        ("https://x.example/y?z=1", "https x example y z 1"),
        ("--a", "a"),
        ("near:me", "near me"),
        ("12:30", "12 30"),
        (":)x", "x"),
        ("OR", "or"),
        ("NOT", "not"),
        ('words:"x', "words x"),
    ],
)
def test_a_term_that_is_no_operator_is_a_word(text: str, words: str) -> None:
    (term,) = parse_query(text).terms
    assert term.condition == Phrase(tuple(words.split()))


def test_until_is_since_negated() -> None:
    assert parse_query("until:1970-01-02").terms == parse_query("-since:1970-01-02").terms
    assert parse_query("-until:1970-01-02").terms == parse_query("since:1970-01-02").terms


def test_terms_keep_their_order_and_come_once() -> None:
    terms = parse_query("b a B -b a 'b'").terms
    assert terms == (
        NamedTerm(phrase("b")),
        NamedTerm(phrase("a")),
        NamedTerm(phrase("b"), negated=True),
    )
    assert hash(parse_query("b a")) == hash(parse_query(" b   A "))


@pytest.mark.parametrize("text", ["", "  \n", "!!!", '""', '"', "-", "- -", '-""', "#", "@", "\x00", "\ud800"])
def test_nothing_to_search_for_is_invalid(text: str) -> None:
    with pytest.raises(Invalid, match="nothing to search for") as caught:
        parse_query(text)
    assert [field.field for field in caught.value.fields] == ["q"]


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20260101", "2026-1-1", "0000-01-01", "٢٠٢٦-٠١-٠١"])
@pytest.mark.parametrize("operator", ["since", "until"])
def test_a_wrong_date_is_invalid_and_named(operator: str, day: str) -> None:
    with pytest.raises(Invalid, match=f"{operator}: .*is not a date like"):
        parse_query(f"word {operator}:{day}")


def test_length_terms_and_words_have_bounds() -> None:
    assert len(parse_query("x" * QUERY_CHARACTERS_MAX).terms) == 1
    with pytest.raises(Invalid, match=f"at most {QUERY_CHARACTERS_MAX}"):
        parse_query("x" * (QUERY_CHARACTERS_MAX + 1))
    many = " ".join(f"w{number}" for number in range(TERMS_MAX))
    assert len(parse_query(many).terms) == TERMS_MAX
    with pytest.raises(Invalid, match=f"{TERMS_MAX + 1} terms, at most {TERMS_MAX}"):
        parse_query(f"{many} more")
    with pytest.raises(Invalid, match=f"words, at most {WORDS_MAX}"):
        parse_query("東" * (WORDS_MAX + 1))
    with pytest.raises(Invalid, match=f"words, at most {WORDS_MAX}"):
        parse_query("\ufdfa" * 100)  # one character, four words


@settings(deadline=None)
@given(st.text(max_size=QUERY_CHARACTERS_MAX + 10) | st.text('-":#@ from:sincehalg20-1"“東é🎉', max_size=60))
def test_hostile_text_raises_nothing_but_invalid(text: str) -> None:
    try:
        query = parse_query(text)
    except Invalid:
        return
    assert 1 <= len(query.terms) <= TERMS_MAX


def test_names_are_those_of_all_people_in_lower_case() -> None:
    query = parse_query("word from:Ada -to:bo @Cy #tag @ada")
    assert query.names == {"ada", "bo", "cy"}
    resolved = query.resolve({"ada": UserId(1), "cy": UserId(3)})
    assert [term.condition for term in resolved.terms if isinstance(term.condition, Person)] == [
        Person(Role.AUTHOR, UserId(1)),
        Person(Role.ANSWERED, None),
        Person(Role.MENTIONED, UserId(3)),
        Person(Role.MENTIONED, UserId(1)),
    ]


def matches(query: str, **tweet: Any) -> bool:
    document = IndexedTweet(**{"tweet_id": TweetId(1), "author_id": UserId(1), "text": "", **tweet})
    return parse_query(query).resolve({"ada": UserId(1), "bo": UserId(2)}).matches(document)


def test_the_reference_matches_words_and_whole_phrases_only() -> None:
    assert matches("cafe noir", text="Un Café Noir!")
    assert matches('"un cafe"', text="Un Café Noir!")
    assert not matches('"un noir"', text="Un Café Noir!")
    assert not matches("caf", text="Un Café Noir!")
    assert not matches("-noir", text="Un Café Noir!")
    assert matches("-blanc", text="Un Café Noir!")


def test_the_reference_matches_people_by_id() -> None:
    assert matches("from:ada to:bo", reply_to_author=UserId(2))
    assert matches("@bo -to:bo", mentions=(UserId(2),))
    assert not matches("from:bo")
    assert not matches("from:nobody")
    assert matches("-from:nobody")


def test_the_reference_shows_retweets_only_when_asked_for() -> None:
    assert not matches("-x", is_retweet=True)
    assert not matches("-is:retweet", is_retweet=True)
    assert not matches("is:retweet -is:retweet", is_retweet=True)
    assert matches("is:retweet", is_retweet=True)
    assert not matches("is:retweet")


def test_a_document_holds_ids_of_63_bits_only() -> None:
    for wrong in (-1, 1 << 63):
        with pytest.raises(ValueError, match="63 bits"):
            IndexedTweet(TweetId(wrong), UserId(1), "")
        with pytest.raises(ValueError, match="63 bits"):
            IndexedTweet(TweetId(1), UserId(1), "", mentions=(UserId(wrong),))


@settings(deadline=None)
@given(st.text(max_size=60))
def test_a_text_is_found_by_all_of_itself(text: str) -> None:
    quoted = text.replace('"', " ").translate(dict.fromkeys(map(ord, "“”„‟"), " "))
    try:
        query = parse_query(f'"{quoted}"')
    except Invalid:
        return
    assert query == SearchQuery(query.terms)
    assert ResolvedQuery(
        tuple(Term(term.condition) for term in query.terms if isinstance(term.condition, Phrase))
    ).matches(IndexedTweet(TweetId(1), UserId(1), quoted))
