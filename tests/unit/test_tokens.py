"""Opaque tokens: 256 bits as text, and the hash that is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.domain.tokens import TOKEN_CHARACTERS, hash_token, is_token, read_token, token_text

random_bytes = st.binary(min_size=32, max_size=32)


@given(random_bytes)
def test_a_token_can_be_read_again_and_fits_in_a_header_a_cookie_and_an_address(random: bytes) -> None:
    token = token_text(random)
    assert read_token(token) == token
    assert len(token) == TOKEN_CHARACTERS
    assert all(char.isascii() and (char.isalnum() or char in "-_") for char in token)


@given(random_bytes, random_bytes)
def test_different_bytes_make_different_tokens_and_hashes(one: bytes, other: bytes) -> None:
    same = one == other
    assert (token_text(one) == token_text(other)) is same
    assert (hash_token(token_text(one)) == hash_token(token_text(other))) is same
    assert is_token(token_text(one), hash_token(token_text(other))) is same


@given(random_bytes)
def test_the_hash_does_not_show_the_token(random: bytes) -> None:
    kept = hash_token(token_text(random))
    assert len(kept) == 32
    assert kept != random


@pytest.mark.parametrize(
    "text", ["", "x", "A" * 42, "A" * 44, "A" * 42 + "=", "A" * 42 + "\n", "é" * 43, "A" * 42 + "+"]
)
def test_what_cannot_be_a_token_is_told_without_a_look_up(text: str) -> None:
    assert read_token(text) is None
    assert not is_token(text, bytes(32))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_token_is_made_of_exactly_256_bits(size: int) -> None:
    with pytest.raises(ValueError, match=f"{size} bytes"):
        token_text(bytes(size))
