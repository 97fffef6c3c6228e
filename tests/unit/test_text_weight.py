"""The weight of messages, beyond the reference suite."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.text import MESSAGE_WEIGHT_MAX, overflow_start, weighted_length
from roost.domain.text.validity import is_tweet
from roost.domain.text.weight import URL_WEIGHT, WeightRules

light_text = st.text(st.sampled_from("abc XYZ,!éñßжλאع\u2014\u201c"), max_size=40)
heavy_text = st.text(st.sampled_from("日本語한국어ក😀🎉€"), max_size=40)
pieces = st.sampled_from(
    (*"ab .日é\u0301", "http://example.com/path", "foo.com", "👩‍🚀", "❤️", "1⃣", "🇫🇷", "\u200d", "👍🏽", "🏽")
)
any_text = st.one_of(st.lists(pieces, max_size=20).map("".join), st.text(st.characters(), max_size=60))
NARROW = WeightRules(weight_max=9)


@given(light_text)
def test_letters_of_alphabets_weigh_one(text: str) -> None:
    assert weighted_length(text) == len(text)


@given(heavy_text)
def test_ideographs_syllables_and_emoji_weigh_two(text: str) -> None:
    assert weighted_length(text) == 2 * len(unicodedata.normalize("NFC", text))


@given(st.lists(st.one_of(light_text, heavy_text), max_size=6))
def test_the_weight_of_words_is_the_sum_of_theirs(words: list[str]) -> None:
    spaces = max(0, len(words) - 1)
    assert weighted_length(" ".join(words)) == sum(map(weighted_length, words)) + spaces


@given(any_text)
def test_the_encoding_of_accents_does_not_change_the_weight(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert weighted_length(composed) == weighted_length(decomposed) == weighted_length(text)


@given(st.text(st.sampled_from("abc/_=-"), max_size=300))
def test_a_url_weighs_the_same_whatever_its_length(path: str) -> None:
    assert weighted_length(f"see http://example.com/{path} now") == len("see  now") + URL_WEIGHT


@given(any_text)
def test_a_text_overflows_exactly_when_it_weighs_too_much(text: str) -> None:
    normal = unicodedata.normalize("NFC", text)
    overflow = overflow_start(text, NARROW)
    assert (overflow is None) == (weighted_length(text) <= NARROW.weight_max)
    if overflow is not None:
        assert overflow < len(normal)
        if "." not in normal:  # what is cut off at a dot may become a URL
            assert weighted_length(normal[:overflow]) <= NARROW.weight_max


@pytest.mark.parametrize(
    "emoji",
    [
        *("😀", "❤", "❤️", "☺️", "⌚️", "👍🏽", "☝🏿", "✌️", "1⃣", "#️⃣", "🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        *("👩‍🚀", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "🧑‍🧑‍🧒‍🧒", "👩‍❤️‍💋‍👨", "👩🏻‍🤝‍👨🏿", "🏃‍♀️‍➡️", "🧑🏼‍🦽‍➡️", "👨‍🦰"),
        *("🏳️‍🌈", "🏳️‍⚧️", "🏴‍☠️", "👁️‍🗨️", "🐈‍⬛", "🐻‍❄️", "❤️‍🔥", "😶‍🌫️", "🙂‍↔️", "🫱🏻‍🫲🏿", "🤼‍♂️", "©️"),
    ],
)
def test_an_emoji_weighs_two_however_it_is_written(emoji: str) -> None:
    assert weighted_length(emoji) == 2
    assert weighted_length(f"a{emoji}{emoji}b") == 6


@pytest.mark.parametrize("link", ["👩\u200d", "👨\u200d👩\u200d👧\u200d", "❤️\u200d", "🏽", "\ufe0f", "\U000e0067"])
def test_no_chain_of_joined_emoji_is_endless(link: str) -> None:
    assert weighted_length(link * 1000) >= 1000


def test_a_sign_is_light_until_it_is_an_emoji() -> None:
    assert [weighted_length(text) for text in ("©", "1", "#", "™")] == [1, 1, 1, 2]


def test_a_message_holds_280_letters_or_140_ideographs() -> None:
    assert MESSAGE_WEIGHT_MAX == 280
    assert is_tweet("a" * 280)
    assert not is_tweet("a" * 281)
    assert is_tweet("日" * 140)
    assert not is_tweet("日" * 140 + "a")
    assert overflow_start("日" * 140 + "a") == 140
