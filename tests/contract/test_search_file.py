"""What only the search file shows: restarts, crashes and bounds."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.index_adapters import DEADLINE_MS, StandingClock, sqlite_indexes
from contract.test_index_trends import hours_ago
from contract.test_tweet_index import found, tags_of, tweet
from roost.adapters.index.sqlite import schema
from roost.adapters.index.sqlite.file import READS_WAITING_MAX, WRITES_WAITING_MAX, SearchFile
from roost.adapters.index.sqlite.tweets import SqliteTweetIndex
from roost.domain.errors import DependencyDown, Draining, Overloaded
from roost.domain.ids import Position, TweetId, UserId, Version
from roost.domain.search.trending import HOUR_MS, WINDOW_HOURS
from roost.ports.index import TweetBatch

# Restarts


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    async with sqlite_indexes(tmp_path) as first:
        await first.tweets.remove([tweet(2).tweet_id])
        await first.tweets.apply(TweetBatch(added=(tweet(1, "#word"),)), Position("7"))
    async with sqlite_indexes(tmp_path) as second:
        await second.tweets.add([tweet(1, "#word"), tweet(2, "#word")])
        assert await second.tweets.applied() == "7"
        assert await found(second.tweets, "word") == [1]
        assert await tags_of(second.tweets) == [("word", 1)]


WRITES_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from contract.index_adapters import sqlite_indexes
from contract.test_tweet_index import tweet
from roost.domain.ids import Position
from roost.ports.index import TweetBatch

async def main():
    async with sqlite_indexes(Path(sys.argv[1])) as indexes:
        for number in range(1, 1_000_000):
            await indexes.tweets.apply(TweetBatch(added=(tweet(number, "#word"),)), Position(str(number)))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_leaves_the_position_and_the_tweets_in_agreement(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    writer = subprocess.Popen(  # noqa: S603, ASYNC220 - our own script; nothing else runs here
        [sys.executable, "-c", WRITES_UNTIL_KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert writer.stdout is not None
    acknowledged = 0
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged == 50:
            writer.send_signal(signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    writer.stdout.close()
    writer.wait()
    async with sqlite_indexes(tmp_path) as indexes:
        applied = int(await indexes.tweets.applied() or 0)
        assert applied >= acknowledged
        assert await found(indexes.tweets, "word", limit=2_000) == list(range(applied, 0, -1))


async def test_a_file_of_another_format_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with sqlite_indexes(tmp_path) as first:
        await first.tweets.apply(TweetBatch(added=(tweet(1, "word"),)), Position("7"))
    monkeypatch.setattr("roost.adapters.index.sqlite.file.FORMAT", schema.FORMAT + 1)
    async with sqlite_indexes(tmp_path) as second:
        assert await second.tweets.applied() is None
        assert await found(second.tweets, "word") == []
        await second.tweets.add([tweet(1, "word")])
        assert await found(second.tweets, "word") == [1]


def test_a_file_that_is_no_database_is_said_to_be_down(tmp_path: Path) -> None:
    (tmp_path / "search.db").write_bytes(b"not a database" * 500)
    with pytest.raises(DependencyDown, match="cannot be opened"):
        SearchFile(tmp_path / "search.db")
    with pytest.raises(DependencyDown, match="cannot be opened"):
        SearchFile(tmp_path / "absent" / "search.db")


async def test_no_word_of_a_removed_tweet_is_left_in_the_files(tmp_path: Path) -> None:
    def held(word: bytes) -> bool:
        return any(word in path.read_bytes() for path in tmp_path.iterdir())

    async with sqlite_indexes(tmp_path) as indexes:
        for number in range(200):
            await indexes.tweets.add([tweet(number, f"a{number} plughword")])
        await indexes.tweets.add([tweet(500, "#xyzzysecret"), tweet(501, "#qwertysecret")])
        await indexes.tweets.add([tweet(501, "harmless", version=Version(2))])
        for number in range(200, 300):
            await indexes.tweets.add([tweet(number, f"b{number} plughword")])
        await indexes.tweets.remove([tweet(500).tweet_id, tweet(7).tweet_id])
        assert held(b"xyzzysecret")
        await indexes.tweets.forget_removed()
        assert not held(b"zzysecret")
        assert not held(b"ertysecret")
        assert held(b"plughword")
        assert len(await found(indexes.tweets, "plughword", limit=2_000)) == 299
        assert await found(indexes.tweets, "harmless") == [501]
        await indexes.tweets.forget_removed()
        await indexes.tweets.remove([tweet(8).tweet_id])
        assert len(await found(indexes.tweets, "plughword", limit=2_000)) == 298


# Bounds


async def test_a_question_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=1_000)
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(Overloaded, match="longer than 1000 ms"):
        await file.read(lambda db: db.execute(endless).fetchall())
    assert await file.read(lambda db: db.execute("SELECT 1").fetchall()) == [(1,)]
    await file.close()


async def test_searches_and_changes_beyond_their_bounds_are_refused_at_once(tmp_path: Path) -> None:
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=DEADLINE_MS)
    index = SqliteTweetIndex(file, StandingClock())
    gate = threading.Event()

    def pass_the_gate(_: sqlite3.Connection) -> None:
        gate.wait()

    reads = [asyncio.ensure_future(file.read(lambda _: gate.wait())) for _ in range(READS_WAITING_MAX)]
    writes = [asyncio.ensure_future(file.write(pass_the_gate)) for _ in range(WRITES_WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await found(index, "two words")
    with pytest.raises(Overloaded):
        # The writer itself holds one or a group of those that wait.
        await asyncio.gather(*(index.add([tweet(n, "word")]) for n in range(2 * WRITES_WAITING_MAX)))
    gate.set()
    await asyncio.gather(*reads, *writes)
    await index.add([tweet(999, "later")])
    assert await found(index, "later") == [999]
    await file.close()


async def test_only_one_word_is_looked_for_on_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All else may have to look at every place of a word: a phrase of one word again and again takes 40 ms."""
    file = SearchFile(tmp_path / "search.db")
    index = SqliteTweetIndex(file, StandingClock())
    await index.add([tweet(1, "one the the two #tag")])
    asked: list[str] = []
    answered = file.at_once

    def noted(question: Callable[[sqlite3.Connection], list[TweetId]]) -> list[TweetId]:
        asked.append("on the loop")
        return answered(question)

    monkeypatch.setattr(file, "at_once", noted)
    for query in ('"the the"', "the two", "one -two", "-one", "#tag", "lang:en", "since:2001-01-01"):
        await found(index, query)
    assert asked == []
    assert await found(index, "one") == [1]
    assert len(asked) == 1
    await file.close()


