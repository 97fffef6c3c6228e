"""Counts in SQLite: counted by the lists' own keys in a reader thread, then kept and announced in one write."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.sqlite_rows import json_array
from roost.adapters.store.sqlite.tables import decode_arrays, pieces, rows_among
from roost.domain.events import Counted
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.tweet import TweetCounts
from roost.domain.user import UserCounts

SCHEMA = """
CREATE TABLE IF NOT EXISTS tweet_counts (
  tweet_id INTEGER PRIMARY KEY, replies INTEGER NOT NULL, retweets INTEGER NOT NULL, likes INTEGER NOT NULL,
  quotes INTEGER NOT NULL, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS user_counts (
  user_id INTEGER PRIMARY KEY, tweets INTEGER NOT NULL, followers INTEGER NOT NULL, following INTEGER NOT NULL,
  version INTEGER NOT NULL);
"""

COUNTED_MAX = 500
"""Tweets, and users, in one announcement: some 30 kB."""

# One row each, whatever they count: a row in a thread costs a turn of the interpreter lock.
_OF_TWEETS = """SELECT json_group_array(json_array(value,
  (SELECT count(*) FROM replies WHERE tweet_id = value), (SELECT count(*) FROM retweets_of WHERE tweet_id = value),
  (SELECT count(*) FROM likes WHERE tweet_id = value), (SELECT count(*) FROM quotes_of WHERE tweet_id = value)))
  FROM json_each(?)"""
_OF_USERS = """SELECT json_group_array(json_array(value,
  (SELECT count(*) FROM user_tweets WHERE user_id = value),
  (SELECT count(*) FROM relations WHERE kind = 'follow' AND object = value),
  (SELECT count(*) FROM relations WHERE kind = 'follow' AND subject = value))) FROM json_each(?)"""
_KEEP_TWEETS = """INSERT INTO tweet_counts SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
  json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]'), ?2 FROM json_each(?1)
  WHERE true ON CONFLICT (tweet_id) DO UPDATE SET
  replies = excluded.replies, retweets = excluded.retweets, likes = excluded.likes, quotes = excluded.quotes,
  version = excluded.version WHERE excluded.version > version"""
_KEEP_USERS = """INSERT INTO user_counts SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
  json_extract(value, '$[2]'), json_extract(value, '$[3]'), ?2 FROM json_each(?1)
  WHERE true ON CONFLICT (user_id) DO UPDATE SET
  tweets = excluded.tweets, followers = excluded.followers, following = excluded.following,
  version = excluded.version WHERE excluded.version > version"""


class SqliteCountStore:
    """Reads the tables of tweets, likes and relations."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def tweets(self, ids: Collection[TweetId]) -> Mapping[TweetId, TweetCounts]:
        sql = "SELECT tweet_id, replies, retweets, likes, quotes FROM tweet_counts WHERE tweet_id IN ({ids})"
        kept = {id: TweetCounts(*counts) for id, *counts in await rows_among(self._file, sql, ids)}
        return {id: kept.get(id, _NO_TWEET_COUNTS) for id in ids}

    async def users(self, ids: Collection[UserId]) -> Mapping[UserId, UserCounts]:
        sql = "SELECT user_id, tweets, followers, following FROM user_counts WHERE user_id IN ({ids})"
        kept = {id: UserCounts(*counts) for id, *counts in await rows_among(self._file, sql, ids)}
        return {id: kept.get(id, _NO_USER_COUNTS) for id in ids}

    async def recount(self, tweets: Collection[TweetId], users: Collection[UserId], version: Version) -> None:
        """What changes between counting and keeping is told by a fact of its own, and counted again after it."""
        for some_tweets, some_users in zip_longest(
            pieces(set(tweets), COUNTED_MAX), pieces(set(users), COUNTED_MAX), fillvalue=()
        ):
            await self._recount(some_tweets, some_users, version)

    async def _recount(self, tweets: Sequence[int], users: Sequence[int], version: Version) -> None:
        def count(connection: sqlite3.Connection) -> tuple[str, str]:
            ((of_tweets,),) = connection.execute(_OF_TWEETS, (json_array(tweets),)).fetchall()
            ((of_users,),) = connection.execute(_OF_USERS, (json_array(users),)).fetchall()
            return of_tweets, of_users

        of_tweets, of_users = await self._file.read(count)
        counted = Counted(
            tuple((TweetId(id), TweetCounts(*counts)) for id, *counts in decode_arrays(of_tweets)),
            tuple((UserId(id), UserCounts(*counts)) for id, *counts in decode_arrays(of_users)),
            version,
        )

        def keep(connection: sqlite3.Connection) -> None:
            connection.execute(_KEEP_TWEETS, (of_tweets, version))
            connection.execute(_KEEP_USERS, (of_users, version))
            self._file.leave(connection, [counted])

        await self._file.write(keep)


_NO_TWEET_COUNTS = TweetCounts()
_NO_USER_COUNTS = UserCounts()
