"""Counters of hashtags: distinct authors of a tag in an hour, kept in the transaction of the tweets.

A tweet that is indexed twice counts once, and what was counted is taken back when it goes, so that the
counters are at every moment what a count of the indexed tweets would give.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from roost.domain.ids import UserId
from roost.domain.search.trending import (
    BUSIEST_MAX,
    WINDOW_HOURS,
    Trend,
    hour_of,
    ranked,
    recent_hours,
    usual_hours,
)
from roost.ports.index import AuthorPublic

_ENTER = "INSERT INTO tag_use VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET tweets = tweets + 1 RETURNING tweets"
_LEAVE = "UPDATE tag_use SET tweets = tweets - 1 WHERE author_id = ? AND hour = ? AND tag = ? RETURNING tweets"
_MORE = "INSERT INTO tag_hour VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET authors = authors + 1"
_LESS = "UPDATE tag_hour SET authors = authors - 1 WHERE tag = ? AND hour = ?"
_DROP_UNUSED = "DELETE FROM tag_hour WHERE tag = ? AND hour = ? AND authors = 0"
_BUSIEST = "SELECT tag FROM tag_hour WHERE hour = ? ORDER BY authors DESC, tag LIMIT ?"


def first_hour_kept(now_ms: int) -> int:
    """Older hours are neither counted nor kept; one more than the window, for clocks that go back."""
    return hour_of(now_ms) - WINDOW_HOURS - 1


def enter(db: sqlite3.Connection, author: UserId, hour: int, tags: Iterable[str]) -> None:
    """Count a tweet's tags."""
    public = _is_public(db, author)
    for tag in tags:
        (tweets,) = db.execute(_ENTER, (author, hour, tag)).fetchall()[0]
        if tweets == 1 and public:
            db.execute(_MORE, (tag, hour))


def leave(db: sqlite3.Connection, author: UserId, hour: int, tags: Iterable[str]) -> None:
    """Take a tweet's tags back; of an hour that is no longer kept there is nothing to take."""
    public = _is_public(db, author)
    for tag in tags:
        left = db.execute(_LEAVE, (author, hour, tag)).fetchall()
        if left == [(0,)]:
            where = (author, hour, tag)
            db.execute("DELETE FROM tag_use WHERE author_id = ? AND hour = ? AND tag = ?", where)
            if public:
                _take_out(db, [(tag, hour)])


def set_author(db: sqlite3.Connection, author: AuthorPublic) -> None:
    """Keep the greater version; what the author used leaves or enters the counts."""
    id = author.author_id
    kept = db.execute("SELECT version FROM author WHERE author_id = ?", (id,)).fetchone()
    if kept and kept[0] >= author.version:
        return
    was_public = _is_public(db, id)
    row = (id, author.public, author.version)
    db.execute("INSERT OR REPLACE INTO author VALUES (?, ?, ?)", row)
    if was_public is not author.public:
        uses = db.execute("SELECT tag, hour FROM tag_use WHERE author_id = ?", (id,)).fetchall()
        if author.public:
            db.executemany(_MORE, uses)
        else:
            _take_out(db, uses)


def forget_before(db: sqlite3.Connection, hour: int) -> None:
    db.execute("DELETE FROM tag_use WHERE hour < ?", (hour,))
    db.execute("DELETE FROM tag_hour WHERE hour < ?", (hour,))


def trends(db: sqlite3.Connection, now_ms: int, limit: int) -> list[Trend]:
    recent, usual = recent_hours(now_ms), usual_hours(now_ms)
    busiest: set[str] = set()
    for hour in recent:
        busiest.update(tag for (tag,) in db.execute(_BUSIEST, (hour, BUSIEST_MAX)))
    marks = ",".join("?" * len(busiest))
    rows = db.execute(
        f"SELECT tag, hour, authors FROM tag_hour WHERE tag IN ({marks}) AND hour BETWEEN ? AND ?",  # noqa: S608 - marks only
        (*busiest, usual.start, recent.stop - 1),
    )
    uses: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for tag, hour, authors in rows:
        uses[tag][hour] = authors
    return ranked(uses, now_ms, limit)


def _take_out(db: sqlite3.Connection, uses: Sequence[tuple[str, int]]) -> None:
    """One author less in each of these tags and hours. None is left of a tag that nobody uses."""
    db.executemany(_LESS, uses)
    db.executemany(_DROP_UNUSED, uses)


def _is_public(db: sqlite3.Connection, author: UserId) -> bool:
    row = db.execute("SELECT public FROM author WHERE author_id = ?", (author,)).fetchone()
    return row is None or bool(row[0])