async def test_a_caller_who_went_away_gives_the_place_back(tmp_path: Path) -> None:
    async with sqlite_indexes(tmp_path) as indexes:
        for _ in range(3):
            tasks = [asyncio.ensure_future(found(indexes.tweets, "two words")) for _ in range(READS_WAITING_MAX)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert await found(indexes.tweets, "word") == []


async def test_a_wrong_change_fails_alone(tmp_path: Path) -> None:
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=DEADLINE_MS)
    index = SqliteTweetIndex(file, StandingClock())

    def wrong(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO removed_tweet VALUES (1)")
        db.execute("INSERT INTO nowhere VALUES (1)")

    changes = [index.add([tweet(1, "a")]), file.write(wrong), index.add([tweet(2, "a")])]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), DependencyDown, type(None)]
    assert await found(index, "a") == [2, 1]
    assert await file.read(lambda db: db.execute("SELECT * FROM removed_tweet").fetchall()) == []
    await file.close()


async def test_a_closed_index_is_draining_and_has_written_what_waited(tmp_path: Path) -> None:
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=DEADLINE_MS)
    index = SqliteTweetIndex(file, StandingClock())
    adds = [asyncio.ensure_future(index.add([tweet(n, "word")])) for n in range(100)]
    await asyncio.sleep(0)
    await file.close()
    await file.close()
    await asyncio.gather(*adds)
    with pytest.raises(Draining):
        await found(index, "word")
    with pytest.raises(Draining):
        await index.add([tweet(1)])
    async with sqlite_indexes(tmp_path) as reopened:
        assert len(await found(reopened.tweets, "word")) == 100


async def test_a_file_broken_under_way_is_said_to_be_down(tmp_path: Path) -> None:
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=DEADLINE_MS)
    index = SqliteTweetIndex(file, StandingClock())

    def break_it(db: sqlite3.Connection) -> None:
        db.execute("DROP TABLE found_data")

    await file.write(break_it)
    with pytest.raises(DependencyDown):
        await found(index, "word")
    with pytest.raises(DependencyDown):
        await index.add([tweet(1, "word")])
    await file.close()


async def test_counters_of_past_hours_are_dropped(tmp_path: Path) -> None:
    clock = StandingClock()
    file = SearchFile(tmp_path / "search.db", read_deadline_ms=DEADLINE_MS)
    index = SqliteTweetIndex(file, clock)
    await index.add([tweet(1, "#now"), hours_ago(3 * WINDOW_HOURS, 1, "#past")])
    await index.add([tweet(2, "#now", UserId(2))])
    await index.remove([tweet(2).tweet_id])

    async def counters() -> list[tuple[str]]:
        both = "SELECT tag FROM tag_use UNION ALL SELECT tag FROM tag_hour"
        return await file.read(lambda db: db.execute(both).fetchall())

    assert await counters() == [("now",), ("now",)]
    clock.ms += 2 * WINDOW_HOURS * HOUR_MS
    await index.add([tweet(3, "word")])
    assert await counters() == []
    await index.remove([tweet(1).tweet_id])
    assert await counters() == []
    await file.close()
