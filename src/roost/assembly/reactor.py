"""What drives reactions along the log, and how far this node's views have come."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from roost.domain.errors import RoostError, Unavailable
from roost.domain.events import Event
from roost.domain.ids import Position
from roost.ports.log import EventLog, Logged, Subscription

RETRY_DELAY_S_MIN, RETRY_DELAY_S_MAX = 0.05, 2.0
TRIES_MAX = 5
"""A fact that a reaction fails on so often, not for want of a dependency, is passed over and counted."""
REACHED_WAIT_S_MAX = 2.0
FIRST_AFTER_S = 300.0

log = structlog.get_logger("roost.reactions")


class Progress:
    """How far this node's own views follow the log. Implements ports.log.NodeProgress."""

    def __init__(self, events: EventLog, position: Position) -> None:
        self._log = events
        self.position = position
        self._waiting: list[tuple[Position, asyncio.Future[None]]] = []

    def advance(self, position: Position) -> None:
        """All up to here is applied."""
        self.position = position
        if not self._waiting:
            return
        still: list[tuple[Position, asyncio.Future[None]]] = []
        for waited, future in self._waiting:
            if not self._log.is_reached(waited, by=position):
                still.append((waited, future))
            elif not future.done():
                future.set_result(None)
        self._waiting = still

    async def reached(self, position: Position) -> bool:
        if self._log.is_reached(position, by=self.position):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((position, future))
        try:
            # Not wait_for: on Python 3.11 it loses a cancellation that meets the result.
            async with asyncio.timeout(REACHED_WAIT_S_MAX):
                await future
        except TimeoutError:
            self._waiting = [waiting for waiting in self._waiting if waiting[1] is not future]
            return False
        return True


def of_event(reaction: Callable[[Event], Awaitable[None]]) -> Callable[[Logged], Awaitable[None]]:
    """A reaction that looks at facts alone, not at where they stand."""
    return lambda logged: reaction(logged.event)


@dataclass(slots=True)
class Reactor:
    """Feeds one reaction from one subscription, batch by batch.

    `after` is waited for before each batch: reactions look at views that have applied what they are told.
    `linger_s` is waited for after a batch, so that a busy log is read in larger ones: waking costs more than a fact.
    `flush`, if given, is called with the position of the batch before it is confirmed, at most every `flush_every_s`.
    """

    name: str
    subscription: Subscription
    react: Callable[[Logged], Awaitable[None]]
    after: Progress | None = None
    flush: Callable[[Position], Awaitable[None]] | None = None
    flush_every_s: float = 0.0
    linger_s: float = 0.0
    on_batch: Callable[[Position], None] | None = None
    position: Position | None = None
    handled: int = 0
    skipped: int = 0
    paused: asyncio.Lock = field(default_factory=asyncio.Lock)
    _unflushed: Position | None = None

    async def run(self) -> None:
        """Until the log is closed."""
        if self.flush is None:
            while batch := await self.subscription.batch():
                async with self.paused:
                    await self._batch(batch)
                if self.linger_s:
                    await asyncio.sleep(self.linger_s)
        else:
            await self._run_flushing()

    async def _run_flushing(self) -> None:
        loop = asyncio.get_running_loop()
        reading = asyncio.ensure_future(self.subscription.batch())
        flush_at = loop.time() + self.flush_every_s
        try:
            while True:
                wait_s = max(flush_at - loop.time(), 0) if self._unflushed is not None else None
                await asyncio.wait([reading], timeout=wait_s)
                async with self.paused:
                    if reading.done():
                        batch = reading.result()
                        if not batch:
                            break
                        await self._batch(batch)
                        reading = asyncio.ensure_future(self.subscription.batch())
                    if self._unflushed is not None and loop.time() >= flush_at:
                        await self._flush()
                        flush_at = loop.time() + self.flush_every_s
                if self.linger_s:
                    await asyncio.sleep(self.linger_s)
            await self._flush()
        finally:
            reading.cancel()

    async def _batch(self, batch: Sequence[Logged]) -> None:
        if self.after is not None:
            await self.after.reached(batch[-1].position)
        for logged in batch:
            await self._one(logged)
        self.position = batch[-1].position
        self.handled += len(batch)
        if self.on_batch is not None:
            self.on_batch(self.position)
        if self.flush is None:
            await self.subscription.confirm(self.position)
        else:
            self._unflushed = self.position

    async def _flush(self) -> None:
        flush, position = self.flush, self._unflushed
        if flush is None or position is None:
            return
        await self._persist(lambda: flush(position), "flush")
        await self.subscription.confirm(position)
        self._unflushed = None

    async def _one(self, logged: Logged) -> None:
        # The common case first, without a closure: this runs once a fact and reaction.
        try:
            await self.react(logged)
        except Exception:  # noqa: BLE001 - _persist tells the kinds apart
            await self._persist(lambda: self.react(logged), type(logged.event).__name__)

    async def _persist(self, act: Callable[[], Awaitable[None]], what: str) -> None:
        """Try again while a dependency is down; pass over what fails for another reason, said aloud."""
        delay_s, tries = RETRY_DELAY_S_MIN, 0
        while True:
            try:
                return await act()
            except Unavailable as error:
                log.warning("reaction waits", reaction=self.name, fact=what, reason=str(error))
            except (RoostError, Exception):
                tries += 1
                log.exception("reaction failed", reaction=self.name, fact=what, tries=tries)
                if tries >= TRIES_MAX:
                    self.skipped += 1
                    return None
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_DELAY_S_MAX)


async def keep_house(seconds: float, act: Callable[[], Awaitable[object]], name: str) -> None:
    """Call `act` every so many seconds, for ever; what it raises is logged.

    The first time is after FIRST_AFTER_S at the latest: a server that is restarted daily is kept all the same.
    """
    wait_s = min(seconds, FIRST_AFTER_S)
    while True:
        await asyncio.sleep(wait_s)
        wait_s = seconds
        try:
            await act()
        except Exception:
            log.exception("housekeeping failed", work=name)
