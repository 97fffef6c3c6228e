"""Whole text messages out of a client's data frames: fragments joined, bounded, checked."""

from picows import WSFrame, WSMsgType

from roost.edge.live.frames import (
    INVALID_TEXT,
    PROTOCOL_ERROR,
    TOO_BIG,
    UNSUPPORTED,
    Violation,
)


class Messages:
    """picows hands over frames; which of them make a message, and whether that is text, is decided here."""

    __slots__ = ("_bytes_max", "_unfinished")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._unfinished: bytearray | None = None

    def take(self, frame: WSFrame) -> str | None:
        """The message that this data frame completes, if it does. Raises Violation."""
        kind = frame.msg_type
        if kind == WSMsgType.BINARY:
            raise Violation(UNSUPPORTED, "messages are text")
        if kind == WSMsgType.CONTINUATION:
            return self._continued(frame)
        if self._unfinished is not None:
            raise Violation(PROTOCOL_ERROR, "a new message inside an unfinished one")
        if frame.fin:
            return _text(frame.get_payload_as_bytes())  # the parser bounds a single frame
        self._unfinished = bytearray(frame.get_payload_as_memoryview())
        return None

    def _continued(self, frame: WSFrame) -> str | None:
        unfinished = self._unfinished
        if unfinished is None:
            raise Violation(PROTOCOL_ERROR, "a continuation of nothing")
        if len(unfinished) + frame.payload_size > self._bytes_max:
            raise Violation(TOO_BIG, f"a message has at most {self._bytes_max} bytes")
        unfinished += frame.get_payload_as_memoryview()
        if not frame.fin:
            return None
        self._unfinished = None
        return _text(unfinished)


def _text(payload: bytes | bytearray) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_TEXT, "the message is not UTF-8") from None
