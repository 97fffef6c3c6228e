"""What one SQLite file promises to the adapters over it: durable, in groups, each job alone, whatever goes wrong."""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contract.store_adapters import NOW_MS, SCHEMAS
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.sqlite_copies import SCHEMA_VERSION, faults_of
from roost.adapters.sqlite_file import SqliteFile
from roost.domain.errors import DependencyDown, Draining, Invalid, Overloaded
from roost.domain.events import Notified
from roost.domain.ids import Position, UserId

NUMBERS = "CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY, filling BLOB);"
WITHIN_S = 10.0
Job = Callable[[sqlite3.Connection], None]


async def opened(path: Path) -> SqliteFile:
    return await SqliteFile(path, lambda: NOW_MS, synchronous="OFF").open(NUMBERS)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteFile]:
    it = await opened(tmp_path / "roost.db")
    yield it
    await it.close()


def put(file: SqliteFile, number: int, *, filling: int = 0, fails_with: BaseException | None = None) -> Job:
    """Writes a row and its event, and then fails if it is to."""

    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO numbers VALUES (?, zeroblob(?))", (number, filling))
        file.leave(connection, [Notified(UserId(1), number)])
        if fails_with is not None:
            raise fails_with

    return job


def kept(file: SqliteFile) -> list[int]:
    return [number for (number,) in file.rows("SELECT number FROM numbers ORDER BY number")]


async def told(file: SqliteFile) -> list[int]:
    log = await SqliteEventLog(file).open()
    read = await log.read(Position("0"), 100_000)
    await log.close()
    assert read is not None
    return [logged.event.notification_id for logged in read if isinstance(logged.event, Notified)]


