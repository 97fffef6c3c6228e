"""Entities of tweets, beyond the reference suite: what holds for any text at all."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.text import (
    Entity,
    Hashtag,
    Mention,
    Url,
    extract_entities,
    normalise,
    normalise_tag,
)
from roost.domain.text.characters import (
    CYRILLIC,
    DIRECTION_MARKS,
    LATIN_ACCENTS,
    NON_CHARACTERS,
    SPACES,
)
from roost.domain.text.urls import find_urls
from roost.domain.text.validity import is_hashtag, is_url, is_username

FRAGMENTS = (
    *"q1-_./:@#$ ()?=!,&%+~é\n\u200d\ufe0f\u202aあ。＠＃",
    *("com", ".com", "co", "みんな", ".みんな", "http://", "HTTPS://", "://", "t.co/", "xn--", "rt", "@q", "#q", "$q"),
)
texts_like_tweets = st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join)
any_text = st.one_of(texts_like_tweets, st.text(st.characters(), max_size=80))


def all_of(text: str) -> list[Entity]:
    found = extract_entities(text)
    kinds: tuple[tuple[Entity, ...], ...] = (
        found.hashtags,
        found.mentions,
        found.urls,
        found.cashtags,
    )
    return sorted((entity for kind in kinds for entity in kind), key=lambda entity: entity.start)


@given(any_text)
def test_offsets_cut_each_entity_out_of_the_text(text: str) -> None:
    found = extract_entities(text)
    for url in found.urls:
        assert text[url.start : url.end] == url.url
    named: list[tuple[Entity, str, str]] = [
        *((tag, tag.tag, "#＃") for tag in found.hashtags),
        *((mention, mention.username, "@＠") for mention in found.mentions),
        *((cashtag, cashtag.cashtag, "$") for cashtag in found.cashtags),
    ]
    for entity, name, signs in named:
        assert text[entity.start] in signs
        assert text[entity.start + 1 : entity.end] == name


@given(any_text)
def test_no_two_entities_share_a_character(text: str) -> None:
    entities = all_of(text)
    assert all(one.end <= two.start for one, two in pairwise(entities))


@given(any_text)
def test_what_is_found_alone_is_valid_alone(text: str) -> None:
    found = extract_entities(text)
    assert all(is_hashtag(f"#{tag.tag}") for tag in found.hashtags)
    assert all(is_username(f"@{mention.username}") for mention in found.mentions)


@given(any_text, any_text)
def test_entities_stay_when_lines_are_put_around_the_text(before: str, text: str) -> None:
    shift = len(before) + 1
    around = all_of(f"{before}\n{text}\n{before}")
    moved = {(type(entity), entity.start, entity.end) for entity in around}
    for entity in all_of(text):
        assert (type(entity), entity.start + shift, entity.end + shift) in moved


# The rules of URLs as the backtracking expression that they are usually given as: right, and slow on hostile text.
_LABEL = rf"[^{SPACES}\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x9f\u2000-\u206f{NON_CHARACTERS}]"
_TOP_LEVEL = r"(?:(?:みんな|com|co)(?![0-9A-Za-z@+-])|xn--[-0-9a-z]+)"
_GENERAL = rf"[-A-Za-z{CYRILLIC}0-9!*';:=+,.$/%#\[\]\u2013_~@|&{LATIN_ACCENTS}]"
_BALANCED = rf"\((?:{_GENERAL}+|{_GENERAL}*\({_GENERAL}+\){_GENERAL}*)\)"
_PATH_END = rf"(?:[-+A-Za-z{CYRILLIC}0-9=_#/{LATIN_ACCENTS}]|{_BALANCED})"
_SLOW_URL = re.compile(
    rf"(?:^|[^A-Za-z0-9@＠$#＃{NON_CHARACTERS}]|[{DIRECTION_MARKS}])(?P<url>(?P<protocol>https?://)?"
    rf"(?P<domain>(?:(?:{_LABEL}(?:[_-]|{_LABEL})*)?{_LABEL}\.)*(?:{_LABEL}(?:-|{_LABEL})*)?{_LABEL}\."
    rf"{_TOP_LEVEL})(?::[0-9]+)?"
    rf"(?P<path>/(?:{_GENERAL}*(?:{_BALANCED}{_GENERAL}*)*{_PATH_END})*)?"
    r"(?:\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*[A-Za-z0-9_&=#/-])?)",
    re.IGNORECASE | re.ASCII,
)
_SLOW_LATIN_DOMAIN = re.compile(rf"(?:[-a-z0-9{LATIN_ACCENTS}]+\.)+{_TOP_LEVEL}", re.IGNORECASE | re.ASCII)
_SLOW_SHORT_LINK = re.compile(
    r"https?://t\.co/[a-z0-9]+(?:\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*[A-Za-z0-9_&=#/-])?",
    re.IGNORECASE | re.ASCII,
)


def slowly_found_urls(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    position = 0
    while match := _SLOW_URL.search(text, position):
        position = match.end()
        start, end = match.span("url")
        if any(re.match(r"xn--.*[^\0-\x7f]", label, re.IGNORECASE) for label in match["domain"].split(".")):
            continue
        if match["protocol"]:
            short = _SLOW_SHORT_LINK.match(text, start, end)
            position = short.end() if short else end
            spans.append((start, position))
        elif start == 0 or text[start - 1] not in "-_./":
            inner = [
                (start + found.start(), start + found.end()) for found in _SLOW_LATIN_DOMAIN.finditer(match["domain"])
            ]
            if inner and match["path"]:
                inner[-1] = (inner[-1][0], end)
            spans += inner
    return spans


@given(texts_like_tweets)
def test_urls_are_those_of_the_slow_expression(text: str) -> None:
    assert [(url.start, url.end) for url in find_urls(text)] == slowly_found_urls(text)


def test_a_tag_within_a_url_belongs_to_the_url() -> None:
    found = extract_entities("see http://example.com/#part/@name $TWTR")
    assert found.urls == (Url("http://example.com/#part/@name", 4, 34),)
    assert (found.hashtags, found.mentions) == ((), ())
    assert [cashtag.cashtag for cashtag in found.cashtags] == ["TWTR"]


def test_offsets_count_code_points() -> None:
    found = extract_entities("👩‍🚀𝒳 #tag @ada")
    assert found.hashtags == (Hashtag("tag", 5, 9),)
    assert found.mentions == (Mention("ada", 10, 14),)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Python", "PYTHON"),
        ("#python", "python"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Caf\u00e9", "cafe\u0301"),
        ("ᾠδή", "ὨΙΔΉ"),
    ],
)
def test_tags_that_differ_in_case_or_encoding_have_one_key(one: str, other: str) -> None:
    assert normalise_tag(one) == normalise_tag(other)


@pytest.mark.parametrize(("one", "other"), [("cafe", "café"), ("a_b", "ab"), ("東京", "京都")])
def test_tags_of_different_letters_have_different_keys(one: str, other: str) -> None:
    assert normalise_tag(one) != normalise_tag(other)


@given(any_text)
def test_the_key_of_a_key_is_itself(text: str) -> None:
    for tag in extract_entities(text).hashtags:
        key = normalise_tag(tag.tag)
        assert normalise_tag(key) == key


@given(any_text)
def test_normal_text_is_nfc_and_stays_as_it_is(text: str) -> None:
    try:
        normal = normalise(text)
    except Invalid:
        return
    assert unicodedata.is_normalized("NFC", normal)
    assert normalise(normal) == normal


@pytest.mark.parametrize("refused", ["\ufffe", "\uffff", "\ufeff", "\x00", "\x1b", "\ud800"])
def test_text_with_a_refused_character_is_invalid(refused: str) -> None:
    with pytest.raises(Invalid) as caught:
        normalise(f"abc{refused}d", field="bio")
    assert [error.field for error in caught.value.fields] == ["bio"]
    assert "character 3" in str(caught.value)
    assert f"U+{ord(refused):04X}" in str(caught.value)


def test_lines_tabs_and_direction_marks_are_kept() -> None:
    assert normalise("a\r\n\tb\u202ac\u202c") == "a\r\n\tb\u202ac\u202c"


@pytest.mark.parametrize(
    "address",
    ["http://exa mple.com/", "http://", "http:///path", "http://a..com/", "http://1.2.3/", "//a.com"],
)
def test_an_address_with_a_broken_part_is_no_url(address: str) -> None:
    assert not is_url(address)
