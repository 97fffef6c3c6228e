"""The log as a table of the stores' own file: an event is on it when the write that tells of it is durable.

adapters/sqlite_file.leave -> (the log table) -> here -> reactions, edge/live

One reader a process follows the table and decodes each event once; all subscriptions are served from the events that
it keeps at hand, and from the table itself where they lag behind those.
"""

import asyncio
import contextlib
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from roost.adapters.event_codec import decode_event
from roost.adapters.log_position import checked_seq_at, position_at, seq_at
from roost.adapters.sqlite_file import SqliteFile
from roost.domain.errors import Gone, Unavailable
from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.log import BATCH_MAX, Logged

AT_HAND_MAX = 20_000
"""Events kept decoded: some 20 MB at the most, half a minute at 600 tweets/s."""
AT_HAND_SLACK_PART = 10
"""They are cut only when they are a tenth too many: one move for 2,000 events."""
PULL_MAX = 128
"""Rows read and decoded at one go on the loop: some 1 ms. In a thread each row would cost a turn of the interpreter
lock, up to half a millisecond behind a busy loop."""
LOOK_ANYWAY_S = 0.5
"""A net for what another process wrote, and for a bell that was missed."""
CONFIRM_DELAY_S = 1.0
"""At most one durable write a second for all groups; what was confirmed since is read again after a crash."""
TRIM_ROWS = 1_000
"""Rows dropped in one write: some 5 ms of the writer."""

Row = tuple[int, str, bytes, int]
Note = Callable[[int, Event], None]

_AFTER = "SELECT seq, kind, body, at_ms FROM log WHERE seq > ? ORDER BY seq LIMIT ?"
_FIRST = "SELECT seq FROM log ORDER BY seq LIMIT 1"
_LAST = "SELECT seq FROM log ORDER BY seq DESC LIMIT 1"
_CONFIRM = (
    "INSERT INTO log_groups (name, seq) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq"
)


@dataclass(frozen=True, slots=True)
class _Read:
    """Events after a number, and the number up to which they are all that this program knows."""

    events: Sequence[Logged]
    upto: int


