"""Merging the lists of many authors answers what sorting all of their tweets would."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.adapters.store.sqlite import tweets
from roost.adapters.store.sqlite.author_merge import Stretch, foremost
from roost.domain.ids import ID_MAX, TweetId, UserId

AUTHORS = 60
TWEETS = 3_000


@cache
def rows() -> list[tuple[UserId, TweetId]]:
    """Few authors posted most, as it is; some posted in bursts, some nothing."""
    chance = Random(1)
    bursts = [UserId(1 + chance.randrange(AUTHORS)) for _ in range(TWEETS // 30)]
    return [
        (bursts[id // 30] if chance.random() < 0.3 else UserId(1 + int(AUTHORS * chance.random() ** 3)), TweetId(id))
        for id in range(1, TWEETS)
    ]


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:", isolation_level=None)
    opened.executescript(tweets.SCHEMA)
    opened.executemany("INSERT INTO user_tweets VALUES (?, ?)", rows())
    yield opened
    opened.close()


@settings(max_examples=150, deadline=None)
@given(
    authors=st.sets(st.integers(1, AUTHORS + 5).map(UserId), max_size=AUTHORS),
    after=st.just(0) | st.integers(0, TWEETS),
    before=st.just(ID_MAX) | st.integers(0, TWEETS),
    newest_first=st.booleans(),
    limit=st.integers(1, 1_000) | st.integers(1, 20),
)
def test_the_foremost_are_those_of_all(
    connection: sqlite3.Connection, authors: set[UserId], after: int, before: int, newest_first: bool, limit: int
) -> None:
    every = sorted((id for author, id in rows() if author in authors and after < id < before), reverse=newest_first)
    assert foremost(connection, authors, Stretch(after, before, newest_first), limit) == every[:limit]


def test_ten_thousand_authors_are_merged_in_few_statements(connection: sqlite3.Connection) -> None:
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    found = foremost(connection, range(1, 10_001), Stretch(0, ID_MAX, newest_first=True), 800)  # type: ignore[arg-type]  # ints
    connection.set_trace_callback(None)
    assert found == list(range(TWEETS - 1, TWEETS - 801, -1))
    assert len(statements) < 20
