"""The tweets of many authors as one list.

adapters/store/sqlite/tweets.by_authors -> (here)

Only the `limit` authors with the foremost heads (newest or oldest) can be in the answer; of those a few ids each are
read in one statement, then more of the few authors that had more to give, until nothing can be missing. Each
statement answers one row, since a row in a thread costs a turn of the interpreter lock. 50 authors cost 2 ms, 10,000
some 20.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from roost.adapters.sqlite_rows import json_array
from roost.adapters.store.sqlite.tables import decode_array, decode_arrays
from roost.domain.ids import TweetId, UserId

PIECE_MIN = 4

_HEADS = """SELECT json_group_array(value) FROM (SELECT value, (SELECT tweet_id FROM user_tweets
  WHERE user_id = value AND tweet_id > ?2 AND tweet_id < ?3 ORDER BY tweet_id {order} LIMIT 1) AS head
  FROM json_each(?1) ORDER BY head IS NULL, head {order} LIMIT ?4)"""
_PIECES = """SELECT json_group_array(json(ids)) FROM (SELECT (SELECT json_group_array(tweet_id) FROM (
  SELECT tweet_id FROM user_tweets WHERE user_id = json_extract(asked.value, '$[0]')
  AND tweet_id > json_extract(asked.value, '$[1]') AND tweet_id < json_extract(asked.value, '$[2]')
  ORDER BY tweet_id {order} LIMIT ?2)) AS ids FROM json_each(?1) AS asked)"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The ids between two others, both exclusive, from one end or the other."""

    after: int
    before: int
    newest_first: bool

    def ordered(self, sql: str) -> str:
        return sql.format(order="DESC" if self.newest_first else "ASC")

    def beyond(self, id: int) -> "Stretch":
        """What is left of it once it was read up to `id`."""
        if self.newest_first:
            return Stretch(self.after, id, newest_first=True)
        return Stretch(id, self.before, newest_first=False)


def foremost(
    connection: sqlite3.Connection, authors: Collection[UserId], stretch: Stretch, limit: int
) -> list[TweetId]:
    """The first `limit` ids of the stretch, in its order."""
    asked = dict.fromkeys(_those_in_front(connection, set(authors), stretch, limit), stretch)
    found: list[TweetId] = []
    size = limit if len(asked) == 1 else max(PIECE_MIN, 2 * limit // max(len(asked), 1))
    while asked:
        given = _next_of_each(connection, asked, size)
        found = sorted([*found, *(id for ids in given.values() for id in ids)], reverse=stretch.newest_first)[:limit]
        # An author has more to give if he gave as many as he could, and his last would not be cut off.
        last = found[-1] if len(found) == limit else None
        asked = {
            author: asked[author].beyond(ids[-1])
            for author, ids in given.items()
            if len(ids) == size and (last is None or (ids[-1] > last) == stretch.newest_first)
        }
        size *= 2
    return found


def _those_in_front(
    connection: sqlite3.Connection, authors: Collection[UserId], stretch: Stretch, limit: int
) -> Collection[int]:
    if len(authors) <= limit:
        return authors
    bounds = (json_array(list(authors)), stretch.after, stretch.before, limit)
    ((array,),) = connection.execute(stretch.ordered(_HEADS), bounds).fetchall()
    return decode_array(array)


def _next_of_each(
    connection: sqlite3.Connection, asked: Mapping[int, Stretch], size: int
) -> Mapping[int, list[TweetId]]:
    """Up to `size` ids of each author, in order."""
    pieces = next(iter(asked.values())).ordered(_PIECES)
    rows = [[author, stretch.after, stretch.before] for author, stretch in asked.items()]
    ((arrays,),) = connection.execute(pieces, (json_array(rows), size)).fetchall()
    ids_of_each = [[TweetId(id) for id in ids] for ids in decode_arrays(arrays)]
    return dict(zip(asked, ids_of_each, strict=True))
