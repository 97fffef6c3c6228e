"""The tables of the search file.

`found` is contentless: of a tweet it holds only where each word stands. SQLite 3.40 takes an entry out of
such a table only when given the very words that went in, which is what `tweet` keeps.
"""

FORMAT = 2
"""Raised when tables, words or facets change. A file of another format is emptied and filled again."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS position (view TEXT PRIMARY KEY, position TEXT) WITHOUT ROWID;

-- The tokenizer only splits at blanks: what is put in are the domain's words and facets, ready made.
CREATE VIRTUAL TABLE IF NOT EXISTS found USING fts5(
    words, facets, content='', columnsize=0, tokenize="ascii tokenchars '#:_-'");

-- counted: the tags that were counted into trends, between blanks; they are taken back with the tweet.
CREATE TABLE IF NOT EXISTS tweet (
    tweet_id INTEGER PRIMARY KEY, version INTEGER NOT NULL, author_id INTEGER NOT NULL,
    words TEXT NOT NULL, facets TEXT NOT NULL, counted TEXT NOT NULL);

-- How many entries were taken out of `found` whose words its older segments still hold: one row or none.
CREATE TABLE IF NOT EXISTS remains (only_row INTEGER PRIMARY KEY, entries INTEGER NOT NULL);

-- Kept for good, 12 bytes each: the log may repeat an event however late.
CREATE TABLE IF NOT EXISTS removed_tweet (tweet_id INTEGER PRIMARY KEY);

CREATE TABLE IF NOT EXISTS author (
    author_id INTEGER PRIMARY KEY, public INTEGER NOT NULL, version INTEGER NOT NULL);

-- How many counted tweets of an author carry a tag in an hour: the author leaves the hour with the last.
CREATE TABLE IF NOT EXISTS tag_use (
    author_id INTEGER, hour INTEGER, tag TEXT, tweets INTEGER NOT NULL,
    PRIMARY KEY (author_id, hour, tag)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tag_use_by_hour ON tag_use (hour);

CREATE TABLE IF NOT EXISTS tag_hour (
    tag TEXT, hour INTEGER, authors INTEGER NOT NULL, PRIMARY KEY (tag, hour)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tag_hour_by_use ON tag_hour (hour, authors DESC, tag);

-- keys: those of user_key, between line ends.
CREATE TABLE IF NOT EXISTS user (
    user_id INTEGER PRIMARY KEY, version INTEGER NOT NULL, name TEXT NOT NULL,
    followers INTEGER NOT NULL, keys TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS user_by_name ON user (name);

CREATE TABLE IF NOT EXISTS removed_user (user_id INTEGER PRIMARY KEY);

CREATE TABLE IF NOT EXISTS user_key (
    key TEXT, user_id INTEGER, followers INTEGER NOT NULL, PRIMARY KEY (key, user_id)) WITHOUT ROWID;

-- The first characters of each key in the order of the answer: a short prefix has too many keys to sort.
CREATE TABLE IF NOT EXISTS user_start (
    start TEXT, followers INTEGER, user_id INTEGER,
    PRIMARY KEY (start, followers DESC, user_id)) WITHOUT ROWID;
"""
TWEET_TABLES = ("tweet", "remains", "removed_tweet", "author", "tag_use", "tag_hour")
USER_TABLES = ("user", "removed_user", "user_key", "user_start")
ALL_TABLES = ("position", "found", *TWEET_TABLES, *USER_TABLES)
