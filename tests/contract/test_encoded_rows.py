"""What is written as bytes is read back whole, also by a program of the version before or after."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.adapters.event_codec import decode_event, encode_event
from roost.adapters.tweet_rows import decode_tweet, encode_tweet
from roost.domain.events import Event, TweetPosted
from roost.domain.ids import ID_MAX, TweetId, UserId, Version
from roost.domain.tweet import Tweet

ids = st.integers(0, ID_MAX)
texts = st.text(max_size=40)


def of_fields(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Values of a dataclass, each field drawn by its type; positive ids, as there are no others."""
    return st.builds(kind, **{name: of_type(hint) for name, hint in get_type_hints(kind).items()})


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    plain = getattr(hint, "__supertype__", hint)
    if plain is int:
        return ids
    if plain is str:
        return texts
    parts = get_args(plain)
    if parts and type(None) in parts:
        return st.none() | of_type(parts[0])
    if parts and parts[-1] is Ellipsis:
        return st.lists(of_type(parts[0]), max_size=3).map(tuple)
    if parts:
        return st.tuples(*map(of_type, parts))
    return of_fields(plain) if hasattr(plain, "__dataclass_fields__") else st.from_type(plain)


@given(of_fields(Tweet))
def test_every_tweet_comes_back(tweet: Tweet) -> None:
    again = decode_tweet(encode_tweet(tweet))
    assert again == tweet
    assert type(again) is Tweet
    assert [type(getattr(again, field.name)) for field in fields(Tweet)] == [
        type(getattr(tweet, field.name)) for field in fields(Tweet)
    ]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_kind_of_event_comes_back(kind: type[Event]) -> None:
    @given(of_fields(kind))
    def comes_back(event: Event) -> None:
        name, body = encode_event(event)
        assert name == kind.__name__
        assert decode_event(name, body) == event

    comes_back()


PLAIN = Tweet(TweetId(5), UserId(7), "hello", Version(9))


def with_more(body: bytes) -> bytes:
    """The same as a later version may write it."""
    return msgspec.msgpack.encode({**msgspec.msgpack.decode(body), "invented_later": [1, {"x": None}]})


@pytest.mark.parametrize(
    ("encode", "decode", "value"),
    [
        (encode_tweet, decode_tweet, PLAIN),
        (
            lambda event: encode_event(event)[1],
            lambda body: decode_event("TweetPosted", body),
            TweetPosted.of(PLAIN),
        ),
    ],
)
def test_fields_that_a_later_version_adds_are_passed_over(
    encode: Callable[[Any], bytes], decode: Callable[[bytes], Any], value: Any
) -> None:
    assert decode(with_more(encode(value))) == value


def test_fields_that_an_earlier_version_did_not_know_have_their_default() -> None:
    body = msgspec.msgpack.encode({"id": 5, "author": 7, "message": "hello", "version": 9})
    assert decode_tweet(body) == PLAIN


def test_a_kind_of_event_that_only_a_later_version_knows_is_passed_over() -> None:
    assert decode_event("InventedLater", b"\x80") is None


def test_a_plain_tweet_is_little_more_than_its_message() -> None:
    tweet = Tweet(TweetId(ID_MAX), UserId(ID_MAX), "x" * 200, Version(ID_MAX), lang="en")
    assert len(encode_tweet(tweet)) < 300
