"""How text becomes words, tags and language keys."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.domain.search import words
from roost.domain.search.words import language_keys, tag_key, words_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", "hello world"),
        ("don't foo#bar x_y 1.5", "don t foo bar x_y 1 5"),
        ("Café CAFÉ cafe\u0301", "cafe cafe cafe"),
        ("Straße STRASSE", "strasse strasse"),
        ("ISPARTA \u0131sparta İstanbul", "isparta isparta istanbul"),
        ("Ærø Łódź Đorđe Œuvre", "aero lodz dorde oeuvre"),
        ("Ελλάδα ΕΛΛΑΔΑ", "ελλαδα ελλαδα"),
        ("Ёлка елка", "елка елка"),
        ("\uff21\uff22\uff23 \U0001d400\U0001d401 ﬁn", "abc ab fin"),
        ("東京で iPhone発売！", "東 京 で iphone 発 売"),
        ("ｶﾞｷﾞ が か\u3099", "ガ ギ が が"),
        ("서울에서", "서 울 에 서"),
        ("ไทย", "ไ ท ย"),
        ("हिन्दी में", "हिन्दी में"),
        ("مَرْحَبًا مـرحبا أهلا", "مرحبا مرحبا اهلا"),
        ("می\u200cخواهم", "میخواهم"),
        ("٢٠٢٤ २०२४", "2024 2024"),
        ("👩\u200d💻 👍🏽❤\ufe0f 1\ufe0f\u20e3", "👩 💻 👍 ❤ 1"),
        ("so\u00adft b\u202eidi", "soft bidi"),
        ("a\u2028b\u00a0c", "a b c"),
    ],
)
def test_text_becomes_words(text: str, expected: str) -> None:
    assert " ".join(words_of(text)) == expected


@settings(deadline=None)
@given(st.text())
def test_words_hold_nothing_that_an_index_would_split(text: str) -> None:
    for word in words_of(text):
        assert word
        assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789_" for c in word if c.isascii())
        assert not any(c.isspace() for c in word)
        word.encode()


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii")), st.sampled_from("é東"))
def test_text_in_ascii_becomes_the_same_words_beside_other_letters(text: str, other: str) -> None:
    assert words_of(f"{text} {other}")[:-1] == words_of(text)


def test_only_so_much_text_is_read() -> None:
    assert len(words_of("a " * words.TEXT_CHARACTERS_MAX)) == words.TEXT_CHARACTERS_MAX // 2


def test_a_character_table_stays_within_its_bound() -> None:
    words_of("".join(map(chr, range(0x4E00, 0x4E00 + 20_000))))
    every = "".join(map(chr, range(0x20000, 0x28000)))
    assert len(words_of(every[:10_000])) == 10_000
    assert len(words._SEPARATED) <= words.CACHED_CHARACTERS_MAX  # noqa: SLF001 - the bound is of memory, seen nowhere else


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("Rust", "rust"),
        ("#RUST", "rust"),
        ("\uff03ruSt", "rust"),
        ("Élan", "élan"),
        ("E\u0301lan", "élan"),
        ("STRAẞE", "strasse"),
        ("हिन्दी", "हिन्दी"),
        ("c_1", "c_1"),
        ("", None),
        ("#", None),
        ("##a", None),
        ("a b", None),
        ("a-b", None),
        ('a"b', None),
        ("a\u2003b", None),
        ("\ud800", None),
        ("a" * 281, None),
    ],
)
def test_a_tags_key_regards_no_case(tag: str, key: str | None) -> None:
    assert tag_key(tag) == key


@settings(deadline=None)
@given(st.text(max_size=20))
def test_a_tags_key_is_its_own_key(text: str) -> None:
    key = tag_key(text)
    assert key is None or tag_key(key) == key


@pytest.mark.parametrize(
    ("tag", "keys"),
    [
        ("en", ("en",)),
        ("pt_BR", ("pt-br", "pt")),
        ("zh-Hant-TW", ("zh-hant-tw", "zh-hant", "zh")),
        ("und", ("und",)),
        ("", ()),
        ("e", ()),
        ('en"', ()),
        ("en us", ()),
    ],
)
def test_a_language_is_found_by_its_shorter_forms(tag: str, keys: tuple[str, ...]) -> None:
    assert language_keys(tag) == keys