class SqliteEventLog:
    """`open` before use; `close` before the file: it writes down what was confirmed.

    `note` is called with each event that is written from now on and its number, before any reader is given it.
    """

    def __init__(self, file: SqliteFile, at_hand_max: int = AT_HAND_MAX, note: Note | None = None) -> None:
        self._file = file
        self._note = note
        self._at_hand_max = at_hand_max
        self._seqs: list[int] = []
        self._at_hand: list[Logged] = []
        self._begin = 0  # all known events after this number and up to `_upto` are at hand
        self._upto = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._confirmed: dict[str, int] = {}
        self._unwritten: set[str] = set()
        self._writing: asyncio.Task[None] | None = None
        self._net: asyncio.TimerHandle | None = None
        self._pull_due = False
        self.closed = False

    async def open(self) -> Self:
        """Begin to follow the table from its end."""
        self._loop = asyncio.get_running_loop()
        self._begin = self._upto = self._edge(_LAST)
        self._file.on_commit(self.look)
        self._net = self._loop.call_later(LOOK_ANYWAY_S, self._look_anyway)
        return self

    async def close(self) -> None:
        """Let those who wait go on with nothing, and write down what was confirmed."""
        self.closed = True
        if self._net is not None:
            self._net.cancel()
        self._wake()
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        with contextlib.suppress(Unavailable):  # then it is confirmed again, later
            await self._write_confirmed()

    async def append(self, events: Sequence[Event]) -> Position:
        return await self._file.write(lambda connection: self._file.leave(connection, events))

    async def end(self) -> Position:
        return position_at(self._edge(_LAST))

    def subscribe(self, group: str) -> "SqliteSubscription":
        """Each member of a group is given all of it: within one process there is no work to share out."""
        if group not in self._confirmed:
            kept = self._file.rows("SELECT seq FROM log_groups WHERE name = ?", (group,))
            self._confirmed[group] = kept[0][0] if kept else max(self._edge(_FIRST) - 1, 0)
            if not kept:
                self._write_soon(group)  # from now on the log is kept for it
        return SqliteSubscription(self, self._confirmed[group], group)

    def tail(self, after: Position) -> "SqliteSubscription":
        """Raises Invalid where the position is malformed; its `batch` raises Gone where it lies before the log."""
        return SqliteSubscription(self, checked_seq_at(after), None)

    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        seq, end = seq_at(after), self._edge(_LAST)
        if seq is None or seq > end:
            return None
        self.look()
        try:
            read = await self.after(seq, limit, at_least=end)
            while not read.events and read.upto > seq:  # nothing that this program knows: what comes after it counts
                seq = read.upto
                read = await self.after(seq, limit, at_least=end)
        except Gone:
            return None
        return read.events

    def is_reached(self, position: Position, by: Position) -> bool:
        return checked_seq_at(position) <= checked_seq_at(by)

    async def lag(self) -> dict[str, int]:
        end = self._edge(_LAST)
        confirmed = dict(self._file.rows("SELECT name, seq FROM log_groups")) | self._confirmed
        return {group: max(end - seq, 0) for group, seq in confirmed.items()}

    async def drop_before(self, at_ms: int) -> int:
        """The newest event stays, since its number is where the log goes on from."""
        await self._write_confirmed()  # a group that is new is kept for too
        dropped = 0
        while True:
            rows = await self._file.write(lambda connection: _drop_oldest(connection, at_ms))
            dropped += rows
            if rows < TRIM_ROWS:
                return dropped

    async def drop_group(self, group: str) -> None:
        """Keep nothing for this group any more."""
        self._confirmed.pop(group, None)
        self._unwritten.discard(group)
        await self._file.write(lambda connection: connection.execute("DELETE FROM log_groups WHERE name = ?", (group,)))

    async def after(self, seq: int, limit: int = BATCH_MAX, at_least: int = 0) -> _Read:
        """What is known after a number, without waiting; known are all up to `at_least` and maybe more.

        Raises Gone where the log no longer reaches back.
        """
        if seq >= self._begin and self._upto >= at_least:
            first = bisect_right(self._seqs, seq)
            events = self._at_hand[first : first + limit]
            return _Read(events, self._upto if first + limit >= len(self._seqs) else self._seqs[first + limit - 1])
        return await self._from_table(seq, limit)

    async def _from_table(self, seq: int, limit: int) -> _Read:
        events: list[Logged] = []
        while len(events) < limit:
            rows: list[Row] = self._file.rows(_AFTER, (seq, min(limit - len(events), PULL_MAX)))
            if not rows:
                break
            if rows[0][0] > seq + 1:
                raise Gone(f"the log begins after {rows[0][0] - 1}, {seq} lies before it")
            events += _decoded(rows)
            seq = rows[-1][0]
            await asyncio.sleep(0)  # others have their turn
        return _Read(events, seq)

    async def beyond(self, seq: int) -> None:
        """Return once there is something after that number, or the log is closed."""
        while self._upto <= seq and not self.closed:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def confirm(self, group: str, seq: int) -> None:
        if seq > self._confirmed.get(group, 0):
            self._confirmed[group] = seq
            self._write_soon(group)

    def _edge(self, sql: str) -> int:
        return next((seq for (seq,) in self._file.rows(sql)), 0)

    def look(self) -> None:
        """Take up what was committed since, by whomever. Where the file fails, the next bell or look tries again."""
        if self.closed:
            return
        self._pull_due = False
        try:
            rows: list[Row] = self._file.rows(_AFTER, (self._upto, PULL_MAX))
        except Unavailable:
            return
        if not rows:
            return
        for logged, seq in _numbered(rows):
            self._at_hand.append(logged)
            self._seqs.append(seq)
            if self._note is not None:
                self._note(seq, logged.event)
        self._upto = rows[-1][0]
        if len(self._seqs) > self._at_hand_max + self._at_hand_max // AT_HAND_SLACK_PART:
            surplus = len(self._seqs) - self._at_hand_max
            self._begin = self._seqs[surplus - 1]
            del self._seqs[:surplus]
            del self._at_hand[:surplus]
        self._wake()
        if len(rows) == PULL_MAX and not self._pull_due:
            self._pull_due = True
            self._loop.call_soon(self.look)

    def _look_anyway(self) -> None:
        self.look()
        self._net = self._loop.call_later(LOOK_ANYWAY_S, self._look_anyway)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _write_soon(self, group: str) -> None:
        self._unwritten.add(group)
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._unwritten and not self.closed:
            await asyncio.sleep(CONFIRM_DELAY_S)
            try:
                await self._write_confirmed()
            except Unavailable:
                continue  # confirmed late, never early

    async def _write_confirmed(self) -> None:
        rows = [(group, self._confirmed[group]) for group in self._unwritten]
        if rows:
            await self._file.write(lambda connection: connection.executemany(_CONFIRM, rows))
            self._unwritten -= {group for group, seq in rows if self._confirmed.get(group, seq) == seq}


class SqliteSubscription:
    """A reader's way along the log; with a group it may confirm."""

    def __init__(self, log: SqliteEventLog, after: int, group: str | None) -> None:
        self._log = log
        self._seq = after
        self._group = group

    async def batch(self) -> Sequence[Logged]:
        while not self._log.closed:
            try:
                read = await self._log.after(self._seq)
            except Unavailable:  # a reader waits for events, also while the file fails
                await asyncio.sleep(LOOK_ANYWAY_S)
                continue
            self._seq = max(self._seq, read.upto)
            if read.events:
                return read.events
            await self._log.beyond(self._seq)
        return ()

    async def confirm(self, position: Position) -> None:
        if self._group is not None:
            self._log.confirm(self._group, checked_seq_at(position))


def _numbered(rows: Sequence[Row]) -> list[tuple[Logged, int]]:
    """The events of the rows; what only a newer version knows is passed over."""
    decoded = ((seq, decode_event(kind, body), at_ms) for seq, kind, body, at_ms in rows)
    return [(Logged(position_at(seq), event, at_ms), seq) for seq, event, at_ms in decoded if event is not None]


def _decoded(rows: Sequence[Row]) -> list[Logged]:
    return [logged for logged, _ in _numbered(rows)]


def _drop_oldest(connection: sqlite3.Connection, before_ms: int) -> int:
    (confirmed,) = connection.execute("SELECT min(seq) FROM log_groups").fetchone()
    rows = connection.execute("SELECT seq, at_ms FROM log ORDER BY seq LIMIT ?", (TRIM_ROWS + 1,)).fetchall()
    # A clock may jump: the first that is too young ends it, whatever comes after.
    upto = 0
    for seq, at_ms in rows[:TRIM_ROWS] if len(rows) > TRIM_ROWS else rows[:-1]:
        if at_ms >= before_ms or (confirmed is not None and seq > confirmed):
            break
        upto = seq
    return connection.execute("DELETE FROM log WHERE seq <= ?", (upto,)).rowcount
