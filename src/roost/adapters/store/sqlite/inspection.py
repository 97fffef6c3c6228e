"""Looks at a database file as it lies there, served or not: for a doctor. Nothing here writes.

assembly.doctor -> (here) -> the tables of adapters/store/sqlite and the log

Samples, not scans: what is looked at is bounded, whatever the size of the file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from roost.adapters.tweet_rows import decode_tweet
from roost.domain.content import Blob, Content
from roost.domain.ids import TweetId, UserId
from roost.domain.tweet import Tweet

POINTS = 40
ROWS_A_POINT = 5
"""Rows are sampled in short runs from so many random points of a table, and at its end."""
NEWEST = 100
CONTENTS_MAX = 100

_DECODE_CONTENT = msgspec.msgpack.Decoder(Content).decode
_OF_USER = (
    "SELECT (SELECT count(*) FROM user_tweets WHERE user_id = ?1),"
    " (SELECT count(*) FROM relations WHERE kind = 'follow' AND object = ?1),"
    " (SELECT count(*) FROM relations WHERE kind = 'follow' AND subject = ?1)"
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """`connection` reads the database; `chance` chooses the samples."""

    connection: sqlite3.Connection
    chance: Random

    def broken_references(self) -> int:
        return len(self.connection.execute("PRAGMA foreign_key_check").fetchmany(NEWEST))

    def log_end(self) -> int:
        return self._one("SELECT ifnull(max(seq), 0) FROM log")

    def lags(self) -> dict[str, int]:
        """Facts that are not confirmed, by reaction."""
        end = self.log_end()
        return {name: end - seq for name, seq in self.connection.execute("SELECT name, seq FROM log_groups")}

    def newest_tweet(self) -> TweetId:
        return TweetId(self._one("SELECT ifnull(max(tweet_id), 0) FROM tweets"))

    def sampled_tweets(self) -> list[Tweet]:
        """Tombstones included."""
        sql = "SELECT body FROM tweets WHERE tweet_id >= ? ORDER BY tweet_id LIMIT ?"
        newest = "SELECT body FROM tweets ORDER BY tweet_id DESC LIMIT ?"
        bodies = [
            body for start in self._points("tweets", "tweet_id") for (body,) in self._rows(sql, start, ROWS_A_POINT)
        ]
        bodies += [body for (body,) in self._rows(newest, NEWEST)]
        return list({tweet.id: tweet for tweet in map(decode_tweet, bodies)}.values())

    def torn(self, tweets: Sequence[Tweet]) -> list[TweetId]:
        """Those of the tweets whose rows in other tables say something else."""
        return [tweet.id for tweet in tweets if not self._is_whole(tweet)]

    def sampled_users(self) -> list[UserId]:
        sql = "SELECT user_id FROM users WHERE user_id >= ? AND NOT deleted ORDER BY user_id LIMIT ?"
        ids = [
            UserId(id) for start in self._points("users", "user_id") for (id,) in self._rows(sql, start, ROWS_A_POINT)
        ]
        return list(dict.fromkeys(ids))

    def without_account(self, users: Sequence[UserId]) -> list[UserId]:
        return [user for user in users if not self._holds("accounts WHERE user_id = ?", user)]

    def miscounted(self, users: Sequence[UserId]) -> list[UserId]:
        """Those whose kept counts differ from a count of the rows by more than the facts that wait to be counted:
        each changes a count by one.
        """
        kept_of = "SELECT tweets, followers, following FROM user_counts WHERE user_id = ?"
        waiting = self.lags().get("count", self.log_end())
        wrong = []
        for user in users:
            (kept,) = self._rows(kept_of, user) or [(0, 0, 0)]
            (counted,) = self._rows(_OF_USER, user)
            if any(abs(one - other) > waiting for one, other in zip(kept, counted, strict=True)):
                wrong.append(user)
        return wrong

    def sampled_blobs(self) -> Iterator[Blob]:
        """Of what ready contents name: the id of a content is random, so any stretch of ids is a sample."""
        start = f"{self.chance.getrandbits(128):032x}"
        rows = self._rows(
            "SELECT body FROM contents WHERE content_id >= ? ORDER BY content_id LIMIT ?", start, CONTENTS_MAX
        )
        rows += self._rows("SELECT body FROM contents ORDER BY content_id LIMIT ?", CONTENTS_MAX - len(rows))
        for (body,) in rows:
            content = _DECODE_CONTENT(body)
            yield from (blob for blob in (content.original, content.preview) if blob is not None)

    def _is_whole(self, tweet: Tweet) -> bool:
        """A tweet has its places in lists, a tombstone has none; an author is a user."""
        if not self._holds("users WHERE user_id = ?", tweet.author):
            return False
        places: list[tuple[str, tuple[int, int]]] = [
            ("user_tweets WHERE user_id = ? AND tweet_id = ?", (tweet.author, tweet.id))
        ]
        if tweet.reply_to is not None:
            places.append(("replies WHERE tweet_id = ? AND reply_id = ?", (tweet.reply_to, tweet.id)))
        if tweet.retweet_of is not None:
            places.append(("retweets_of WHERE tweet_id = ? AND retweet_id = ?", (tweet.retweet_of, tweet.id)))
        if tweet.quote_of is not None:
            places.append(("quotes_of WHERE tweet_id = ? AND quote_id = ?", (tweet.quote_of, tweet.id)))
        return all(self._holds(table, *row) is not tweet.deleted for table, row in places)

    def _points(self, table: str, key: str) -> list[int]:
        ((first, last),) = self._rows(f"SELECT min({key}), max({key}) FROM {table}")  # noqa: S608 - names from this file
        return [] if first is None else [self.chance.randint(first, last) for _ in range(POINTS)]

    def _holds(self, table: str, *row: int) -> bool:
        return bool(self._rows(f"SELECT 1 FROM {table}", *row))  # noqa: S608 - names from this file

    def _one(self, sql: str) -> int:
        return int(self._rows(sql)[0][0])

    def _rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, parameters).fetchall()
