"""A socket's transport as picows sees it: no write after the end, no close that loses the last frame."""

import asyncio
from typing import Any

ALWAYS_BUFFERED = 1  # bytes that picows is told to be waiting: else it sends around the transport
_SILENCE_SHARE = 0.25  # of the time to close: a client that says nothing for that long has finished


class Wire:
    """Ends a connection so that its last frame arrives and so that nobody can hold it open.

    A close while bytes from the client lie unread makes the kernel send a reset, and the client may then
    never see why it was closed. So the end is: say it, stop writing, read and forget, until the client
    has closed too or fallen silent, or `close_wait_s` is over.
    """

    __slots__ = ("_close_wait_s", "_deadline", "_loop", "deaf", "ended", "noisy", "raw", "upgraded")

    def __init__(self, raw: asyncio.Transport, loop: asyncio.AbstractEventLoop, close_wait_s: float) -> None:
        self.raw = raw
        self._loop = loop
        self._close_wait_s = close_wait_s
        self._deadline: asyncio.TimerHandle | None = None
        self.upgraded = False  # the 101 is out: frames from here on
        self.ended = False  # nothing more may be written
        self.deaf = False  # nothing that still arrives matters
        self.noisy = True  # but something did since the last look

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.raw.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return ALWAYS_BUFFERED

    def write(self, data: bytes) -> None:
        """For picows, which writes twice at most: the 101, and the Close for a frame that it cannot parse."""
        if self.ended or self.raw.is_closing():
            return
        self.raw.write(data)
        if self.upgraded:
            self.linger()

    def close(self) -> None:
        """For picows, which wants to disconnect after a frame that it cannot parse."""
        self.linger()

    def abort(self) -> None:
        self.raw.abort()

    def await_close(self) -> None:
        """Our Close is written: go on reading until the client's comes."""
        self.ended = True
        self.raw.resume_reading()
        self._limit_wait()

    def linger(self) -> None:
        """The last bytes are written and nothing that the client says matters any more.

        No half-close: a client that is still sending may take it for a failure.
        """
        self.ended = self.deaf = True
        self.raw.resume_reading()
        if self._deadline is None:
            self._limit_wait()
            self._await_silence()

    def hang_up(self) -> None:
        """The answer to a request that is no handshake is written: nothing follows."""
        if not self.raw.is_closing():
            if self.raw.can_write_eof():
                self.raw.write_eof()
            else:
                self.raw.close()  # TLS has no half-close
        self.linger()

    def finish(self) -> None:
        """Both sides have ended: close as soon as the last bytes are out."""
        self.ended = self.deaf = True
        self.raw.close()
        self._limit_wait()

    def lost(self) -> None:
        self.ended = self.deaf = True
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _await_silence(self) -> None:
        if not self.noisy:
            self.raw.close()
        elif not self.raw.is_closing():
            self.noisy = False
            self._loop.call_later(self._close_wait_s * _SILENCE_SHARE, self._await_silence)

    def _limit_wait(self) -> None:
        # A closing transport waits for its reader for ever: somebody who does not read must not stay.
        if self._deadline is None:
            self._deadline = self._loop.call_later(self._close_wait_s, self.raw.abort)
