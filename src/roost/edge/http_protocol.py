"""uvicorn's HTTP protocol, but for two things: no byte behind an upgrade request is lost, and nobody reads for ever."""

import asyncio
import logging
import sys
from typing import ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALLED_S = 60.0
"""A client that takes what waits for it (64 kB and more, down to 16) no sooner is cut off: its request would else keep
its place in flight, and its connection the bytes, for as long as it likes. It is 0.8 kB/s and more."""

log = logging.getLogger("roost.http")


class HttpProtocol(HttpToolsProtocol):
    """To be given to uvicorn as `http=`, or as the base of what is.

    uvicorn hands over the upgrade request alone; a client may send its first frames right behind it.
    """

    stalled_s: ClassVar[float] = STALLED_S
    packet: bytes = b""
    _stalling: "asyncio.TimerHandle | None" = None

    def data_received(self, data: bytes) -> None:
        self.packet = data
        super().data_received(data)
        self.packet = b""

    def handle_websocket_upgrade(self) -> None:
        upgrade = sys.exc_info()[1]  # uvicorn calls this where it caught the parser's exception
        transport, packet = self.transport, self.packet
        super().handle_websocket_upgrade()
        if isinstance(upgrade, httptools.HttpParserUpgrade):
            rest = packet[upgrade.args[0] :]
            if rest:
                transport.get_protocol().data_received(rest)  # type: ignore[attr-defined]  # ours

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._stalling is None:
            self._stalling = self.loop.call_later(self.stalled_s, self._cut_off)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._no_longer_stalled()

    def connection_lost(self, exc: Exception | None) -> None:
        self._no_longer_stalled()
        super().connection_lost(exc)

    def _no_longer_stalled(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def _cut_off(self) -> None:
        log.info("a client that read nothing for %g s is cut off", self.stalled_s)
        self.transport.abort()
