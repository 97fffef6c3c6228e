"""The tweets of many authors as one list.

adapters/store/sqlite/tweets.by_authors -> (here)

First each author's head (newest or oldest) in one statement: only the `limit` authors with the foremost heads can be
in the answer. Their lists are then merged, and each is read on, a piece at a time, only once its head was taken.
10,000 authors cost some 20 ms, 50 authors under 1.
"""

import heapq
import json
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice

from roost.domain.ids import TweetId, UserId

PIECE_MIN = 4
PIECE_MAX = 256

_PIECE = """SELECT tweet_id FROM user_tweets WHERE user_id = ? AND tweet_id > ? AND tweet_id < ?
  ORDER BY tweet_id {order} LIMIT ?"""
_HEADS = """SELECT value, (SELECT tweet_id FROM user_tweets WHERE user_id = value AND tweet_id > ?2 AND tweet_id < ?3
  ORDER BY tweet_id {order} LIMIT 1) AS head FROM json_each(?1) ORDER BY head IS NULL, head {order} LIMIT ?4"""
_STATEMENTS = {
    newest_first: (_HEADS.format(order=order), _PIECE.format(order=order))
    for newest_first, order in ((True, "DESC"), (False, "ASC"))
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The ids between two others, both exclusive, from one end or the other."""

    after: int
    before: int
    newest_first: bool

    def beyond(self, id: int) -> "Stretch":
        """What is left of it once it was read up to `id`."""
        if self.newest_first:
            return Stretch(self.after, id, newest_first=True)
        return Stretch(id, self.before, newest_first=False)


def foremost(
    connection: sqlite3.Connection, authors: Collection[UserId], stretch: Stretch, limit: int
) -> list[TweetId]:
    """The first `limit` ids of the stretch, in its order."""
    if len(authors) == 1:
        (author,) = authors
        return _piece(connection, author, stretch, limit)
    heads, _ = _STATEMENTS[stretch.newest_first]
    rows = connection.execute(heads, (json.dumps(list(set(authors))), stretch.after, stretch.before, limit)).fetchall()
    present = [(author, head) for author, head in rows if head is not None]
    size = max(PIECE_MIN, limit // max(len(present), 1))
    lists = [_read_on(connection, author, head, stretch, size) for author, head in present]
    return list(islice(heapq.merge(*lists, reverse=stretch.newest_first), limit))


def _read_on(
    connection: sqlite3.Connection, author: UserId, head: TweetId, stretch: Stretch, size: int
) -> Iterator[TweetId]:
    """The author's ids from the head on."""
    piece = [head]
    yield head
    wanted = 1
    while len(piece) == wanted:
        stretch, wanted = stretch.beyond(piece[-1]), size
        piece = _piece(connection, author, stretch, wanted)
        yield from piece
        size = min(size * 2, max(PIECE_MAX, size))


def _piece(connection: sqlite3.Connection, author: UserId, stretch: Stretch, size: int) -> list[TweetId]:
    _, piece = _STATEMENTS[stretch.newest_first]
    rows = connection.execute(piece, (author, stretch.after, stretch.before, size)).fetchall()
    return [TweetId(id) for (id,) in rows]
