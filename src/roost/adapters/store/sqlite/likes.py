"""Likes in SQLite: by the tweet, newest first, and by the user, both by tweet and newest first."""

import sqlite3
from collections.abc import Collection, Sequence

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.tables import BEYOND_ALL, ids_of, rows_among
from roost.domain.events import LikeChanged
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.ports.likes import Like

SCHEMA = """
CREATE TABLE IF NOT EXISTS likes (
  tweet_id INTEGER NOT NULL, version INTEGER NOT NULL, user_id INTEGER NOT NULL, tweet_author INTEGER NOT NULL,
  PRIMARY KEY (tweet_id, version, user_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS likes_by (
  user_id INTEGER NOT NULL, tweet_id INTEGER NOT NULL, tweet_author INTEGER NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (user_id, tweet_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS likes_by_newest ON likes_by (user_id, version);
"""


class SqliteLikeStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add(self, like: Like) -> Position | None:
        def job(connection: sqlite3.Connection) -> Position | None:
            inserted = connection.execute(
                "INSERT OR IGNORE INTO likes_by VALUES (?, ?, ?, ?)",
                (like.user_id, like.tweet_id, like.tweet_author, like.version),
            )
            if not inserted.rowcount:
                return None
            connection.execute(
                "INSERT INTO likes VALUES (?, ?, ?, ?)", (like.tweet_id, like.version, like.user_id, like.tweet_author)
            )
            return self._file.leave(connection, [_changed(like, now=True)])

        return await self._file.write(job)

    async def remove(self, user_id: UserId, tweet_id: TweetId) -> Position | None:
        def job(connection: sqlite3.Connection) -> Position | None:
            dropped = connection.execute(
                "DELETE FROM likes_by WHERE user_id = ? AND tweet_id = ? RETURNING tweet_author, version",
                (user_id, tweet_id),
            ).fetchall()
            if not dropped:
                return None
            like = Like(user_id, tweet_id, *dropped[0])
            connection.execute(
                "DELETE FROM likes WHERE tweet_id = ? AND version = ? AND user_id = ?",
                (tweet_id, like.version, user_id),
            )
            return self._file.leave(connection, [_changed(like, now=False)])

        return await self._file.write(job)

    async def holds(self, user_id: UserId, tweet_id: TweetId) -> Like | None:
        sql = "SELECT tweet_author, version FROM likes_by WHERE user_id = ? AND tweet_id = ?"
        rows = self._file.rows(sql, (user_id, tweet_id))
        return Like(user_id, tweet_id, *rows[0]) if rows else None

    async def liked_among(self, user_id: UserId, tweet_ids: Collection[TweetId]) -> set[TweetId]:
        sql = "SELECT tweet_id FROM likes_by WHERE user_id = ? AND tweet_id IN ({ids})"
        return {id for (id,) in await rows_among(self._file, sql, tweet_ids, user_id)}

    async def of_tweet(self, tweet_id: TweetId, before: Version | None, limit: int) -> Sequence[Like]:
        rows = self._file.rows(
            "SELECT user_id, tweet_author, version FROM likes WHERE tweet_id = ? AND version < ?"
            " ORDER BY version DESC, user_id DESC LIMIT ?",
            (tweet_id, BEYOND_ALL if before is None else before, limit),
        )
        return [Like(user_id, tweet_id, author, version) for user_id, author, version in rows]

    async def by_user(self, user_id: UserId, before: Version | None, limit: int) -> Sequence[Like]:
        rows = self._file.rows(
            "SELECT tweet_id, tweet_author, version FROM likes_by INDEXED BY likes_by_newest"
            " WHERE user_id = ? AND version < ? ORDER BY version DESC LIMIT ?",
            (user_id, BEYOND_ALL if before is None else before, limit),
        )
        return [Like(user_id, *row) for row in rows]

    async def newest_liked(self, user_id: UserId, limit: int) -> Sequence[TweetId]:
        sql = "SELECT tweet_id AS id FROM likes_by WHERE user_id = ? ORDER BY tweet_id DESC LIMIT ?"
        return [TweetId(id) for id in ids_of(self._file, sql, user_id, limit)]

    async def scan(self, after: Like | None, limit: int) -> Sequence[Like]:
        rows = self._file.rows(
            "SELECT user_id, tweet_id, tweet_author, version FROM likes WHERE (tweet_id, version, user_id) > (?, ?, ?)"
            " ORDER BY tweet_id, version, user_id LIMIT ?",
            (*((0, 0, 0) if after is None else (after.tweet_id, after.version, after.user_id)), limit),
        )
        return [Like(*row) for row in rows]


def _changed(like: Like, *, now: bool) -> LikeChanged:
    return LikeChanged(like.user_id, like.tweet_id, like.tweet_author, now, like.version)
