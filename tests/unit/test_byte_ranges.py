"""Which bytes a Range header asks for, against slicing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.edge.native.byte_ranges import is_known, requested_range
from roost.edge.problems import RangeNotSatisfiable

ETAG = '"d1"'
NUMBERS = st.integers(0, 60) | st.integers(0, 10**18 - 1)


@given(size=st.integers(1, 50), first=NUMBERS, last=NUMBERS | st.none())
def test_a_range_of_bytes_is_the_slice_that_it_names(size: int, first: int, last: int | None) -> None:
    asked = f"bytes={first}-{'' if last is None else last}"
    data = bytes(range(size))
    expected = data[first:] if last is None else data[first : last + 1]
    if last is not None and last < first:
        assert requested_range(asked, None, ETAG, size) is None
    elif not expected:
        with pytest.raises(RangeNotSatisfiable):
            requested_range(asked, None, ETAG, size)
    else:
        wanted = requested_range(asked, None, ETAG, size)
        assert wanted is not None
        assert data[wanted.start : wanted.stop] == expected
        assert wanted.stop <= size


@given(size=st.integers(1, 50), count=NUMBERS)
def test_a_suffix_is_the_end_of_the_bytes(size: int, count: int) -> None:
    if count == 0:
        with pytest.raises(RangeNotSatisfiable):
            requested_range("bytes=-0", None, ETAG, size)
        return
    wanted = requested_range(f"bytes=-{count}", None, ETAG, size)
    assert wanted is not None
    assert bytes(range(size))[wanted.start : wanted.stop] == bytes(range(size))[-count:]


@given(st.text(max_size=20) | st.sampled_from(["bytes=0-1,3-4", "bytes=-", "bytes=a-b", "items=0-1", "bytes=--1", ""]))
def test_anything_else_asks_for_all(asked: str) -> None:
    assert requested_range(asked, None, ETAG, 10) is None


@pytest.mark.parametrize("older", ['"d2"', 'W/"d1"', "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_range_of_another_version_asks_for_all(older: str) -> None:
    assert requested_range("bytes=0-1", older, ETAG, 10) is None
    assert requested_range("bytes=0-1", ETAG, ETAG, 10) == range(2)


def test_bytes_are_known_by_any_of_the_tags_given() -> None:
    assert all(is_known(given, ETAG) for given in (ETAG, 'W/"d1"', '"d0", "d1"', "*"))
    assert not any(is_known(given, ETAG) for given in (None, "", '"d0"', "d1"))
