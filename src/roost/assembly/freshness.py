"""That users see their own writes at once on every worker: a small memory that all workers share.

SqliteEventLog (each fact that is read) -> Board.note … Freshness.unseen <- edge.native.app, edge.native.hot

Who writes reads the fact back from the log before it acknowledges it, and notes its number on the board; another
worker looks there before it answers the same user. Each worker notes in a column of its own: no two processes write
the same word, a word is written in one move, and the words of a column only rise: so no lock is needed.
"""

import mmap
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

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
from roost.domain.ids import NODE_BITS, Position, UserId

SLOTS_BITS = 16
SLOTS = 1 << SLOTS_BITS
"""Users share a slot by hash: then one may wait for the other's write, a millisecond at most times."""
WORD_BYTES = 8
_SLOT_MASK = SLOTS - 1

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
    """A column of words a worker, a word a slot."""

    def __init__(self, memory: mmap.mmap, workers: int, number: int) -> None:
        words = memoryview(memory).cast("Q")
        columns = [words[first : first + SLOTS] for first in range(0, SLOTS * workers, SLOTS)]
        self._own = columns.pop(number)
        self._others = tuple(columns)

    def note(self, seq: int, event: Event) -> None:
        """A fact was read from the log."""
        writers = _WRITERS.get(type(event))
        if writers is not None:
            for user in writers(event):
                self._own[_slot_of(user)] = seq

    def newest_beyond(self, seq: int, user: UserId) -> int:
        """The number beyond `seq` of the newest write of the user, or of one that shares the slot, that the others
        have noted; 0 where there is none. On the way of every page: half a microsecond for one other worker.
        """
        slot, newest = _slot_of(user), 0
        for column in self._others:
            noted = column[slot]
            if noted > seq:
                newest = seq = noted
        return newest


@dataclass(slots=True)
class Freshness:
    """Implements ports.log.OwnWrites."""

    board: Board
    progress: Progress
    _position: Position = field(default=Position(""), init=False)
    _seq: int = field(default=0, init=False)

    def unseen(self, user: UserId) -> Position | None:
        position = self.progress.position
        if position is not self._position:  # a number is read once, not for every page
            self._position, self._seq = position, int(position)
        newest = self.board.newest_beyond(self._seq, user)
        return position_at(newest) if newest else None


def make_board(workers: int) -> mmap.mmap:
    """Empty memory that the children of this process share with it. It is gone with the last of them."""
    return mmap.mmap(-1, SLOTS * WORD_BYTES * workers)


def _slot_of(user: UserId) -> int:
    """Of the fields of an id, those that differ: of the time the lower bits, and the shard."""
    return (user >> NODE_BITS ^ user >> NODE_BITS + SLOTS_BITS) & _SLOT_MASK
