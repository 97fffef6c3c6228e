"""Display names and descriptions: what is written is what is seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.names import BIO_CHARACTERS_MAX, DISPLAY_NAME_CHARACTERS_MAX, check_bio, check_display_name
from roost.domain.visible_text import MARKS_MAX

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RED_HEART_ON_FIRE = "\u2764\ufe0f\u200d\U0001f525"
DARK_TECHNICIAN = "\U0001f469\U0001f3ff\u200d\U0001f4bb"
FLAG_OF_ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"

# Mostly the characters that matter here, so that sequences of them are met often.
tricky = st.text(
    st.sampled_from(
        "aß \u00a0\u3000\n\r\u0301\u0323\u20dd\u200b\u200c\u200d\ufe0f\u202e\u2066\ud800\ue000علक\u094d1#\u2800"
    )
    | st.sampled_from("\U0001f468\U0001f3ff\U0001f4bb\U0001f3f4\U000e0067\U000e007f\u2640葛\U000e0100")
    | st.characters(),
    max_size=60,
)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "Ω",
        "山田 太郎",
        "葛\U000e0100城",
        "محمد",
        "علی\u200cرضا",
        "क\u094d\u200dष",
        "नमस्ते",
        "Zoë",
        "ไก่ที่",
        FAMILY,
        RED_HEART_ON_FIRE,
        DARK_TECHNICIAN,
        FLAG_OF_ENGLAND,
        "1\ufe0f\u20e3",
        "\U0001fae8",
        "x" * 50,
    ],
)
def test_names_of_all_scripts_and_emoji_stay_as_written(name: str) -> None:
    assert check_display_name(name) == name


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Ada  ", "Ada"),
        ("Ada\u00a0\u2003Lovelace", "Ada Lovelace"),
        ("Zoe\u0308", "Zoë"),
        ("e\u0301" * 50, "é" * 50),
    ],
)
def test_a_display_name_is_composed_and_its_spaces_are_plain(written: str, kept: str) -> None:
    assert check_display_name(written) == kept


@pytest.mark.parametrize(
    "name",
    [
        "Ada\u202egnp.exe",
        "\u2066Ada\u2069",
        "Ada\u200e",
        "\u061cAda",
        "A\u200bda",
        "A\u200cda",
        "A\u200dda",
        "Ada\u200d",
        "\u200dAda",
        "\U0001f468\u200d",
        "A\u2060da",
        "\ufeffAda",
        "A\u00adda",
        "Ada\0",
        "A\tda",
        "A\nda",
        "A\u0085da",
        "A\u2028da",
        "A\u2029da",
        "\ue000",
        "\ud83d",
        "\ufdd0",
        "\uffff",
        "\u3164",
        "\u115f",
        "\u2800",
        "\u034f",
        "A\ufe0f",
        "\U000e0067",
        "\U0001f3f4\U000e0067\U000e0062",
        "A\U000e0100",
        "\u0301",
        "Z" + "\u0334\u0335\u0336\u0337\u0338",
        "م\u200c\u200cد",
    ],
)
def test_characters_that_hide_reorder_or_overflow_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_display_name(name)
    assert [field.field for field in refused.value.fields] == ["display_name"]
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("", "0 characters, at least 1 required"),
        (" \u3000\u00a0", "0 characters, at least 1 required"),
        ("x" * 51, "51 characters, at most 50 allowed"),
        ("x" * 1_000_000, "1000000 characters, at most 50 allowed"),
    ],
)
def test_a_display_name_out_of_bounds_is_refused_with_fact_and_bound(name: str, fact: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_display_name(name)
    assert str(refused.value) == fact


@given(tricky)
def test_accepted_display_names_are_stable_visible_and_bounded(text: str) -> None:
    try:
        name = check_display_name(text)
    except Invalid:
        return
    assert check_display_name(name) == name
    assert name == unicodedata.normalize("NFC", name)
    assert 1 <= len(name) <= DISPLAY_NAME_CHARACTERS_MAX
    categories = [unicodedata.category(char) for char in name]
    assert not {"Cc", "Cs", "Co", "Zl", "Zp"} & set(categories)
    joiners_and_flag_tags = {0x200C, 0x200D, *range(0xE0030, 0xE0080)}
    assert {ord(char) for char in name if unicodedata.category(char) == "Cf"} <= joiners_and_flag_tags
    assert "\u200d\u200d" not in name
    assert name[0] != "\u200d"
    assert name[-1] not in "\u200c\u200d"
    marks = "".join("m" if category in {"Mn", "Me"} else " " for category in categories)
    assert "m" * (MARKS_MAX + 1) not in marks


@given(tricky)
def test_accepted_descriptions_are_stable_and_bounded(text: str) -> None:
    try:
        bio = check_bio(text)
    except Invalid:
        return
    assert check_bio(bio) == bio
    assert len(bio) <= BIO_CHARACTERS_MAX
    assert not {"Cs", "Co", "Zl", "Zp"} & {unicodedata.category(char) for char in bio}
    assert {char for char in bio if unicodedata.category(char) == "Cc"} <= {"\n"}


def test_a_description_may_be_empty_and_may_have_lines() -> None:
    assert check_bio("") == ""
    assert check_bio("I count.\r\nI compute.\n") == "I count.\nI compute."


def test_a_description_out_of_bounds_is_refused_with_fact_and_bound() -> None:
    with pytest.raises(Invalid, match="161 characters, at most 160 allowed"):
        check_bio("x" * 161)
