"""Events that are durable with the rows they tell of, until they are on the log.

adapters/store/cassandra/* -> (here) -> announce, which appends to the log

A store leaves its events in the batch of its rows, or before a decision, then tells them at once. What could not be
told stays, and a role that repeats it asks for `pending`, oldest first, appends it, and says `done`. So a fact may
be told twice and never not at all; one that was left before a decision that was then lost in a crash is told though
nothing happened, which a reader who reads the row again does not notice.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from roost.adapters.event_codec import decode_event, encode_event
from roost.adapters.store.cassandra.cql import Bound, Cql
from roost.adapters.store.cassandra.session import CassandraSession
from roost.domain.errors import RoostError
from roost.domain.events import Event
from roost.domain.ids import Position, shard_of

SHARDS = 16
MINUTE_MS = 60_000
ANNOUNCE_S_MAX = 2.0
GRACE_MS_DEFAULT = 15_000
"""Younger events are still being told by who left them: a request and an announcement may take that long."""
KEPT_MINUTES_MIN = 10
"""An empty minute that is younger may still be written to by a slow clock."""
CLEARED_A_BATCH = 64
UNTOLD_MAX = 20_000
"""Half a minute at 600 a second."""
CLEARING_MAX = 10_000
"""Told events that wait to be cleared; beyond it they are left, and told again."""
MINUTES_A_LOOK = 10_000

Announce = Callable[[Sequence[Event]], Awaitable[Position | None]]
Mend = Callable[[Event], Awaitable[bool]]
"""Finishes what a crash may have left undone behind an event; whether the event is still to be told."""

_LEAVE = Cql("INSERT INTO outbox (shard, minute, id, kind, body) VALUES (?, ?, ?, ?, ?)")
_NOTE_MINUTE = Cql("INSERT INTO outbox_minutes (shard, minute) VALUES (?, ?)")
_MINUTES = Cql("SELECT minute FROM outbox_minutes WHERE shard = ? AND minute <= ? LIMIT ?")
_FORGET_MINUTE = Cql("DELETE FROM outbox_minutes WHERE shard = ? AND minute = ?")
_OF_MINUTE = Cql("SELECT id, kind, body FROM outbox WHERE shard = ? AND minute = ? AND id <= ? LIMIT ?")
_CLEAR = Cql("DELETE FROM outbox WHERE shard = ? AND minute = ? AND id = ?")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An event's place in the outbox; ids rise with time."""

    minute: int
    shard: int
    id: bytes


@dataclass(frozen=True, slots=True)
class Left:
    """Events that are in the outbox, or will be with the batch that `rows` go into."""

    events: Sequence[Event]
    keys: Sequence[Key]
    rows: Sequence[Bound]


def together(*parts: Left) -> Left:
    """What was left in several steps, to be told in one."""
    return Left(
        [event for part in parts for event in part.events],
        [key for part in parts for key in part.keys],
        [row for part in parts for row in part.rows],
    )


