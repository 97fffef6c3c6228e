"""Usernames, e-mail addresses and mobile numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.errors import Invalid
from roost.domain.names import (
    EMAIL_CHARACTERS_MAX,
    RESERVED_USERNAMES,
    check_email,
    check_mobile,
    check_username,
    email_key,
    username_key,
)


@pytest.mark.parametrize("name", ["a", "Ada_Lovelace", "_", "0123456789", "x" * 15])
def test_a_username_of_letters_digits_and_underscores_stays_as_written(name: str) -> None:
    assert check_username(name) == name


@pytest.mark.parametrize("name", ["ada lovelace", "ada-l", "ада", "ada\n", " ada", "ada.l", "ádá", "٣", "@ada", "a\0"])
def test_a_username_of_other_characters_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="A-Z, a-z, 0-9 and _"):
        check_username(name)


@pytest.mark.parametrize(
    ("name", "fact"),
    [("", "0 characters, at least 1 required"), ("x" * 16, "16 characters, at most 15 allowed")],
)
def test_a_username_out_of_bounds_is_refused_with_fact_and_bound(name: str, fact: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_username(name, "Username")
    assert [(field.field, field.detail) for field in refused.value.fields] == [("Username", fact)]


@pytest.mark.parametrize("name", ["admin", "ADMIN", "Api", "root", "support", "Login", "ws", "health", "inbox"])
def test_reserved_usernames_are_refused_whatever_their_case(name: str) -> None:
    with pytest.raises(Invalid, match="reserved"):
        check_username(name)


def test_every_reserved_username_is_written_as_its_own_key_and_could_be_asked_for() -> None:
    assert {name for name in RESERVED_USERNAMES if username_key(name) != name or len(name) > 15} == set()


@given(st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True))
def test_names_that_differ_in_case_only_have_one_key(name: str) -> None:
    assert username_key(name.upper()) == username_key(name.lower()) == username_key(name)


@given(st.text(max_size=20))
def test_accepted_usernames_are_stable_under_checking_again(text: str) -> None:
    try:
        name = check_username(text)
    except Invalid:
        return
    assert check_username(name) == name == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.org", "ada@example.org"),
        (" Ada.Love+tag@Example.ORG ", "Ada.Love+tag@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("o'brien@mail.example.co.uk", "o'brien@mail.example.co.uk"),
    ],
)
def test_an_address_is_kept_with_its_domain_in_ascii_lower_case(written: str, kept: str) -> None:
    assert check_email(written) == kept


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@localhost",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@example..org",
        "ada@-example.org",
        "ada@exa mple.org",
        "ada love@example.org",
        '"ada"@example.org',
        ".ada@example.org",
        "ada.@example.org",
        "a..b@example.org",
        "ada@example.org\r\nBcc: eve@example.org",
        "ada\n@example.org",
        "ada@example.org,eve@example.org",
        "ada@exam\u200bple_.org",
        "ада@example.org",
        "\ud800@example.org",
        "ada@\ud800.org",
        "a" * 65 + "@example.org",
        "ada@" + "a" * 64 + ".org",
        "ada@" + "a." * 125 + "org",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_email(address)
    assert [field.field for field in refused.value.fields] == ["email"]


def test_addresses_that_differ_in_case_only_have_one_key() -> None:
    assert email_key(check_email("ADA@Example.org")) == email_key(check_email("ada@EXAMPLE.org"))


@given(st.emails() | st.from_regex(r"\A\w{1,9}@\w{1,9}\.[a-z]{2,5}\Z"))
def test_accepted_addresses_are_ascii_bounded_and_stable_under_checking_again(text: str) -> None:
    try:
        address = check_email(text)
    except Invalid:
        return
    assert check_email(address) == address
    assert address.isascii()
    assert address.isprintable()
    assert len(address) <= EMAIL_CHARACTERS_MAX


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+31612345678", "+31612345678"),
        ("+31 (6) 12-34.56 78", "+31612345678"),
        ("0031612345678", "+31612345678"),
        ("15551234567", "+15551234567"),
        (None, None),
        ("", None),
        ("  ", None),
    ],
)
def test_a_mobile_number_is_kept_in_its_international_form(written: str | None, kept: str | None) -> None:
    assert check_mobile(written) == kept


@pytest.mark.parametrize(
    "number",
    ["0612345678", "+123456", "+1234567890123456", "call me", "+31 6 1234567x", "+٣١٦١٢٣٤٥٦٧٨", "+", "9" * 999],
)
def test_what_is_no_international_number_is_refused(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_mobile(number)
    assert [field.field for field in refused.value.fields] == ["mobile"]
