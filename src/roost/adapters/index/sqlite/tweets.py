"""Tweets in the search file: FTS5 with the tweet's id as row id, so that newest first is its own order."""

import sqlite3
from collections.abc import Sequence

import msgspec

from roost.adapters.index.sqlite import remains, trends
from roost.adapters.index.sqlite.file import SearchFile
from roost.adapters.index.sqlite.match import is_one_word, match_of, words_in_file
from roost.adapters.index.sqlite.position import keep_position, read_position
from roost.adapters.index.sqlite.schema import TWEET_TABLES
from roost.adapters.sqlite_rows import insert_rows, json_array
from roost.adapters.tweet_facets import facets_of, plan
from roost.domain.ids import Position, TweetId, UserId, Version, ms_of
from roost.domain.search.document import IndexedTweet
from roost.domain.search.query import Hashtag, ResolvedQuery, Term
from roost.domain.search.trending import TRENDS_MAX, Trend, hour_of
from roost.domain.search.words import tag_key
from roost.ports.clock import Clock
from roost.ports.index import TweetBatch, TweetIndex, checked_limit

VIEW = "tweets"

# One row: a row in a thread costs a turn of the interpreter lock, up to half a millisecond behind a busy loop.
_SEARCH = """SELECT json_group_array(rowid) FROM
  (SELECT rowid FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?)"""
# Ids come as one JSON array: a statement each would be a turn of the interpreter lock each.
_KEPT = """SELECT tweet_id, version, author_id, words, facets, counted FROM tweet
  WHERE tweet_id IN (SELECT value FROM json_each(?)) ORDER BY tweet_id"""
_REMOVED = "SELECT tweet_id FROM removed_tweet WHERE tweet_id IN (SELECT value FROM json_each(?))"
_ERASE = "INSERT INTO found (found, rowid, words, facets) VALUES ('delete', ?, ?, ?)"

_Kept = tuple[Version, UserId, str, str, str]  # as _KEPT selects it


_ids = msgspec.json.Decoder(list[TweetId]).decode


class SqliteTweetIndex(TweetIndex):
    """Shares its file with the users'. Whoever opened the file closes it."""

    def __init__(self, file: SearchFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._first_hour = 0  # of the counters; touched by the writer's thread alone

    async def apply(self, batch: TweetBatch, position: Position | None = None) -> None:
        first_hour = trends.first_hour_kept(self._clock.now_ms())

        def change(db: sqlite3.Connection) -> None:
            self._forget_old_hours(db, first_hour)
            _change_tweets(db, batch, first_hour)
            for author in batch.authors:
                trends.set_author(db, author)
            keep_position(db, VIEW, position)

        await self._file.write(change)

    async def applied(self) -> Position | None:
        return await self._file.read(lambda db: read_position(db, VIEW))

    async def clear(self) -> None:
        await self._file.write(_clear)

    async def forget_removed(self) -> None:
        await remains.merge_away(self._file)

    async def search(self, query: ResolvedQuery, before: TweetId | None, limit: int) -> list[TweetId]:
        checked_limit(limit)
        planned = plan(query, before)
        if planned is None:
            return []
        row = (match_of(planned), planned.first, planned.last, limit)

        def found(db: sqlite3.Connection) -> list[TweetId]:
            return _ids(db.execute(_SEARCH, row).fetchone()[0])

        return self._file.at_once(found) if is_one_word(planned) else await self._file.read(found)

    async def hashtag(self, tag: str, before: TweetId | None, limit: int) -> list[TweetId]:
        key = tag_key(tag)
        tagged = ResolvedQuery((Term(Hashtag(key)),)) if key else None
        checked_limit(limit)
        return await self.search(tagged, before, limit) if tagged else []

    async def trends(self, now_ms: int, limit: int) -> list[Trend]:
        most = min(checked_limit(limit), TRENDS_MAX)
        return await self._file.read(lambda db: trends.trends(db, now_ms, most))

    def _forget_old_hours(self, db: sqlite3.Connection, first_hour: int) -> None:
        if first_hour > self._first_hour:
            trends.forget_before(db, first_hour)
            self._first_hour = first_hour


def _change_tweets(db: sqlite3.Connection, batch: TweetBatch, first_hour: int) -> None:
    removed = set(batch.removed)
    db.executemany("INSERT OR IGNORE INTO removed_tweet VALUES (?)", [(id,) for id in removed])
    newest: dict[TweetId, IndexedTweet] = {}
    for tweet in batch.added:
        other = newest.get(tweet.tweet_id)
        if other is None or other.version < tweet.version:
            newest[tweet.tweet_id] = tweet
    kept = _kept(db, sorted(removed | newest.keys()))
    gone = _removed(db, [id for id in newest if id not in kept])
    news = [
        tweet for id, tweet in sorted(newest.items()) if id not in removed | gone and _is_newer(tweet, kept.get(id))
    ]
    # Both in the order of ids: FTS5 ends a segment at each step back.
    replaced = {tweet.tweet_id for tweet in news}
    for id, row in kept.items():
        if id in removed or id in replaced:
            _erase(db, id, row)
    _insert(db, news, first_hour)


def _kept(db: sqlite3.Connection, ids: Sequence[TweetId]) -> dict[TweetId, _Kept]:
    """The rows that are there, by rising id."""
    rows = db.execute(_KEPT, (json_array(ids),)).fetchall()
    return {id: tuple(row) for id, *row in rows}


def _removed(db: sqlite3.Connection, ids: Sequence[TweetId]) -> set[TweetId]:
    return {id for (id,) in db.execute(_REMOVED, (json_array(ids),))}


def _is_newer(tweet: IndexedTweet, kept: _Kept | None) -> bool:
    return kept is None or tweet.version > kept[0]


def _insert(db: sqlite3.Connection, tweets: Sequence[IndexedTweet], first_hour: int) -> None:
    rows, found = [], []
    for tweet in tweets:
        id, facets = tweet.tweet_id, " ".join(facets_of(tweet))
        words = words_in_file(tweet.words.split(), tweet.is_retweet)
        hour = hour_of(ms_of(id))
        counts = tweet.public and not tweet.is_retweet and hour >= first_hour
        counted = sorted(tweet.tags) if counts else []
        rows.append((id, tweet.version, tweet.author_id, words, facets, " ".join(counted)))
        found.append((id, words, facets))
        if counted:
            trends.enter(db, tweet.author_id, hour, counted)
    insert_rows(db, "INSERT INTO tweet VALUES", rows)
    insert_rows(db, "INSERT INTO found (rowid, words, facets) VALUES", found)


def _erase(db: sqlite3.Connection, id: TweetId, kept: _Kept) -> None:
    _, author, words, facets, counted = kept
    db.execute(_ERASE, (id, words, facets))
    remains.note(db)
    db.execute("DELETE FROM tweet WHERE tweet_id = ?", (id,))
    trends.leave(db, author, hour_of(ms_of(id)), counted.split())


def _clear(db: sqlite3.Connection) -> None:
    for table in TWEET_TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the schema
    db.execute("INSERT INTO found (found) VALUES ('delete-all')")
    db.execute("DELETE FROM position WHERE view = ?", (VIEW,))
