"""Tweets in the search file: FTS5 with the tweet's id as row id, so that newest first is its own order."""

import sqlite3

from roost.adapters.index.sqlite import remains, trends
from roost.adapters.index.sqlite.file import SearchFile
from roost.adapters.index.sqlite.match import facets_of, plan
from roost.adapters.index.sqlite.position import keep_position, read_position
from roost.adapters.index.sqlite.schema import TWEET_TABLES
from roost.domain.ids import Position, TweetId, UserId, Version, ms_of
from roost.domain.search.document import IndexedTweet
from roost.domain.search.query import Hashtag, ResolvedQuery, Term
from roost.domain.search.trending import TRENDS_MAX, Trend, hour_of
from roost.domain.search.words import tag_key
from roost.ports.clock import Clock
from roost.ports.index import TweetBatch, TweetIndex, checked_limit

VIEW = "tweets"

_SEARCH = "SELECT rowid FROM found WHERE found MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?"
_KEPT = "SELECT version, author_id, words, facets, counted FROM tweet WHERE tweet_id = ?"
_ERASE = "INSERT INTO found (found, rowid, words, facets) VALUES ('delete', ?, ?, ?)"

_Kept = tuple[Version, UserId, str, str, str]  # as _KEPT selects it


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
        row = (planned.match, planned.first, planned.last, limit)
        return await self._file.read(lambda db: [TweetId(id) for (id,) in db.execute(_SEARCH, row)])

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
    # In the order of ids: FTS5 ends a segment at each step back.
    for id in sorted(removed | newest.keys()):
        kept: _Kept | None = db.execute(_KEPT, (id,)).fetchone()
        if id in removed:
            if kept:
                _erase(db, id, kept)
        elif _is_news(db, newest[id], kept):
            if kept:
                _erase(db, id, kept)
            _insert(db, newest[id], first_hour)


def _is_news(db: sqlite3.Connection, tweet: IndexedTweet, kept: _Kept | None) -> bool:
    if kept:
        return tweet.version > kept[0]
    tombstone = "SELECT 1 FROM removed_tweet WHERE tweet_id = ?"
    return not db.execute(tombstone, (tweet.tweet_id,)).fetchone()


def _insert(db: sqlite3.Connection, tweet: IndexedTweet, first_hour: int) -> None:
    id, words, facets = tweet.tweet_id, tweet.words.strip(), facets_of(tweet)
    hour = hour_of(ms_of(id))
    counts = tweet.public and not tweet.is_retweet and hour >= first_hour
    counted = sorted(tweet.tags) if counts else []
    row = (id, tweet.version, tweet.author_id, words, facets, " ".join(counted))
    db.execute("INSERT INTO tweet VALUES (?, ?, ?, ?, ?, ?)", row)
    db.execute("INSERT INTO found (rowid, words, facets) VALUES (?, ?, ?)", (id, words, facets))
    trends.enter(db, tweet.author_id, hour, counted)


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
