"""Identifiers. 63 bits: 41 ms since 2006-01-01 | 12 shard | 10 node. Greater is newer.

An id is a sort key, a page cursor and, alone, names its partition (shard, day). The epoch lies before
the first tweet ever, so that imported archives keep their place in time.
"""

import hashlib
from typing import NewType

from roost.domain.errors import Invalid

UserId = NewType("UserId", int)
TweetId = NewType("TweetId", int)
ContentId = NewType("ContentId", str)
"""128 random bits in lower-case hexadecimal. Never derived from the bytes."""
Version = NewType("Version", int)
"""Minted like an id: greater is newer, unique across the system. 0 is older than all."""
Position = NewType("Position", str)
"""A place in the log, opaque to all but the log that gave it."""

EPOCH_MS = 1_136_073_600_000  # 2006-01-01T00:00:00Z
SHARD_BITS, NODE_BITS = 12, 10
SHARDS, NODES = 1 << SHARD_BITS, 1 << NODE_BITS
TIME_SHIFT = SHARD_BITS + NODE_BITS
ID_MAX = (1 << 63) - 1
DAY_MS = 86_400_000


def shard_of(user: UserId) -> int:
    """The shard, 0..4095, of all that a user writes."""
    digest = hashlib.blake2b(user.to_bytes(8, "big"), digest_size=2).digest()
    return int.from_bytes(digest, "big") % SHARDS


def compose_id(ms: int, shard: int, node: int) -> int:
    """The id of the Unix time `ms`. Raises ValueError where a part does not fit its bits."""
    since = ms - EPOCH_MS
    if not (0 <= since < 1 << 41 and 0 <= shard < SHARDS and 0 <= node < NODES):
        raise ValueError(f"ms {ms}, shard {shard} or node {node} does not fit an id")
    return since << TIME_SHIFT | shard << NODE_BITS | node


def ms_of(id: int) -> int:
    """Unix time in milliseconds of any id or version."""
    return (id >> TIME_SHIFT) + EPOCH_MS


def first_id_at(ms: int) -> int:
    """The smallest id of that millisecond: a bound for queries by time; 0 before the epoch."""
    return max(ms - EPOCH_MS, 0) << TIME_SHIFT


def shard_in(id: TweetId) -> int:
    """The shard that a tweet's id carries: its author's."""
    return id >> NODE_BITS & SHARDS - 1


def day_of(id: TweetId) -> int:
    """Days since 1970 of the id: with the shard, the partition that holds the tweet."""
    return ms_of(id) // DAY_MS


def parse_id(text: str, field: str) -> int:
    """A decimal id as callers write it. Raises Invalid naming the field and the bound."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or int(text) > ID_MAX:  # noqa: PLR2004 - 19 digits hold 2**63
        raise Invalid.field(field, f"{text[:40]!r} is not a decimal id of at most 63 bits")
    return int(text)
