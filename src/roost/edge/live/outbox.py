"""What a socket owes its client: coalesced, in order, bounded, and honest about what it had to drop."""

import asyncio
from collections.abc import Callable

from roost.edge.live.frames import Frame
from roost.edge.live.hub import Hub


class _Answer(bytes):
    """A frame that may not be dropped, told from pushed ones while both are owed."""

    __slots__ = ()


class Outbox:
    """Pushed frames wait for the hub's tick; answers go at once and take along what is owed.

    While the client does not read (`paused`) both are owed. Beyond the bounds the pushed ones are
    dropped, and one gap is owed in their place until the client reads again.
    """

    __slots__ = (
        "_answers",
        "_due",
        "_gap",
        "_gapped",
        "_hub",
        "_owed",
        "_pong",
        "_transport",
        "_unwanted",
        "_waiters",
        "owed_bytes",
        "paused",
        "shut",
        "slice",
    )

    def __init__(self, transport: asyncio.Transport, hub: Hub, gap: Callable[[], Frame]) -> None:
        self._transport = transport
        self._hub = hub
        self._gap = gap
        self.slice = hub.emptiest_slice()
        self._owed: list[bytes] = []
        self.owed_bytes = 0
        self._answers = 0
        self._pong: Frame | None = None
        self._due = False  # the hub has it on its list
        self._gapped = False  # pushes were dropped
        self._unwanted = False  # gapped or shut: what is pushed goes nowhere
        self._waiters: list[asyncio.Future[None]] | None = None
        self.paused = False
        self.shut = False

    def push(self, frame: Frame) -> None:
        if self._unwanted:
            return
        owed = self._owed
        owed.append(frame)
        self.owed_bytes += len(frame)
        if not self._due:
            self._due = True
            self._hub.owes(self)
        limits = self._hub.limits
        if len(owed) >= limits.owed_frames_max or self.owed_bytes >= limits.owed_bytes_max:
            if self.paused:
                self._drop_pushed()
            else:
                self._flush()

    def answer(self, frame: Frame) -> bool:
        """False: the client does not read and owes us more patience than it has; nothing was added."""
        if self.shut:
            return True
        if self.paused:
            return self._owe_answer(frame)
        if self._owed:
            self._owed.append(frame)
            self._flush()
        else:
            self.write(frame)
        return True

    def pong(self, frame: Frame) -> None:
        if self.paused:
            self._pong = frame  # only the newest ping needs an answer (RFC 6455, 5.5.3)
        else:
            self.write(frame)

    def skip(self) -> None:
        if self._unwanted:
            return
        if self.paused:
            self._drop_pushed()
        else:
            self._hub.counts.gaps += 1
            self._owed.append(self._gap())
            self._flush()

    async def drained(self) -> bool:
        while self.paused and not self.shut:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters = [*(self._waiters or ()), waiter]
            await waiter
        return not self.shut

    def flush_due(self) -> None:
        self._due = False
        if not self.paused:
            self._flush()

    def resume(self) -> None:
        """The client reads again: pay what is owed."""
        self.paused = False
        if self.shut:
            return
        if self._gapped:
            self._gapped = self._unwanted = False
            self._owed.append(self._gap())
        if self._pong is not None:
            self._owed.append(self._pong)
            self._pong = None
        self._flush()
        if not self.paused:
            self._wake()

    def part(self, last: Frame) -> None:
        """Write the last frame behind all that is owed."""
        self._owed.append(last)
        self._flush()
        self.shut_up()

    def shut_up(self) -> None:
        """Nothing leaves any more."""
        self.shut = self._unwanted = True
        self._owed, self.owed_bytes, self._answers, self._pong = [], 0, 0, None
        self._wake()

    def abort(self) -> None:
        self._transport.abort()

    def write(self, data: bytes) -> None:
        if not self._transport.is_closing():  # uvloop raises otherwise
            self._transport.write(data)

    def _flush(self) -> None:
        owed = self._owed
        if owed:
            self._owed, self.owed_bytes, self._answers = [], 0, 0
            self.write(owed[0] if len(owed) == 1 else b"".join(owed))

    def _owe_answer(self, frame: Frame) -> bool:
        limits = self._hub.limits
        if self.owed_bytes + len(frame) > limits.owed_bytes_max and not self._gapped:
            self._drop_pushed()
        if self._answers >= limits.answers_owed_max or self.owed_bytes + len(frame) > limits.owed_bytes_max:
            return False
        self._owed.append(_Answer(frame))
        self.owed_bytes += len(frame)
        self._answers += 1
        return True

    def _drop_pushed(self) -> None:
        kept: list[bytes] = [frame for frame in self._owed if isinstance(frame, _Answer)]
        self._hub.counts.gaps += 1
        self._hub.counts.dropped += len(self._owed) - len(kept)
        self._owed, self.owed_bytes = kept, sum(map(len, kept))
        self._gapped = self._unwanted = True

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
