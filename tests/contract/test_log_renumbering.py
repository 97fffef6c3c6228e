"""A restored log gives no number that anybody may have been given before."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.adapters.log.renumbering import renumber_log
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.log_position import position_at, seq_at
from roost.adapters.sqlite_file import LOG_SCHEMA, SqliteFile
from roost.domain.events import UserChanged
from roost.domain.ids import Position, UserId, Version

NOW_MS = 1_700_000_000_000


def fact(number: int) -> UserChanged:
    return UserChanged(UserId(number), Version(number))


async def restored(path: Path, facts: int, confirmed: dict[str, int], *nows_ms: int) -> tuple[list[Position], Position]:
    """A log with facts, confirmed by groups up to some, and renumbered; the positions before, and the end after."""
    file = await SqliteFile(path, lambda: NOW_MS, "OFF").open()
    log = await SqliteEventLog(file).open()
    positions = [await log.append([fact(number)]) for number in range(1, facts + 1)]
    for group, upto in confirmed.items():
        await log.subscribe(group).confirm(position_at(upto))
    await log.close()
    await file.close()
    for now_ms in nows_ms:
        renumber_log(path, now_ms)
    with closing(sqlite3.connect(path)) as connection:
        ((end,),) = connection.execute("SELECT max(seq) FROM log").fetchall()
    return positions, position_at(end)


async def test_every_cursor_of_before_is_answered_by_a_gap(tmp_path: Path) -> None:
    positions, end = await restored(tmp_path / "roost.db", 9, {"index": 4}, NOW_MS)
    file = await SqliteFile(tmp_path / "roost.db", lambda: NOW_MS, "OFF").open()
    log = await SqliteEventLog(file).open()
    try:
        given_after_the_backup = [position_at(number) for number in (10, 11, 5_000)]
        for position in (position_at(0), *positions, *given_after_the_backup):
            assert await log.read(position, 9) is None
        assert await log.read(end, 9) == []
        assert log.is_reached(positions[-1], by=end)
    finally:
        await log.close()
        await file.close()


async def test_reactions_go_on_with_what_they_had_not_dealt_with(tmp_path: Path) -> None:
    await restored(tmp_path / "roost.db", 9, {"index": 4, "count": 7}, NOW_MS)
    file = await SqliteFile(tmp_path / "roost.db", lambda: NOW_MS, "OFF").open()
    log = await SqliteEventLog(file).open()
    try:
        assert await log.lag() == {"index": 5, "count": 2}
        assert [each.event for each in await log.subscribe("index").batch()] == [
            fact(number) for number in range(5, 10)
        ]
        assert [each.event for each in await log.subscribe("count").batch()] == [fact(8), fact(9)]
        new = await log.append([fact(10)])
        assert log.is_reached((await log.end()), by=new)
    finally:
        await log.close()
        await file.close()


@pytest.mark.parametrize("facts", [0, 1, 5])
async def test_a_reaction_that_has_dealt_with_all_waits_for_the_next(tmp_path: Path, facts: int) -> None:
    await restored(tmp_path / "roost.db", facts, {"index": facts}, NOW_MS)
    file = await SqliteFile(tmp_path / "roost.db", lambda: NOW_MS, "OFF").open()
    log = await SqliteEventLog(file).open()
    try:
        assert (await log.lag())["index"] == 0
        subscription = log.subscribe("index")
        await log.append([fact(77)])
        assert [each.event for each in await subscription.batch()] == [fact(77)]
    finally:
        await log.close()
        await file.close()


rows = st.integers(0, 30)
clocks = st.lists(st.integers(NOW_MS - 10_000, NOW_MS + 10_000), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(rows, st.dictionaries(st.sampled_from(["index", "count", "notify"]), st.integers(0, 30), max_size=3), clocks)
def test_numbers_only_rise_whatever_the_clock_says(facts: int, confirmed: dict[str, int], nows_ms: list[int]) -> None:
    confirmed = {group: min(upto, facts) for group, upto in confirmed.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "roost.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(LOG_SCHEMA)
            connection.executemany("INSERT INTO log VALUES (?, 'x', 0, x'')", [(seq,) for seq in range(1, facts + 1)])
            connection.executemany("INSERT INTO log_groups VALUES (?, ?)", list(confirmed.items()))
        newest = facts
        for now_ms in nows_ms:
            renumber_log(path, now_ms)
            with closing(sqlite3.connect(path)) as connection:
                seqs = [seq for (seq,) in connection.execute("SELECT seq FROM log ORDER BY seq")]
                groups = dict(connection.execute("SELECT name, seq FROM log_groups"))
            assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))  # a reader takes a hole for a lost beginning
            assert seqs[0] > newest
            assert seq_at(position_at(seqs[-1])) is not None
            waiting = {group: facts - upto for group, upto in confirmed.items()}
            assert {group: seqs[-1] - seq for group, seq in groups.items()} == waiting
            newest = seqs[-1]
