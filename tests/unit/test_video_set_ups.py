"""What decoders are set up with: the notes in it go, the rest stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.adapters.media.child_process.set_ups import (
    without_hevc_messages,
    without_vorbis_comments,
)
from roost.domain.errors import BrokenContent

HEAD = b"\x01vorbis" + bytes(23)
BOOKS = b"\x05vorbis" + bytes(range(200))


def vorbis(comments: bytes) -> bytes:
    lacing = b"\xff" * (len(comments) // 255) + bytes([len(comments) % 255])
    return bytes([2, len(HEAD)]) + lacing + HEAD + comments + BOOKS


@given(st.binary(max_size=1_000))
def test_vorbis_comments_of_any_length_go_and_the_rest_stays(comments: bytes) -> None:
    clean = without_vorbis_comments(vorbis(b"\x03vorbis" + comments))
    assert clean[:2] == bytes([2, len(HEAD)])
    assert clean[3 : 3 + len(HEAD)] == HEAD
    assert clean[3 + len(HEAD) : -len(BOOKS)] == b"\x03vorbis" + bytes(8) + b"\x01"
    assert clean[2] == len(clean) - 3 - len(HEAD) - len(BOOKS)
    assert clean.endswith(BOOKS)


@given(st.binary(max_size=300))
def test_what_is_no_vorbis_set_up_is_broken(private: bytes) -> None:
    with pytest.raises(BrokenContent):
        without_vorbis_comments(private)


def hevc(*arrays: tuple[int, list[bytes]]) -> bytes:
    written = bytes(22) + bytes([len(arrays)])
    for type, units in arrays:
        written += bytes([0x80 | type]) + len(units).to_bytes(2)
        written += b"".join(len(unit).to_bytes(2) + unit for unit in units)
    return written


def test_hevc_messages_go_and_parameter_sets_stay() -> None:
    private = hevc((32, [b"video"]), (39, [b"note", b"note"]), (33, [b"sequence"]), (40, [b"note"]))
    start = b"\0\0\0\1"
    assert without_hevc_messages(private) == start + b"video" + start + b"sequence"


def test_an_hevc_set_up_without_arrays_is_left_as_it_is() -> None:
    assert without_hevc_messages(b"") == b""
    assert without_hevc_messages(bytes(22)) == bytes(22)


@given(st.integers(24, 60))
def test_a_cut_hevc_set_up_is_broken(length: int) -> None:
    whole = hevc((32, [b"video" * 3]), (33, [b"sequence" * 3]))
    if length < len(whole):
        with pytest.raises(BrokenContent):
            without_hevc_messages(whole[:length])
    else:
        assert without_hevc_messages(whole).count(b"\0\0\0\1") == 2
