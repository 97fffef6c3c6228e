"""WebSocket frames as bytes (RFC 6455): built once, shared by all their receivers."""

from typing import NewType

Frame = NewType("Frame", bytes)

NORMAL = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
UNSUPPORTED = 1003
INVALID_TEXT = 1007
POLICY = 1008
TOO_BIG = 1009
INTERNAL_ERROR = 1011
IDLE = 4408
TOO_MANY = 4429

PING = Frame(b"\x89\x00")

_TEXT, _CLOSE, _PONG = 0x81, 0x88, 0x8A  # with the bit that says: this is the whole message
_SHORT_MAX, _MEDIUM_MAX = 125, 65_535  # bytes whose count fits in 7 and in 16 bits
_REASON_BYTES_MAX = 123  # a control frame holds 125 bytes, two of them are the code


class Violation(Exception):
    """The client broke the protocol: the socket closes with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def text_frame(data: bytes) -> Frame:
    """The frame of one finished text message. `data` must be UTF-8."""
    return Frame(_head(_TEXT, len(data)) + data)


def pong_frame(payload: bytes) -> Frame:
    return Frame(_head(_PONG, len(payload)) + payload)


def close_frame(code: int | None, reason: str = "") -> Frame:
    """A Close with a code and a reason (cut to what fits), or without both."""
    if code is None:
        return Frame(_head(_CLOSE, 0))
    payload = code.to_bytes(2, "big") + _fitting(reason.encode())
    return Frame(_head(_CLOSE, len(payload)) + payload)


def close_code_of(payload: bytes) -> int | None:
    """The code that a client's Close carries. Raises Violation on what no client may send."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not _may_be_sent(code):
        raise Violation(PROTOCOL_ERROR, "invalid close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation(INVALID_TEXT, "the reason of the close is not UTF-8") from None
    return code


def _may_be_sent(code: int) -> bool:
    """1004 has no meaning; 1005, 1006 and 1015 say what happened without a Close; 3000 and up are free."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999  # noqa: PLR2004  as in RFC 6455, 7.4


def _head(first: int, size: int) -> bytes:
    if size <= _SHORT_MAX:
        return bytes((first, size))
    if size <= _MEDIUM_MAX:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")


def _fitting(reason: bytes) -> bytes:
    if len(reason) <= _REASON_BYTES_MAX:
        return reason
    return reason[:_REASON_BYTES_MAX].decode(errors="ignore").encode()