class CassandraOutbox:
    """Shared by the stores of one session. `before_all` is a position that every reader of the log has passed: what
    is answered where a change is durable and its announcement has to wait, since nobody may wait for it.
    """

    def __init__(
        self,
        session: CassandraSession,
        now_ms: Callable[[], int],
        announce: Announce,
        *,
        before_all: Position = Position("0"),  # noqa: B008 - a constant
        grace_ms: int = GRACE_MS_DEFAULT,
    ) -> None:
        self.now_ms = now_ms
        self.before_all = before_all
        self._session = session
        self._announce = announce
        self._grace_ms = grace_ms
        self._writer = secrets.token_bytes(8)
        self._last_us = 0
        self._noted: set[tuple[int, int]] = set()
        self._untold: deque[Left] = deque(maxlen=UNTOLD_MAX)
        self._clearing: list[Key] = []
        self._clearer: asyncio.Task[None] | None = None
        self._menders: list[Mend] = []

    def leave(self, events: Sequence[Event]) -> Left:
        """Rows that a store puts into its own batch; then `tell` them."""
        if not events:
            return Left((), (), ())
        shard = shard_of(events[0].key) % SHARDS
        keys, rows = [], []
        for event in events:
            at_us = self._last_us = max(self.now_ms() * 1_000, self._last_us + 1)
            key = Key(at_us // (1_000 * MINUTE_MS), shard, at_us.to_bytes(8, "big") + self._writer)
            keys.append(key)
            rows.append(_LEAVE(key.shard, key.minute, key.id, *encode_event(event)))
        minutes = {(key.shard, key.minute) for key in keys} - self._noted
        rows += [_NOTE_MINUTE(*minute) for minute in minutes]
        return Left(events, keys, rows)

    async def leave_before(self, events: Sequence[Event]) -> Left:
        """The same, durable on return: for changes that no batch can hold. `tell` or `withdraw` them afterwards."""
        left = self.leave(events)
        await self._session.write_together(left.rows)
        return left

    async def tell(self, left: Left) -> Position:
        """Announce what is durable now. Waits at most ANNOUNCE_S_MAX and never fails: the outbox has it still."""
        if not left.events:
            return self.before_all
        self._remember_minutes(left)
        try:
            position = await asyncio.wait_for(self._announce(left.events), ANNOUNCE_S_MAX)
        except (RoostError, OSError, TimeoutError):
            position = None
        if position is None:
            self._untold.append(left)
            return self.before_all
        self._clear(left.keys)
        return position

    async def tell_again(self) -> bool:
        """Announce what could not be told, the oldest first; whether nothing is left here. What is beyond UNTOLD_MAX is
        told from the rows, and so is what the process takes with it.
        """
        while self._untold:
            left = self._untold[0]
            try:
                if await self._announce(left.events) is None:
                    return False
            except (RoostError, OSError, TimeoutError):
                return False
            self._untold.popleft()
            self._clear(left.keys)
        return True

    def withdraw(self, left: Left) -> None:
        """Take back what was left before a change that did not come about."""
        self._clear(left.keys)

    def mend_by(self, mend: Mend) -> None:
        """Have `mend` look at each event before it is given out by `pending`."""
        self._menders.append(mend)

    async def pending(self, limit: int) -> list[tuple[Key, Event]]:
        """Up to `limit` events that were left a grace ago and not told, oldest first within a shard and minute.

        Events of a kind that only a newer program knows are passed over.
        """
        upto_ms = self.now_ms() - self._grace_ms
        upto = Key(upto_ms // MINUTE_MS, SHARDS, (upto_ms * 1_000).to_bytes(8, "big"))
        found: list[tuple[Key, Event]] = []
        for minute, shard in await self._minutes(upto.minute):
            rows = await self._session.rows(_OF_MINUTE, shard, minute, upto.id, limit - len(found))
            if not rows and minute < upto.minute - KEPT_MINUTES_MIN:
                await self._session.write(_FORGET_MINUTE, shard, minute)
            for id, kind, body in rows:
                key, event = Key(minute, shard, bytes(id)), decode_event(kind, bytes(body))
                if event is not None and await self._is_to_be_told(key, event):
                    found.append((key, event))
            if len(found) >= limit:
                break
        return found

    async def done(self, keys: Sequence[Key]) -> None:
        """Clear what is on the log now. Repeatable."""
        by_partition: dict[tuple[int, int], list[Key]] = {}
        for key in keys:
            by_partition.setdefault((key.shard, key.minute), []).append(key)
        for of_one in by_partition.values():
            for at in range(0, len(of_one), CLEARED_A_BATCH):
                some = of_one[at : at + CLEARED_A_BATCH]
                await self._session.write_together([_CLEAR(key.shard, key.minute, key.id) for key in some])

    async def close(self) -> None:
        """Clear what was told. Where that fails it is told again."""
        if self._clearer is not None:
            await asyncio.wait([self._clearer], timeout=ANNOUNCE_S_MAX)

    async def _minutes(self, upto: int) -> Sequence[tuple[int, int]]:
        """Where events may lie: minutes and shards, oldest first."""
        found: list[tuple[int, int]] = []
        for shard in range(SHARDS):
            rows = await self._session.rows(_MINUTES, shard, upto, MINUTES_A_LOOK)
            found += [(minute, shard) for (minute,) in rows]
        return sorted(found)

    async def _is_to_be_told(self, key: Key, event: Event) -> bool:
        for mend in self._menders:
            if not await mend(event):
                await self.done([key])
                return False
        return True

    def _remember_minutes(self, left: Left) -> None:
        """The minutes are durable too; of those before this one no more is written."""
        minutes = {(key.shard, key.minute) for key in left.keys}
        latest = max(minute for _, minute in minutes)
        self._noted = {(shard, minute) for shard, minute in self._noted | minutes if minute >= latest - 1}

    def _clear(self, keys: Sequence[Key]) -> None:
        """Beside the answer: whoever waits for a post does not wait for this."""
        if len(self._clearing) < CLEARING_MAX:
            self._clearing += keys
        if self._clearer is None or self._clearer.done():
            self._clearer = asyncio.create_task(self._clear_all())

    async def _clear_all(self) -> None:
        while self._clearing:
            some, self._clearing = self._clearing[:CLEARING_MAX], self._clearing[CLEARING_MAX:]
            try:
                await self.done(some)
            except RoostError:
                return  # they are told again
