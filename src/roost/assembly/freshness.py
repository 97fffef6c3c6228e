"""That users see their own writes at once on every worker: a small memory that all workers share.

SqliteEventLog (each fact that is read) -> Board.note … Freshness.unseen <- edge.native.app, edge.native.hot

Who writes reads the fact back from the log before it acknowledges it, and notes its number on the board; another
worker looks there before it answers the same user. Each worker notes in a column of its own: no two processes write
the same word, a word is written in one move, and the words of a column only rise: so no lock is needed.
"""

import mmap
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass

from roost.adapters.log_position import position_at
from roost.assembly.reactor import Progress
from roost.domain.events import (
    Event,
    LikeChanged,
    RelationChanged,
    SessionsEnded,
    TweetDeleted,
    TweetPosted,
    UserChanged,
    UserDeleted,
)
from roost.domain.ids import Position, UserId

SLOTS_BITS = 16
SLOTS = 1 << SLOTS_BITS
"""Users share a slot by hash: then one may wait for the other's write, a millisecond at most times."""
WORD_BYTES = 8
_SPREAD, _WORD_BITS = 0x9E37_79B9_7F4A_7C15, 64
_MASK = (1 << _WORD_BITS) - 1

_WRITERS: dict[type[Event], Callable[..., Collection[UserId]]] = {
    TweetPosted: lambda event: (event.author_id,),
    TweetDeleted: lambda event: (event.author_id,),
    LikeChanged: lambda event: (event.user_id,),
    # Follows are asked for by the one and accepted by the other.
    RelationChanged: lambda event: (event.subject, event.object),
    UserChanged: lambda event: (event.user_id,),
    UserDeleted: lambda event: (event.user_id,),
    SessionsEnded: lambda event: (event.user_id,),
}
"""Whose act a fact tells of. Facts that reactions leave are nobody's."""


class Board:
    """A row a slot, with a word for each worker side by side: a look touches one line of the processor's cache."""

    def __init__(self, descriptor: int, workers: int, number: int) -> None:
        self._words = memoryview(mmap.mmap(descriptor, board_bytes(workers))).cast("Q")
        self._workers = workers
        self._number = number

    def note(self, seq: int, event: Event) -> None:
        """A fact was read from the log: 0.5 µs."""
        writers = _WRITERS.get(type(event))
        for user in () if writers is None else writers(event):
            self._words[_slot_of(user) * self._workers + self._number] = seq

    def newest(self, user: UserId) -> int:
        """The number of the user's newest write that any worker has noted, or of one that shares the slot."""
        first = _slot_of(user) * self._workers
        return max(self._words[first : first + self._workers])


@dataclass(frozen=True, slots=True)
class Freshness:
    """Implements ports.log.OwnWrites."""

    board: Board
    progress: Progress

    def unseen(self, user: UserId) -> Position | None:
        newest = self.board.newest(user)
        return position_at(newest) if newest > int(self.progress.position) else None


def board_bytes(workers: int) -> int:
    return SLOTS * WORD_BYTES * workers


def make_board(workers: int) -> int:
    """A descriptor of empty memory for the parent to hand down. It is gone with the last process that holds it."""
    descriptor = os.memfd_create("roost-own-writes")
    os.ftruncate(descriptor, board_bytes(workers))
    return descriptor


def _slot_of(user: UserId) -> int:
    return (user * _SPREAD & _MASK) >> (_WORD_BITS - SLOTS_BITS)
