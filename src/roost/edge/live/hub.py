"""All sockets of this process, and the clock that flushes them and notices their silence."""

import asyncio
import logging
from typing import Protocol

from roost.edge.live.limits import Limits

log = logging.getLogger("roost.live")


class Debtor(Protocol):
    """What owes frames and is flushed by the clock."""

    slice: int

    def flush_due(self) -> None: ...
    def abort(self) -> None: ...


class Member(Protocol):
    """What the hub knows of an open socket."""

    @property
    def slice(self) -> int: ...
    def sweep(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


class Counts:
    """What the metrics read; each only ever grows."""

    __slots__ = ("dropped", "gaps", "opened", "refused")

    def __init__(self) -> None:
        self.opened = 0
        self.refused = 0
        self.gaps = 0
        self.dropped = 0  # pushed frames that a slow reader never got


class Hub:
    """One clock for all sockets, each tick in slices: a slice's sockets are flushed together.

    The clock stands still while nobody owes anything. Must be used on one event loop.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.counts = Counts()
        self.draining = False
        self._members: list[set[Member]] = [set() for _ in range(self.limits.slices)]
        self._due: list[list[Debtor]] = [[] for _ in range(self.limits.slices)]
        self._addresses: dict[str, int] = {}
        self._connections = 0
        self._turn = 0
        self._empty_turns = 0
        self._swept = 0
        self._clock: asyncio.TimerHandle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied: asyncio.Event | None = None

    @property
    def sockets(self) -> int:
        """Open now."""
        return sum(map(len, self._members))

    @property
    def is_ticking(self) -> bool:
        """False: nobody is owed anything."""
        return self._clock is not None

    def sockets_of(self, address: str) -> int:
        """Open or in their handshake."""
        return self._addresses.get(address, 0)

    @property
    def is_full(self) -> bool:
        """Handshakes count: they hold memory too."""
        return self._connections >= self.limits.sockets_max

    def entered(self, address: str) -> int:
        """Count a connection of this address; the answer includes it."""
        count = self.sockets_of(address) + 1
        self._addresses[address] = count
        self._connections += 1
        return count

    def went(self, address: str) -> None:
        self._connections -= 1
        count = self._addresses[address] - 1
        if count:
            self._addresses[address] = count
        else:
            del self._addresses[address]  # else every address ever seen would stay

    def emptiest_slice(self) -> int:
        return min(range(len(self._members)), key=lambda i: len(self._members[i]))

    def joined(self, member: Member) -> None:
        self._members[member.slice].add(member)
        self.counts.opened += 1
        if self._sweeper is None:
            self._schedule_sweep()

    def left(self, member: Member) -> None:
        self._members[member.slice].discard(member)
        if self._emptied is not None and not self.sockets:
            self._emptied.set()

    def owes(self, debtor: Debtor) -> None:
        """Flush it with its slice. Called once between two flushes."""
        self._due[debtor.slice].append(debtor)
        self._empty_turns = 0  # also while the clock runs: else it might stop before it comes to this slice
        if self._clock is None:
            self._schedule_tick()

    def drain(self) -> None:
        """Take in nobody more and send everybody away: 1001, behind what is owed."""
        self.draining = True
        for members in self._members:
            for member in tuple(members):
                member.drain()

    async def shutdown(self) -> None:
        """Drain, and wait until the last socket is gone; whoever hangs on is cut off."""
        self._emptied = asyncio.Event()
        self.drain()
        if self.sockets:
            try:
                async with asyncio.timeout(self.limits.drain_s + self.limits.close_wait_s):
                    await self._emptied.wait()
            except TimeoutError:
                for members in self._members:
                    for member in tuple(members):
                        member.abort()
        self._stop()

    def _schedule_tick(self) -> None:
        delay_s = self.limits.tick_ms / 1000 / self.limits.slices
        self._clock = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._turn = (self._turn + 1) % len(self._due)
        due = self._due[self._turn]
        self._empty_turns = 0 if due else self._empty_turns + 1
        if self._empty_turns > len(self._due):
            self._clock = None
            return
        self._schedule_tick()  # first, so that nothing can stop the clock
        if not due:
            return
        self._due[self._turn] = []
        for debtor in due:
            try:
                debtor.flush_due()
            except Exception:  # one broken socket must not keep the others waiting
                log.exception("a socket could not be flushed")
                debtor.abort()

    def _schedule_sweep(self) -> None:
        delay_s = self.limits.sweep_s / self.limits.slices
        self._sweeper = asyncio.get_running_loop().call_later(delay_s, self._sweep)

    def _sweep(self) -> None:
        if not self.sockets:
            self._sweeper = None
            return
        self._schedule_sweep()
        self._swept = (self._swept + 1) % len(self._members)
        for member in tuple(self._members[self._swept]):
            member.sweep()

    def _stop(self) -> None:
        for timer in (self._clock, self._sweeper):
            if timer is not None:
                timer.cancel()
        self._clock = self._sweeper = None
