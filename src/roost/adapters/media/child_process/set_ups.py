"""What a track's decoder is set up with, without the notes that encoders and cameras leave there.

videos -> (here): packets are filtered on their way, this is written once into the new file's head
"""

from collections.abc import Callable

from roost.domain.errors import BrokenContent

_VORBIS_PACKETS = 3
_LACING_MAX = 255
_VORBIS_HEAD_BYTES = 30
# No vendor, no comments, and the bit that ends them.
_NO_COMMENTS = b"\x03vorbis" + bytes(4) + bytes(4) + b"\x01"

_HEVC_HEAD_BYTES = 22
_HEVC_MESSAGES = frozenset({39, 40})
_HEVC_ARRAY_HEAD_BYTES = 3
_HEVC_TYPE = 0x3F
_START_CODE = b"\x00\x00\x00\x01"


def without_vorbis_comments(private: bytes) -> bytes:
    """Count less one | size of the first and second packet, in 255s and a rest | three packets.

    The comments are the second.
    """
    if len(private) < _VORBIS_HEAD_BYTES or private[0] != _VORBIS_PACKETS - 1:
        raise BrokenContent("the sound track is not set up as Vorbis")
    first_size, at = _laced(private, 1)
    second_size, at = _laced(private, at)
    first = private[at : at + first_size]
    third = private[at + first_size + second_size :]
    if first_size != _VORBIS_HEAD_BYTES or not third.startswith(b"\x05vorbis"):
        raise BrokenContent("the sound track is not set up as Vorbis")
    sizes = bytes([_VORBIS_PACKETS - 1, len(first), len(_NO_COMMENTS)])
    return sizes + first + _NO_COMMENTS + third


def _laced(private: bytes, at: int) -> tuple[int, int]:
    """A size, and where what follows it begins."""
    size = 0
    while at < len(private):
        size += private[at]
        at += 1
        if private[at - 1] < _LACING_MAX:
            break
    return size, at


def without_hevc_messages(private: bytes) -> bytes:
    """22 bytes | count of arrays | each: type, count of units, each of them with its size.

    Answers the units behind start codes, as the filter of messages leaves the packets too: the
    container's writer tells by the set-up how packets come.
    """
    if len(private) <= _HEVC_HEAD_BYTES:
        return private
    kept: list[bytes] = []
    at = _HEVC_HEAD_BYTES + 1
    for _ in range(private[_HEVC_HEAD_BYTES]):
        if at + _HEVC_ARRAY_HEAD_BYTES > len(private):
            raise BrokenContent("the picture track is not set up as HEVC")
        type, count = private[at] & _HEVC_TYPE, int.from_bytes(private[at + 1 : at + 3])
        at += _HEVC_ARRAY_HEAD_BYTES
        for _ in range(count):
            begin, at = at + 2, at + 2 + int.from_bytes(private[at : at + 2])
            if at > len(private):
                raise BrokenContent("the picture track is not set up as HEVC")
            if type not in _HEVC_MESSAGES:
                kept.append(_START_CODE + private[begin:at])
    return b"".join(kept)


CLEAN_SET_UPS: dict[str, Callable[[bytes], bytes]] = {
    "vorbis": without_vorbis_comments,
    "hevc": without_hevc_messages,
}
