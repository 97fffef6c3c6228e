"""The floor: the least that a server of home timelines can do on this stack, to measure roost against.

    python benchmarks/floor/server.py PAGES [--workers N]

uvicorn, uvloop, httptools, raw ASGI: the token is looked up in a dict, the fragments of the page's tweets lie ready
and are joined, and the same headers are sent. Nothing is checked, merged, counted or kept fresh.
"""

import argparse
import ctypes
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

BACKLOG = 2_048
PR_SET_PDEATHSIG = 1
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Home(msgspec.Struct):
    """One user's: the path at which it is asked for, and its tweets as indexes of fragments."""

    path: str
    tweets: list[int]


class Pages(msgspec.Struct):
    """What is served; benchmarks/reading.py takes it from a running roost."""

    headers: list[tuple[bytes, bytes]]
    fragments: list[bytes]
    homes: dict[str, Home]
    cursors: list[bytes]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("pages", type=Path)
    arguments.add_argument("--workers", type=int, default=1)
    given = arguments.parse_args()
    app = make_app(msgspec.msgpack.decode(given.pages.read_bytes(), type=Pages))
    first = _listen(0)
    port = first.getsockname()[1]
    listening = [first, *[_listen(port) for _ in range(given.workers - 1)]]
    for one in listening[1:]:
        if not os.fork():
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # uvicorn ends its process by the signal it got
            _serve(app, one)
            return
    print(f"floor ready on http://127.0.0.1:{port}", flush=True)
    _serve(app, first)


def make_app(pages: Pages) -> Callable[[dict[str, Any], object, Send], Awaitable[None]]:
    fragments, cursors = pages.fragments, pages.cursors
    homes = {
        token.encode(): (
            home.path,
            [fragments[index] for index in home.tweets],
            [cursors[index] for index in home.tweets],
        )
        for token, home in pages.homes.items()
    }
    limits = {b"timeline=home&limit=%d" % limit: limit for limit in range(1, 101)}
    fixed = pages.headers

    async def app(scope: dict[str, Any], receive: object, send: Send) -> None:
        token = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                token = value
        path, tweets, ids = homes[token]
        if path != scope["path"]:
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        limit = limits[scope["query_string"]]
        body = b'{"tweets":[%b],"before":"%b","after":"%b"}' % (b",".join(tweets[:limit]), ids[limit - 1], ids[0])
        headers = [*fixed, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.bind(("127.0.0.1", port))
    return listening


def _serve(app: Any, listening: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
