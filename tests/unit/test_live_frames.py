"""Frames as bytes, judged by the parser of the `websockets` package."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ProtocolError
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from roost.edge.live.frames import (
    PING,
    Violation,
    close_code_of,
    close_frame,
    pong_frame,
    text_frame,
)


def parsed(data: bytes) -> Frame:
    stream = StreamReader()
    stream.feed_data(data)
    parsing = Frame.parse(stream.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert stream.buffer == bytearray(), "nothing follows the frame"
    frame = done.value.value
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_text_frame_of_any_size_is_what_a_client_reads(size: int) -> None:
    frame = parsed(text_frame(b"x" * size))
    assert (frame.opcode, frame.fin, frame.data) == (Opcode.TEXT, True, b"x" * size)


@given(st.binary(max_size=125))
def test_a_pong_carries_the_pings_words(payload: bytes) -> None:
    frame = parsed(pong_frame(payload))
    assert (frame.opcode, frame.data) == (Opcode.PONG, payload)


def test_the_ping_is_empty() -> None:
    assert parsed(PING) == Frame(Opcode.PING, b"")


@given(st.sampled_from([1000, 1001, 1008, 1009, 4408, 4429]), st.text(max_size=200))
def test_a_close_carries_its_code_and_as_much_of_its_reason_as_fits(code: int, reason: str) -> None:
    frame = parsed(close_frame(code, reason))
    close = Close.parse(frame.data)
    assert close.code == code
    assert reason.startswith(close.reason)
    assert len(frame.data) <= 125
    if len(reason.encode()) <= 123:
        assert close.reason == reason
    assert close_code_of(bytes(frame.data)) == code


def test_a_close_may_say_nothing() -> None:
    assert parsed(close_frame(None)) == Frame(Opcode.CLOSE, b"")
    assert close_code_of(b"") is None


@given(st.binary(min_size=1, max_size=125))
def test_a_clients_close_is_judged_as_the_websockets_package_judges_it(payload: bytes) -> None:
    try:
        close = Close.parse(payload)
        close.check()
    except (ProtocolError, UnicodeDecodeError):
        with pytest.raises(Violation) as violation:
            close_code_of(payload)
        assert violation.value.code in (1002, 1007)
    else:
        assert close_code_of(payload) == close.code
