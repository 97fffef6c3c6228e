"""What somebody types to find a user."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.ids import UserId
from roost.domain.search.people import (
    DISPLAY_WORDS_MAX,
    KEY_CHARACTERS_MAX,
    PREFIX_CHARACTERS_MAX,
    IndexedUser,
    parse_user_prefix,
)


@pytest.mark.parametrize(
    ("typed", "text"), [("@Ada_L", "ada_l"), (" Zoë  van ", "zoe van"), ("山田", "山 田"), ("_a", "_a")]
)
def test_a_prefix_is_folded_as_names_are(typed: str, text: str) -> None:
    assert parse_user_prefix(typed).text == text


@pytest.mark.parametrize("typed", ["", " ", "@", "!!!", "\x00"])
def test_a_prefix_without_a_letter_is_invalid(typed: str) -> None:
    with pytest.raises(Invalid, match="nothing to search for"):
        parse_user_prefix(typed)


def test_a_prefix_has_a_greatest_length() -> None:
    longest = "x" * PREFIX_CHARACTERS_MAX
    assert parse_user_prefix(longest).text == longest[:KEY_CHARACTERS_MAX]
    with pytest.raises(Invalid, match=f"at most {PREFIX_CHARACTERS_MAX}"):
        parse_user_prefix("x" * (PREFIX_CHARACTERS_MAX + 1))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_a_user_has_few_and_short_keys_and_answers_to_the_whole_display_name(name: str) -> None:
    user = IndexedUser(UserId(1), "Ada", name, 0)
    assert len(user.keys) <= DISPLAY_WORDS_MAX + 1
    assert all(len(key) <= KEY_CHARACTERS_MAX for key in user.keys)
    try:
        prefix = parse_user_prefix(name)
    except Invalid:
        return
    assert prefix.matches(user)
    assert parse_user_prefix("@aDA").is_name_of(user)
