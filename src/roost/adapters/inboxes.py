"""Small boxes of ids in one block of memory, so that one id is put into many of them at once.

A push onto a timeline's own list touches five places of memory that are far apart, 0.6 µs with 13,000 timelines; a box
is one row of a block, and NumPy fills a thousand rows with their cache misses overlapping: 0.09 µs each, emptying
included (docs/decisions/0014-pushes-wait-in-inboxes.md).
"""

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ROWS_AT_FIRST = 64
NOTHING = array("q")
Rows = NDArray[np.int64]


class Inboxes:
    """Boxes of at most `room` ids, each named by where its row begins; 0 names none.

    A row holds how many ids are in it, then the ids: 8 bytes each. The block doubles when no row is free.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._width = room + 1
        self._free: list[int] = []
        self._grow(array("q"), ROWS_AT_FIRST)

    def open(self) -> int:
        """A box of one's own, empty."""
        if not self._free:
            self._grow(self._block, 2 * len(self._block) // self._width)
        return self._free.pop()

    def close(self, box: int) -> None:
        """Give it back with what is in it."""
        self._block[box] = 0
        self._free.append(box)

    def put(self, id: int, box: int) -> bool:
        """Whether it is full now: then it must be emptied before the next."""
        block = self._block
        count = block[box] + 1
        block[box + count] = id
        block[box] = count
        return count == self.room

    def put_into_all(self, id: int, boxes: Rows) -> Sequence[int]:
        """Which of them are full now."""
        rows = self._rows
        counts = rows[boxes] + 1
        rows[boxes + counts] = id
        rows[boxes] = counts
        full: list[int] = boxes[counts == self.room].tolist()
        return full

    def empty(self, box: int) -> "array[int]":
        """What was in it, in the order in which it came."""
        block = self._block
        count = block[box]
        if not count:
            return NOTHING
        block[box] = 0
        return block[box + 1 : box + 1 + count]

    def _grow(self, old: "array[int]", rows: int) -> None:
        block = array("q", bytes(8 * rows * self._width))
        block[: len(old)] = old
        first = max(len(old), self._width)  # the first row is nobody's, so that 0 can name none
        self._free.extend(range(len(block) - self._width, first - 1, -self._width))
        self._block = block
        self._rows: Rows = np.frombuffer(block, np.int64)  # the same memory
