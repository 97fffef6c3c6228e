"""A post as a job of the writer: its rows, and what is left on the log, alone or together with others."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.sqlite_rows import insert_rows
from roost.domain.errors import Invalid, RefReused
from roost.domain.events import Event
from roost.domain.tweet import REF_KEPT_MS, Ref, Tweet
from roost.ports.tweets import Posted

REFS_DROPPED_A_POST = 2
"""Expired refs that a post with a ref takes along: so there are never many, and no post pays for many."""


@dataclass(frozen=True, slots=True)
class AddWithContent:
    """A job of its own: content is looked at and changed one by one."""

    file: SqliteFile
    tweet: Tweet
    body: bytes
    ref: Ref | None
    events: Sequence[Event]

    def __call__(self, connection: sqlite3.Connection) -> Posted:
        known = None if self.ref is None else _posted_by(connection, self.ref)
        if known is not None:
            return known
        posted = _retweeted_already(connection, self.tweet) or self._insert(connection)
        if self.ref is not None:
            _keep_refs(connection, "INSERT OR REPLACE", [(self.ref, posted)])
        return posted

    def _insert(self, connection: sqlite3.Connection) -> Posted:
        tweet = self.tweet
        _check_content(connection, tweet)
        row = (tweet.id, tweet.deleted, self.body)
        if not connection.execute("INSERT OR IGNORE INTO tweets VALUES (?, ?, ?)", row).rowcount:
            return Posted(tweet.id, None, repeated=True)
        for id in tweet.content:
            connection.execute("UPDATE contents SET tweet_id = ? WHERE content_id = ?", (tweet.id, id))
        for table, place in places(tweet):
            connection.execute(_INSERTS[table], place)
        return Posted(tweet.id, self.file.leave(connection, self.events) if self.events else None)


class Add(AddWithContent):
    """What has no content goes together with others: three statements and their like for all.

    An id, a retweet or a ref that is there already breaks a constraint: then each is done by itself, and told apart.
    """

    __slots__ = ()

    def together(self, connection: sqlite3.Connection, jobs: "Sequence[Add]") -> Sequence[Posted]:
        insert_rows(
            connection, "INSERT INTO tweets VALUES", [(job.tweet.id, job.tweet.deleted, job.body) for job in jobs]
        )
        named: dict[str, list[tuple[int, ...]]] = {}
        for job in jobs:
            for table, place in places(job.tweet):
                named.setdefault(table, []).append(place)
        for table, rows in named.items():
            insert_rows(connection, f"INSERT INTO {table} VALUES", rows)
        left = self.file.leave_each(connection, [job.events for job in jobs])
        posted = [
            Posted(job.tweet.id, position if job.events else None) for job, position in zip(jobs, left, strict=True)
        ]
        kept = [(job.ref, one) for job, one in zip(jobs, posted, strict=True) if job.ref is not None]
        if kept:
            _keep_refs(connection, "INSERT", kept)
        return posted


_INSERTS = {
    "user_tweets": "INSERT INTO user_tweets VALUES (?, ?)",
    "replies": "INSERT INTO replies VALUES (?, ?)",
    "retweets_of": "INSERT INTO retweets_of VALUES (?, ?)",
    "retweet_by": "INSERT INTO retweet_by VALUES (?, ?, ?)",
    "quotes_of": "INSERT INTO quotes_of VALUES (?, ?)",
}


def places(tweet: Tweet) -> list[tuple[str, tuple[int, ...]]]:
    """The rows that name the tweet, each with its table; a tombstone has none."""
    if tweet.deleted:
        return []
    places: list[tuple[str, tuple[int, ...]]] = [("user_tweets", (tweet.author, tweet.id))]
    if tweet.reply_to is not None:
        places.append(("replies", (tweet.reply_to, tweet.id)))
    if tweet.retweet_of is not None:
        places.append(("retweets_of", (tweet.retweet_of, tweet.id)))
        places.append(("retweet_by", (tweet.author, tweet.retweet_of, tweet.id)))
    if tweet.quote_of is not None:
        places.append(("quotes_of", (tweet.quote_of, tweet.id)))
    return places


def _posted_by(connection: sqlite3.Connection, ref: Ref) -> Posted | None:
    row = connection.execute(
        "SELECT tweet_id, digest, position FROM refs WHERE user_id = ? AND ref = ? AND expires_ms > ?",
        (ref.user_id, ref.ref, ref.expires_ms - REF_KEPT_MS),  # by the clock of who posts
    ).fetchone()
    if row is None:
        return None
    tweet_id, digest, position = row
    if digest != ref.digest:
        raise RefReused(f"ref {ref.ref!r} was used for another tweet within the last 24 hours")
    return Posted(tweet_id, position, repeated=True)


def _retweeted_already(connection: sqlite3.Connection, tweet: Tweet) -> Posted | None:
    if tweet.retweet_of is None:
        return None
    row = connection.execute(
        "SELECT retweet_id FROM retweet_by WHERE user_id = ? AND tweet_id = ?", (tweet.author, tweet.retweet_of)
    ).fetchone()
    return None if row is None else Posted(row[0], None, repeated=True)


def _check_content(connection: sqlite3.Connection, tweet: Tweet) -> None:
    for id in tweet.content:
        free = connection.execute(
            "SELECT 1 FROM contents WHERE content_id = ? AND owner = ? AND (tweet_id IS NULL OR tweet_id = ?)",
            (id, tweet.author, tweet.id),
        ).fetchone()
        if free is None:
            raise Invalid.field("content_ids", f"{id[:40]} is no content of yours that is in no tweet yet")


def _keep_refs(connection: sqlite3.Connection, insert: str, refs: Sequence[tuple[Ref, Posted]]) -> None:
    rows = [(ref.user_id, ref.ref, ref.digest, it.tweet_id, it.position, ref.expires_ms) for ref, it in refs]
    insert_rows(connection, f"{insert} INTO refs VALUES", rows)
    connection.execute(
        "DELETE FROM refs WHERE (user_id, ref) IN (SELECT user_id, ref FROM refs WHERE expires_ms <= ?"
        " ORDER BY expires_ms LIMIT ?)",
        (min(ref.expires_ms for ref, _ in refs) - REF_KEPT_MS, REFS_DROPPED_A_POST * len(refs)),
    )
