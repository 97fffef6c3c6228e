"""Which of an immutable thing's bytes a request wants: RFC 9110, one range at most.

edge.native.content -> requested_range, is_known
"""

import re

from roost.edge.problems import RangeNotSatisfiable

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.IGNORECASE)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller has these bytes already."""
    if if_none_match is None:
        return False
    known = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    return any(one in {"*", etag} for one in known)


def requested_range(range_: str | None, if_range: str | None, etag: str, byte_size: int) -> range | None:
    """The bytes wanted; None for all: no range, several, one that is no range of bytes, or one of an older version.

    Raises RangeNotSatisfiable where there are none.
    """
    if range_ is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(range_.strip())
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        wanted = range(max(byte_size - int(suffix), 0), byte_size)
    elif last and int(last) < int(first):
        return None
    else:
        wanted = range(int(first), min(int(last) + 1, byte_size) if last else byte_size)
    if not wanted:
        raise RangeNotSatisfiable(byte_size)
    return wanted