async def in_one_group(file: SqliteFile, *jobs: Job) -> list[BaseException | None]:
    """Hold the writer until all jobs wait, so that they go into one transaction; what each met."""
    hold, held = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def holding(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(held.set)
        hold.wait(WITHIN_S)

    first = asyncio.ensure_future(file.write(holding))
    await held.wait()
    rest = [asyncio.ensure_future(file.write(job)) for job in jobs]
    await asyncio.sleep(0)
    hold.set()
    await first
    return [
        each if isinstance(each, BaseException) else None
        for each in await asyncio.gather(*rest, return_exceptions=True)
    ]


async def test_many_writers_at_once_are_all_answered_and_all_kept(file: SqliteFile) -> None:
    await asyncio.gather(*(file.write(put(file, number)) for number in range(2_000)))
    assert kept(file) == list(range(2_000))
    assert sorted(await told(file)) == list(range(2_000))


async def test_events_are_numbered_in_the_order_of_commits_without_a_gap(file: SqliteFile) -> None:
    await in_one_group(file, *(put(file, number) for number in range(50)))
    await file.write(put(file, 50))
    assert await told(file) == list(range(51))
    assert [seq for (seq,) in file.rows("SELECT seq FROM log ORDER BY seq")] == list(range(1, 52))


@pytest.mark.parametrize("error", [Invalid("no"), ValueError("a bug"), sqlite3.IntegrityError("taken"), SystemExit(3)])
async def test_a_job_that_fails_is_undone_alone(file: SqliteFile, error: BaseException) -> None:
    met = await in_one_group(file, put(file, 1), put(file, 2, fails_with=error), put(file, 3))
    if isinstance(error, Exception):
        assert met == [None, error, None]
        assert kept(file) == await told(file) == [1, 3]
    else:  # no failure of a job, but of the thread it runs in: the group is refused and the thread goes on
        assert all(isinstance(each, DependencyDown) for each in met)
        assert kept(file) == await told(file) == []
    await file.write(put(file, 4))
    assert 4 in kept(file)


async def test_a_job_that_refuses_before_it_changes_anything_costs_nobody_anything(file: SqliteFile) -> None:
    runs = []

    def counted(connection: sqlite3.Connection) -> None:
        runs.append(1)
        put(file, 1)(connection)

    def refuse(_: sqlite3.Connection) -> None:
        raise Invalid("no")

    met = await in_one_group(file, counted, refuse)
    assert met[0] is None
    assert isinstance(met[1], Invalid)
    assert kept(file) == [1]
    assert len(runs) == 1


async def test_a_wrong_statement_fails_its_own_job_only(file: SqliteFile) -> None:
    def wrong(connection: sqlite3.Connection) -> None:
        put(file, 2)(connection)
        connection.execute("SELECT * FROM no_such_table")

    met = await in_one_group(file, put(file, 1), wrong, put(file, 3), put(file, 1))
    assert [type(each) for each in met] == [type(None), sqlite3.OperationalError, type(None), sqlite3.IntegrityError]
    assert kept(file) == await told(file) == [1, 3]


async def test_a_full_disk_refuses_the_whole_group_and_is_survived(file: SqliteFile) -> None:
    def limit(pages: int) -> Callable[[sqlite3.Connection], None]:
        return lambda connection: connection.execute(f"PRAGMA max_page_count={pages}").close()

    await file.write(put(file, 1))
    await file.write(limit(1))  # as many as there are now
    met = await in_one_group(file, put(file, 2), put(file, 3, filling=1_000_000), put(file, 4))
    assert len(met) == 3
    assert all(isinstance(each, DependencyDown) and "full" in str(each) for each in met)
    assert len({id(each) for each in met}) == 3
    assert kept(file) == await told(file) == [1]
    await file.write(limit(1_000_000))
    await file.write(put(file, 5, filling=1_000_000))
    assert kept(file) == await told(file) == [1, 5]


@pytest.mark.parametrize("ending", ["ROLLBACK", "COMMIT"])
async def test_a_job_that_ends_the_transaction_is_said_to_have_failed(file: SqliteFile, ending: str) -> None:
    def ends(connection: sqlite3.Connection) -> None:
        connection.execute(ending)
        raise ValueError("after that")

    met = await in_one_group(file, ends, put(file, 1))
    assert all(isinstance(each, DependencyDown) for each in met)
    await file.write(put(file, 2))
    assert kept(file) == [2]


async def test_a_write_that_nobody_waits_for_any_more_is_not_begun(file: SqliteFile) -> None:
    hold = threading.Event()
    first = asyncio.ensure_future(file.write(lambda _: hold.wait(WITHIN_S)))
    given_up = asyncio.ensure_future(file.write(put(file, 1)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    last = asyncio.ensure_future(file.write(put(file, 2)))
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(first, last)
    assert kept(file) in ([2], [1, 2])  # the second where the writer had begun it before it was given up


async def test_more_writes_than_may_wait_are_refused_at_once(tmp_path: Path) -> None:
    file = await SqliteFile(tmp_path / "roost.db", lambda: NOW_MS, "OFF", writes_waiting_max=3).open(NUMBERS)
    hold = threading.Event()
    waiting = [asyncio.ensure_future(file.write(lambda _: hold.wait(WITHIN_S))) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await file.write(put(file, 1))
    hold.set()
    await asyncio.gather(*waiting)
    await file.write(put(file, 2))
    assert kept(file) == [2]
    await file.close()


async def test_bells_ring_once_a_commit_before_the_writers_go_on(file: SqliteFile) -> None:
    seen: list[list[int]] = []
    file.on_commit(lambda: seen.append(kept(file)))
    await in_one_group(file, put(file, 1), put(file, 2))
    assert len(seen) == 2  # the holding job's own group, and theirs
    assert seen[-1] == [1, 2]
    await file.write(put(file, 3))
    assert seen[-1] == [1, 2, 3]


async def test_a_bell_that_fails_keeps_nobody_waiting(file: SqliteFile) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
    bells: list[str] = []

    def fail() -> None:
        raise ValueError("a broken bell")

    file.on_commit(fail)
    file.on_commit(lambda: bells.append("rung"))
    await file.write(put(file, 1))
    assert bells == ["rung"]
    assert [str(failure) for failure in failures] == ["a broken bell"]


async def test_closing_finishes_what_waits_and_refuses_the_rest(tmp_path: Path) -> None:
    file = await opened(tmp_path / "roost.db")
    waiting = [asyncio.ensure_future(file.write(put(file, number))) for number in range(300)]
    await asyncio.sleep(0)
    await file.close()
    await asyncio.gather(*waiting)
    with pytest.raises(Draining):
        await file.write(put(file, 999))
    with pytest.raises(Draining):
        await file.read(lambda connection: None)
    await file.close()
    again = await opened(tmp_path / "roost.db")
    assert kept(again) == list(range(300))
    await again.close()


async def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match=r"roost\.db cannot be opened"):
        await opened(tmp_path / "missing" / "roost.db")
    (tmp_path / "text.db").write_text("this is no database, however long it is " * 100)
    with pytest.raises(DependencyDown, match=r"text\.db cannot be opened"):
        await opened(tmp_path / "text.db")


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "roost.db"
    await (await opened(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(DependencyDown, match="run the newer program"):
        await opened(path)
    assert path.read_bytes() == before


async def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "roost.db"
    with sqlite3.connect(path) as connection:
        connection.executescript("PRAGMA application_id=7; CREATE TABLE theirs (x);")
    connection.close()
    with pytest.raises(DependencyDown, match="another program"):
        await opened(path)


async def test_readers_cannot_write(file: SqliteFile) -> None:
    with pytest.raises(DependencyDown):
        file.rows("DELETE FROM numbers")
    with pytest.raises(DependencyDown):
        await file.read(lambda connection: connection.execute("DELETE FROM numbers"))


async def test_two_processes_write_one_file_in_turns(tmp_path: Path) -> None:
    """Each opens the file for itself, as two processes do; the lock between them is the kernel's."""
    path = tmp_path / "roost.db"
    one, two = await asyncio.gather(opened(path), opened(path))
    log = await SqliteEventLog(one).open()
    tail = log.tail(await log.end())
    await asyncio.gather(*((one, two)[number % 2].write(put(one, number)) for number in range(500)))
    assert kept(one) == kept(two) == list(range(500))
    assert [seq for (seq,) in one.rows("SELECT seq FROM log")] == list(range(1, 501))
    await two.write(put(two, 500))  # rings no bell of the other's
    seen: set[int] = set()
    async with asyncio.timeout(WITHIN_S):
        while len(seen) < 501:
            seen.update(
                logged.event.notification_id for logged in await tail.batch() if isinstance(logged.event, Notified)
            )
    await log.close()
    await one.close()
    await two.close()


async def test_events_that_only_a_newer_program_knows_are_passed_over(file: SqliteFile) -> None:
    """While two versions run side by side; however many there are, what comes after them is told."""
    log = await SqliteEventLog(file).open()
    unknown = [("InventedLater", 1, b"\x80")] * 600
    insert = "INSERT INTO log (kind, at_ms, body) VALUES (?, ?, ?)"
    await file.write(lambda connection: connection.executemany(insert, unknown).close())
    await file.write(put(file, 7))
    group = log.subscribe("group")
    (logged,) = await group.batch()
    assert logged.event == Notified(UserId(1), 7)
    assert await log.read(Position("0"), 10) == await log.read(Position("550"), 10) == [logged]
    await group.confirm(logged.position)
    assert await log.lag() == {"group": 0}
    await log.close()


async def test_what_was_confirmed_is_still_confirmed_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "roost.db"
    for start in (0, 100):
        file = await opened(path)
        log = await SqliteEventLog(file).open()
        group = log.subscribe("group")
        for number in range(start + 1, start + 101):
            await file.write(put(file, number))
        logged = await group.batch()
        assert isinstance(logged[0].event, Notified)
        assert logged[0].event.notification_id == start + 1
        for each in logged:
            await group.confirm(each.position)
        assert await log.lag() == {"group": 0}
        await log.close()
        assert file.rows("SELECT name, seq FROM log_groups") == [("group", start + 100)]
        await file.close()


async def test_a_log_closes_also_when_its_file_is_closed(tmp_path: Path) -> None:
    file = await opened(tmp_path / "roost.db")
    log = await SqliteEventLog(file).open()
    await file.write(put(file, 1))
    await log.subscribe("group").confirm(Position("1"))
    await file.close()
    await log.close()
    again = await opened(tmp_path / "roost.db")
    later = await SqliteEventLog(again).open()
    assert [logged.position for logged in await later.subscribe("group").batch()] == ["1"]
    await later.close()
    await again.close()


async def test_confirming_often_writes_seldom(file: SqliteFile) -> None:
    log = await SqliteEventLog(file).open()
    group = log.subscribe("group")
    commits: list[None] = []
    for number in range(50):
        await file.write(put(file, number))
    file.on_commit(lambda: commits.append(None))
    for seq in range(1, 51):
        await group.confirm(Position(str(seq)))
        await asyncio.sleep(0)
    assert len(commits) <= 1
    await log.close()
    assert file.rows("SELECT seq FROM log_groups") == [(50,)]


async def test_a_backup_taken_while_others_write_is_whole(file: SqliteFile, tmp_path: Path) -> None:
    target = tmp_path / "copies" / "backup.db"
    target.parent.mkdir()
    stop = asyncio.Event()

    async def write_on(first: int) -> None:
        number = first
        while not stop.is_set():
            await file.write(put(file, number, filling=2_000))
            number += 1

    writers = [asyncio.ensure_future(write_on(first)) for first in (10_000, 20_000, 30_000)]
    await file.write(put(file, 1))
    await file.backup_to(target)
    before = len(kept(file))
    await file.backup_to(target)  # takes the place of the first
    stop.set()
    await asyncio.gather(*writers)
    assert os.listdir(target.parent) == ["backup.db"]  # noqa: PTH208 - names, not paths
    copy = await opened(target)
    assert await copy.faults() == []
    assert 1 in kept(copy)
    assert len(kept(copy)) >= before
    assert sorted(await told(copy)) == kept(copy)
    await copy.write(put(copy, 2))
    await copy.close()


async def test_a_backup_that_cannot_be_written_says_so(file: SqliteFile, tmp_path: Path) -> None:
    with pytest.raises(DependencyDown, match="backup"):
        await file.backup_to(tmp_path / "missing" / "backup.db")


async def test_a_damaged_file_has_faults(tmp_path: Path) -> None:
    path = tmp_path / "roost.db"
    file = await opened(path)
    for number in range(200):
        await file.write(put(file, number, filling=500))
    assert await file.faults() == []
    await file.close()
    assert faults_of(path) == []
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2 // 4096 * 4096
    damaged[middle : middle + 4096] = bytes(range(256)) * 16
    path.write_bytes(damaged)
    assert faults_of(path) != []
    assert faults_of(tmp_path / "missing.db") != []


KILLS = 6


async def test_what_was_acknowledged_survives_kills_whole(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: set[int] = set()
    for round_number in range(1, KILLS + 1):
        acknowledged |= await acknowledged_before_a_kill(tmp_path, round_number * 1_000_000, chance.randrange(400))
        file = await SqliteFile(tmp_path / "roost.db", lambda: NOW_MS).open(*SCHEMAS)
        ids = {id for (id,) in file.rows("SELECT tweet_id FROM tweets")}
        assert acknowledged <= ids
        # What was not acknowledged may be there: then it is all there, once.
        assert {id for (id,) in file.rows("SELECT tweet_id FROM user_tweets")} == ids
        assert {id for (id,) in file.rows("SELECT reply_id FROM replies")} == ids
        assert {id for (id,) in file.rows("SELECT tweet_id FROM refs")} == ids
        log = await SqliteEventLog(file).open()
        events = await log.read(Position("0"), 1_000_000)
        assert events is not None
        assert sorted(getattr(logged.event, "tweet_id", 0) for logged in events) == sorted(ids)
        assert [int(logged.position) for logged in events] == list(range(1, len(ids) + 1))
        assert await file.faults() == []
        await log.close()
        await file.close()


async def acknowledged_before_a_kill(folder: Path, first: int, count: int) -> set[int]:
    """The tweets that a process acknowledged which was killed after that many or some more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        Path(__file__).with_name("posting_process.py"),
        folder,
        str(first),
        stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while said.count(b"\n") <= count:
            chunk = await process.stdout.read(65_536)
            assert chunk, "the process ended by itself"
            said += chunk
        process.send_signal(signal.SIGKILL)
        said += await process.stdout.read()
        assert await process.wait() == -signal.SIGKILL
    whole_lines, _, _ = said.rpartition(b"\n")
    return {int(line) for line in whole_lines.split()}
