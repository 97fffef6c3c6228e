"""Positions of a log in partitions: how far along each, as text that is a cursor too.

"k0.17-3.5": in partition 0 all before offset 17, in partition 3 all before offset 5, in others nothing. The start is
"0".
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from roost.domain.errors import Invalid
from roost.domain.ids import Position

START = Position("0")
TEXT_LENGTH_MAX = 20_000
"""A thousand partitions and their offsets."""
_FORM = re.compile(r"k[0-9]{1,5}\.[0-9]{1,18}(?:-[0-9]{1,5}\.[0-9]{1,18})*", re.ASCII)

Places = Mapping[int, int]
"""The next offset by partition; partitions at their very start may be left out."""


def position_of(nexts: Sequence[int]) -> Position:
    """Of all partitions, by number: the same text for the same places."""
    text = "-".join(f"{partition}.{offset}" for partition, offset in enumerate(nexts) if offset)
    return Position(f"k{text}") if text else START


def position_at(places: Places) -> Position:
    """Of some partitions."""
    text = "-".join(f"{partition}.{places[partition]}" for partition in sorted(places) if places[partition])
    return Position(f"k{text}") if text else START


@lru_cache(1_024)
def places_at(position: Position) -> Places | None:
    """The offsets; None where the position is malformed."""
    if position == START:
        return {}
    if len(position) > TEXT_LENGTH_MAX or not _FORM.fullmatch(position):
        return None
    pairs = [part.split(".") for part in position[1:].split("-")]
    places = {int(partition): int(offset) for partition, offset in pairs}
    return places if len(places) == len(pairs) else None


def checked_places_at(position: Position) -> Places:
    """The offsets. Raises Invalid where the position is malformed."""
    places = places_at(position)
    if places is None:
        raise Invalid.field("position", f"{position[:40]!r} is no position of this log")
    return places


def dense(places: Places, partitions: int) -> list[int] | None:
    """The offset of every partition; None where the places name one that is not there."""
    if any(partition >= partitions for partition in places):
        return None
    return [places.get(partition, 0) for partition in range(partitions)]


def is_within(nexts: Sequence[int], bounds: Sequence[int]) -> bool:
    """Whether each is at most the other's."""
    return all(map(int.__le__, nexts, bounds))
