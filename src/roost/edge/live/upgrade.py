"""uvicorn's HTTP protocol, except that it loses nothing that came in one packet with an upgrade request."""

import sys

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class UpgradingHttp(HttpToolsProtocol):
    """To be given to uvicorn as `http=`, or as the base of what is.

    uvicorn hands over the request alone; a client may send its first frames right behind it.
    """

    packet: bytes = b""

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
