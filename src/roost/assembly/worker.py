"""Serve one folder by several processes: what the parent makes before it forks, and what each worker does then.

serving.serve -> serve_together -> workers (the parent) -> (fork) _work -> serving.run_node
"""

import asyncio
import gc
import os
import shutil
from collections.abc import Callable
from functools import partial
from socket import socket
from typing import Protocol

import uvicorn

from roost.adapters.clock.system import SystemClock
from roost.adapters.index.sqlite.file import SearchFile
from roost.assembly.bell import Bell, make_counters
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.assembly.embedded import open_file
from roost.assembly.freshness import Board, make_board
from roost.assembly.listening import let_others_in, listen_beside
from roost.assembly.seat import Lease, Seat
from roost.assembly.settings import BadSetting, Settings
from roost.assembly.workers import FAILED, READY, Nest, serve_by_workers
from roost.domain.errors import DependencyDown


class RunNode(Protocol):
    """serving.run_node: it starts this module."""

    def __call__(
        self,
        settings: Settings,
        folder: DataFolder,
        listening: socket,
        on_ready: Callable[[], None],
        seat: Seat,
        on_server: Callable[[uvicorn.Server], None],
    ) -> None: ...


def serve_together(
    settings: Settings, folder: DataFolder, address: socket, run_node: RunNode, on_ready: Callable[[], None]
) -> None:
    """Until SIGTERM or SIGINT. Raises CannotServe, DataFolderUnusable, DependencyDown."""
    asyncio.run(_prepare(settings, folder))
    let_others_in(address)
    life, parent_life = os.pipe()
    nest = Nest(folder, address, make_board(settings.workers), make_counters(settings.workers), life, parent_life)
    # What is loaded by now stays: no collection looks at it, so that its memory stays shared.
    gc.collect()
    gc.freeze()
    serve_by_workers(nest, settings.workers, partial(_work, settings, run_node), on_ready)


async def _prepare(settings: Settings, folder: DataFolder) -> None:
    """Make and check the files while nobody else has them open: what cannot be served is said here, once."""
    folder.signing_key()
    async with open_file(folder, SystemClock(), settings.synchronous):
        pass
    await SearchFile(folder.search).close()
    for left in folder.uploads.iterdir():
        shutil.rmtree(left, ignore_errors=True)


def _work(settings: Settings, run_node: RunNode, nest: Nest, number: int, say: Callable[[bytes], None]) -> None:
    bell = Bell(nest.counters, number)
    seat = Seat(number, bell, Board(nest.board, settings.workers, number), Lease(nest.folder.lease))
    try:
        with listen_beside(nest.address) as listening:
            end_with_parent = partial(_end_with_parent, nest.life)
            run_node(settings, nest.folder, listening, lambda: say(READY), seat, end_with_parent)
    except (BadSetting, DataFolderUnusable, DependencyDown) as error:
        say(FAILED + str(error).encode())


def _end_with_parent(life: int, server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        loop.remove_reader(life)
        server.should_exit = True

    loop.add_reader(life, orphaned)
