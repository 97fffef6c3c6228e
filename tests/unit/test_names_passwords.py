"""Which passwords are taken, and that no refusal repeats one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.guessable_passwords import is_common
from roost.domain.names import check_password

COMMON = """
password password1 Password123! P@ssw0rd p455w0rd passw0rd! 12345678 123456789 1234567890 11111111 00000000
qwertyuiop 1q2w3e4r 1qaz2wsx zaq12wsx asdfghjkl qwerty123 iloveyou iloveyou1 letmein1 trustno1 football baseball
princess1 sunshine superman1 monkey2019 Summer2024! dragon12 admin123 adminadmin abcabcabc 12121212 abcd1234
a1b2c3d4 welcome1 password12 87654321 michael1 jennifer starwars computer whatever
""".split()  # noqa: SIM905 - reads better than forty quoted lines
GOOD = [
    "correct horse battery",
    "Tr0ub4dor&3",
    "vK9#mLq2",
    "þrjátíu og sjö",
    "生きるべきか死ぬべきか",
    "x7" + "-lamp" * 25,
]


@pytest.mark.parametrize("password", COMMON)
def test_the_commonest_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid, match="commonest"):
        check_password(password, "ada", "ada@example.org")


@pytest.mark.parametrize("password", GOOD)
def test_other_passwords_are_taken_as_they_are(password: str) -> None:
    assert check_password(password, "ada", "ada@example.org") == password


@pytest.mark.parametrize(
    ("password", "fact"),
    [
        ("", "0 characters, at least 8 required"),
        ("vK9#mLq", "7 characters, at least 8 required"),
        ("-lamp" * 26, "130 characters, at most 128 allowed"),
    ],
)
def test_a_password_out_of_bounds_is_refused_with_fact_and_bound(password: str, fact: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_password(password, "ada", "ada@example.org", field="new")
    assert [(field.field, field.detail) for field in refused.value.fields] == [("new", fact)]


@pytest.mark.parametrize("password", ["ada_lovelace", "Ada_Lovelace18", "xADA_LOVELACEx", "countess7", "7countess7"])
def test_a_password_that_is_little_but_the_own_name_is_refused(password: str) -> None:
    with pytest.raises(Invalid, match="at least 8 required"):
        check_password(password, "ada_lovelace", "countess@example.org")


def test_a_password_that_is_long_enough_beside_the_own_name_is_taken() -> None:
    assert check_password("ada and her engine", "ada", "ada@example.org") == "ada and her engine"


def test_a_name_of_two_letters_may_lie_in_a_password_by_chance() -> None:
    assert check_password("vK9#mLq2", "vk", "lq@example.org") == "vK9#mLq2"


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(Invalid, match="surrogate"):
        check_password("vK9#mLq2\ud800", "ada", "ada@example.org")


# None of these stands in any message, so that a message that holds the password or a part of it is told.
@given(st.text("☃☂☯☮\ud800", min_size=1, max_size=140))
def test_no_refusal_repeats_the_password(password: str) -> None:
    shown = ""
    try:
        check_password(password, password[:15], f"{password}@example.org")
    except Invalid as refused:
        shown = f"{refused} {refused.fields}"
    assert not set(password) & set(shown)


@given(st.text(max_size=128))
def test_whether_a_password_is_common_can_be_asked_of_any_text(text: str) -> None:
    assert is_common(text) in {True, False}
    assert is_common(f"{text[:1] * 2}password1") == is_common(f"{text[:1] * 2}PASSWORD1")
