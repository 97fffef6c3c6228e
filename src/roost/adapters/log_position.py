"""Positions of a log that numbers its events: the decimal number of the last event seen, 0 before the first."""

from roost.domain.errors import Invalid
from roost.domain.ids import ID_MAX, Position

DIGITS_MAX = 19


def position_at(seq: int) -> Position:
    return Position(str(seq))


def seq_at(position: Position) -> int | None:
    """The number; None where the position is malformed."""
    if not (position.isascii() and position.isdigit() and len(position) <= DIGITS_MAX):
        return None
    seq = int(position)
    return seq if seq <= ID_MAX else None


def checked_seq_at(position: Position) -> int:
    """The number. Raises Invalid where the position is malformed."""
    seq = seq_at(position)
    if seq is None:
        raise Invalid.field("position", f"{position[:40]!r} is no position of this log")
    return seq
