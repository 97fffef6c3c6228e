"""What the transport asks of those who speak over it: a door that lets in, a session that talks.

upgrade -> handshake -> Door.admit -> Session.opened -> Session.received … Session.closed
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from roost.edge.live.frames import Frame


@dataclass(frozen=True, slots=True)
class Request:
    """An upgrade request. Header names are lower case; a repeated header is joined by commas."""

    path: str
    query: Mapping[str, str]  # the first value of each name
    headers: Mapping[str, str]
    address: str  # the client's, also behind a trusted proxy
    sockets_of_address: int  # open or in their handshake, this one included


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer instead of a socket: a status of 400 or above and a finished problem+json body."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class LiveSocket(Protocol):
    """What a session may do with its socket. All of it is harmless once the socket is closed."""

    @property
    def writable(self) -> bool:
        """False while the client reads too slowly, and for good once the socket is closed."""
        ...

    def send(self, data: bytes) -> None:
        """Send one finished JSON text at once, behind all that is owed. Never dropped: acks, errors, pongs.

        A long series of them (a resume) must await `drained()` between its parts.
        """
        ...

    def push(self, frame: Frame) -> None:
        """Owe a frame made by `text_frame`, shared with other sockets; it leaves with the next tick.

        A client that reads too slowly loses its pushed frames and gets one `Session.gap()` instead.
        """
        ...

    def skip(self) -> None:
        """Something was left out: send one gap (instead of what is still owed, if the client does not read)."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Flush what is owed, then close. The reason is cut to 123 bytes."""
        ...

    async def drained(self) -> bool:
        """Wait until the client reads again. False: the socket is closed, stop."""
        ...


class Session(Protocol):
    """One user on one socket. Every method is called on the event loop and must not block."""

    def opened(self, socket: LiveSocket) -> None:
        """The handshake is done: say hello. Called once."""
        ...

    def received(self, text: str) -> "asyncio.Future[None] | None":
        """One whole text message. Answer at once and return None, or return the task that will answer.

        The transport counts returned tasks and reads no further while too many are unfinished; it neither
        awaits nor cancels them. An exception closes the socket with 1011. Messages of one socket may so
        be answered side by side: a session that wants them in turn chains its tasks.
        """
        ...

    def gap(self) -> Frame:
        """The frame that says something was skipped, with the cursor as it is now."""
        ...

    def closed(self) -> None:
        """The socket is gone. Called once for each `opened`, whatever happened."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """The client may come in. The factory is called at most once, when the 101 is about to be sent."""

    session: Callable[[], Session]


class Door(Protocol):
    async def admit(self, request: Request) -> Admitted | Refusal:
        """Decide about one client. A RoostError is answered as REST answers it. Cancelled when the client is lost."""
        ...
