"""The user tweets table in SQLite, with the lists that name its rows.

commands/post_tweet -> (here) -> adapters/sqlite_file

A plain tweet writes three rows: its own, its place among the author's, and its announcement.
"""

import asyncio
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.author_merge import Stretch, foremost
from roost.adapters.store.sqlite.tables import BEYOND_ALL, SLICE_ROWS, among, ids_of, pieces, rows_among
from roost.adapters.store.sqlite.tweet_posts import Add, AddWithContent, places
from roost.adapters.tweet_rows import decode_tweet, encode_tweet
from roost.domain.errors import Invalid
from roost.domain.events import Event
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.timeline import Page
from roost.domain.tweet import Ref, Tweet
from roost.ports.tweets import Posted

SCHEMA = """
CREATE TABLE IF NOT EXISTS tweets (tweet_id INTEGER PRIMARY KEY, deleted INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS user_tweets (
  user_id INTEGER NOT NULL, tweet_id INTEGER NOT NULL, PRIMARY KEY (user_id, tweet_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS replies (
  tweet_id INTEGER NOT NULL, reply_id INTEGER NOT NULL, PRIMARY KEY (tweet_id, reply_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retweets_of (
  tweet_id INTEGER NOT NULL, retweet_id INTEGER NOT NULL, PRIMARY KEY (tweet_id, retweet_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retweet_by (
  user_id INTEGER NOT NULL, tweet_id INTEGER NOT NULL, retweet_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, tweet_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quotes_of (
  tweet_id INTEGER NOT NULL, quote_id INTEGER NOT NULL, PRIMARY KEY (tweet_id, quote_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refs (
  user_id INTEGER NOT NULL, ref TEXT NOT NULL, digest BLOB NOT NULL, tweet_id INTEGER NOT NULL,
  position TEXT, expires_ms INTEGER NOT NULL, PRIMARY KEY (user_id, ref)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_by_expiry ON refs (expires_ms);
"""

AUTHORS_INLINE_MAX = 8
LIMIT_INLINE_MAX = 100


class SqliteTweetStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add(self, tweet: Tweet, ref: Ref | None, events: Sequence[Event]) -> Posted:
        if ref is not None:
            _check_encodable(ref)
        add = AddWithContent if tweet.content else Add
        return await self._file.write(add(self._file, tweet, encode_tweet(tweet), ref, events))

    async def posted_by_ref(self, user_id: UserId, ref: str, now_ms: int) -> tuple[TweetId, bytes] | None:
        sql = "SELECT tweet_id, digest FROM refs WHERE user_id = ? AND ref = ? AND expires_ms > ?"
        try:
            rows = self._file.rows(sql, (user_id, ref, now_ms))
        except UnicodeEncodeError:
            return None  # half a surrogate pair, which is in no row
        return (TweetId(rows[0][0]), rows[0][1]) if rows else None

    async def get_many(self, ids: Collection[TweetId]) -> Mapping[TweetId, Tweet]:
        rows = await rows_among(self._file, "SELECT tweet_id, body FROM tweets WHERE tweet_id IN ({ids})", ids)
        return {id: decode_tweet(body) for id, body in rows}

    async def by_author(self, author: UserId, page: Page) -> Sequence[TweetId]:
        return await self.by_authors((author,), page.before, page.after, page.limit)

    async def by_authors(
        self, authors: Collection[UserId], before: TweetId | None, after: TweetId | None, limit: int
    ) -> Sequence[TweetId]:
        upwards = after is not None and before is None
        stretch = Stretch(after or 0, BEYOND_ALL if before is None else before, newest_first=not upwards)

        def job(connection: sqlite3.Connection) -> list[TweetId]:
            ids = foremost(connection, authors, stretch, limit)
            return ids[::-1] if upwards else ids

        if len(authors) == 1 or (len(authors) <= AUTHORS_INLINE_MAX and limit <= LIMIT_INLINE_MAX):
            return self._file.at_once(job)
        return await self._file.read(job)

    async def replies_to(self, tweet_id: TweetId, after: TweetId | None, limit: int) -> Sequence[TweetId]:
        sql = "SELECT reply_id AS id FROM replies WHERE tweet_id = ? AND reply_id > ? ORDER BY reply_id LIMIT ?"
        return self._ids(sql, tweet_id, after or 0, limit)

    async def retweets_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        sql = "SELECT retweet_id AS id FROM retweets_of WHERE tweet_id = ? AND retweet_id < ? ORDER BY id DESC LIMIT ?"
        return self._ids(sql, tweet_id, BEYOND_ALL if before is None else before, limit)

    async def quotes_of(self, tweet_id: TweetId, before: TweetId | None, limit: int) -> Sequence[TweetId]:
        sql = "SELECT quote_id AS id FROM quotes_of WHERE tweet_id = ? AND quote_id < ? ORDER BY quote_id DESC LIMIT ?"
        return self._ids(sql, tweet_id, BEYOND_ALL if before is None else before, limit)

    async def retweeted_by(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> Mapping[TweetId, TweetId]:
        sql = "SELECT tweet_id, retweet_id FROM retweet_by WHERE user_id = ? AND tweet_id IN ({ids})"
        return dict(await rows_among(self._file, sql, tweet_ids, user_id))

    async def retweets_by(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        sql = "SELECT tweet_id AS id FROM retweet_by WHERE user_id = ? ORDER BY tweet_id DESC LIMIT ?"
        return self._ids(sql, user_id, limit)

    async def delete(self, tweet: Tweet, version: Version, events: Sequence[Event]) -> Position | None:
        """Its places go; its message and its content's rows are erased by others, later."""

        def job(connection: sqlite3.Connection) -> Position | None:
            rows = connection.execute(
                "SELECT body FROM tweets WHERE tweet_id = ? AND NOT deleted", (tweet.id,)
            ).fetchall()
            if not rows:
                return None
            kept = decode_tweet(rows[0][0])
            _replace(connection, replace(kept, deleted=True, version=max(kept.version, version)))
            for statement, row in places(kept):
                connection.execute(_DELETES[statement], row)
            return self._file.leave(connection, events)

        return await self._file.write(job)

    async def forget_message(self, ids: Collection[TweetId]) -> None:
        """What was said goes; who was mentioned stays, for reactions that meet the deletion late."""

        def job(connection: sqlite3.Connection) -> None:
            for piece in pieces(ids, SLICE_ROWS):
                sql, marked = among("SELECT body FROM tweets WHERE deleted AND tweet_id IN ({ids})", piece)
                for (body,) in connection.execute(sql, marked).fetchall():
                    tweet = decode_tweet(body)
                    if tweet.message:
                        _replace(connection, replace(tweet, message="", hashtags=(), urls=(), cashtags=()))

        await self._file.write(job)

    async def scan(self, after: TweetId, limit: int) -> Sequence[Tweet]:
        sql = "SELECT body FROM tweets WHERE tweet_id > ? ORDER BY tweet_id LIMIT ?"
        found: list[Tweet] = []
        while len(found) < limit:
            wanted = min(limit - len(found), SLICE_ROWS)
            rows = self._file.rows(sql, (found[-1].id if found else after, wanted))
            found += [decode_tweet(body) for (body,) in rows]
            if len(rows) < wanted:
                break
            await asyncio.sleep(0)  # others have their turn
        return found

    async def newest_id(self) -> TweetId:
        return TweetId(self._file.rows("SELECT ifnull(max(tweet_id), 0) FROM tweets")[0][0])

    def _ids(self, sql: str, *parameters: int) -> list[TweetId]:
        return [TweetId(id) for id in ids_of(self._file, sql, *parameters)]


_DELETES = {
    "user_tweets": "DELETE FROM user_tweets WHERE user_id = ? AND tweet_id = ?",
    "replies": "DELETE FROM replies WHERE tweet_id = ? AND reply_id = ?",
    "retweets_of": "DELETE FROM retweets_of WHERE tweet_id = ? AND retweet_id = ?",
    "retweet_by": "DELETE FROM retweet_by WHERE user_id = ? AND tweet_id = ? AND retweet_id = ?",
    "quotes_of": "DELETE FROM quotes_of WHERE tweet_id = ? AND quote_id = ?",
}


def _check_encodable(ref: Ref) -> None:
    try:
        ref.ref.encode()
    except UnicodeEncodeError:
        raise Invalid.field("ref", "half a surrogate pair is no character") from None


def _replace(connection: sqlite3.Connection, tweet: Tweet) -> None:
    connection.execute(
        "UPDATE tweets SET deleted = ?, body = ? WHERE tweet_id = ?", (tweet.deleted, encode_tweet(tweet), tweet.id)
    )
