"""Clients of uvicorn's HTTP protocol who ask for much and do not read it."""

import asyncio
import socket
from typing import Any

from api.protocol_server import serving
from api.waiting import eventually
from roost.edge.http_protocol import HttpProtocol

CHUNK = bytes(65_536)
CHUNKS = 512
"""32 MB: more than the buffers of both kernels take."""
REQUEST = b"GET / HTTP/1.1\r\nHost: roost\r\nConnection: close\r\n\r\n"


class Streaming:
    """Answers everything with many chunks, and notes which clients went away before the last."""

    def __init__(self) -> None:
        self.sent = 0
        self.gone = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        gone = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(CHUNKS):
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
            if gone.done():
                self.gone += 1
                return
            self.sent += 1
        gone.cancel()
        await send({"type": "http.response.body", "body": b""})


def impatient(stalled_s: float) -> type[HttpProtocol]:
    return type("Impatient", (HttpProtocol,), {"stalled_s": stalled_s})


async def test_who_does_not_read_is_cut_off_and_leaves_no_request_behind() -> None:
    app = Streaming()
    async with serving(app, impatient(stalled_s=0.2)) as port:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", port))
        await loop.sock_sendall(deaf, REQUEST)
        await eventually(lambda: app.gone == 1)
        assert app.sent < CHUNKS
        deaf.close()


async def test_who_reads_gets_all_of_it() -> None:
    app = Streaming()
    async with serving(app, impatient(stalled_s=60.0)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"\0") == CHUNKS * len(CHUNK)
    assert app.gone == 0
