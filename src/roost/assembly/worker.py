"""One of several processes that serve a folder: `python -m roost.assembly.worker`, started by its parent alone.

workers (the parent) -> (orders on standard input) -> main -> serving.serve_node -> (a line on standard output)

Standard input stays open for as long as the parent lives: its end is the word to stop.
"""

import asyncio
import os
import sys
from pathlib import Path
from socket import socket

import msgspec
import structlog
import uvicorn

from roost.assembly.bell import Bell
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.assembly.freshness import Board
from roost.assembly.seat import Lease, Seat
from roost.assembly.serving import configure_logging, run_node, serve_node
from roost.assembly.settings import BadSetting, Settings
from roost.assembly.workers import FAILED, READY, Orders
from roost.domain.errors import DependencyDown

_PARENT = 0


def main() -> None:
    """Serve until SIGTERM, or until the parent is gone. What hinders it is said in one line."""
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    for descriptor in (orders.listening, orders.lock, orders.board, *orders.counters):
        os.set_inheritable(descriptor, False)
    settings = Settings(**{**orders.settings, "data": Path(orders.settings["data"])})
    configure_logging(settings.log_level)
    structlog.contextvars.bind_contextvars(worker=orders.number)
    try:
        run_node(_serve(settings, orders))
    except (BadSetting, DataFolderUnusable, DependencyDown) as error:
        _say(f"{FAILED} {error}")
        sys.exit(1)


async def _serve(settings: Settings, orders: Orders) -> None:
    folder = DataFolder(settings.data)
    seat = Seat(
        orders.number,
        Bell(orders.counters, orders.number),
        Board(orders.board, len(orders.counters), orders.number),
        Lease(folder.lease),
    )
    with socket(fileno=orders.listening) as listening:
        await serve_node(settings, folder, listening, lambda: _say(READY), seat, _end_with_parent)


def _end_with_parent(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        if not os.read(_PARENT, 1):
            loop.remove_reader(_PARENT)
            server.should_exit = True

    loop.add_reader(_PARENT, orphaned)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
