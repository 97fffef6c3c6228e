"""Serve one process of a cluster: open the servers, run its roles, listen where it is an edge, drain.

cli.serve -> serve_cluster -> open_cluster, cluster_node, build_edges -> uvicorn
"""

import asyncio
import os
import signal
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from socket import socket

import structlog
import uvloop

from roost.assembly.cluster.engines import open_cluster
from roost.assembly.cluster.file import ClusterFile
from roost.assembly.cluster.running import cluster_node
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.assembly.edges import build_edges
from roost.assembly.garbage import CHECK_EVERY_S, Garbage
from roost.assembly.listening import CannotServe, address_of, listen
from roost.assembly.node import Node
from roost.assembly.serving import Server, configure_logging, say_what_is_off, server_config
from roost.assembly.settings import Settings
from roost.domain.errors import Draining, Unavailable

CURRENT_S_MAX = 10.0
"""A start waits so long for the log's heartbeat; then it serves from the stores."""
LOOK_S = 0.05

log = structlog.get_logger("roost")


class Lost(Exception):
    """This process may not go on; the message says why."""


def serve_cluster(settings: Settings, file: ClusterFile, roles: Collection[str], say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. `say` gets the line that tells that it is ready. Raises CannotServe."""
    configure_logging(settings.log_level)
    os.umask(0o077)
    if settings.workers > 1:
        raise CannotServe("workers: processes of a cluster serve alone; start more of them instead")
    folder = DataFolder(settings.data)
    try:
        folder.make()
        with folder.served():
            listening = listen(settings) if "edge" in roles else None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(settings, file, folder, roles, listening, say))
    except (DataFolderUnusable, Unavailable, Lost) as error:
        raise CannotServe(str(error)) from error


async def _serve(
    settings: Settings,
    file: ClusterFile,
    folder: DataFolder,
    roles: Collection[str],
    listening: socket | None,
    say: Callable[[str], None],
) -> None:
    ending = _Ending()
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(open_cluster(settings, file, folder, ending.lose))
        node = await stack.enter_async_context(cluster_node(cluster, settings, roles))
        garbage = Garbage()
        garbage.install()
        node.keep(CHECK_EVERY_S, garbage.collect_all_if_doubled, "garbage")
        if listening is None:
            ending.listen()
            say(f"roost ready as {', '.join(roles)}")
            await ending.due.wait()
        else:
            await _until_current(cluster.is_current)
            await _serve_edge(settings, node, listening, ending, roles, say)
    if ending.reason:
        raise Lost(ending.reason)


async def _serve_edge(
    settings: Settings,
    node: Node,
    listening: socket,
    ending: "_Ending",
    roles: Collection[str],
    say: Callable[[str], None],
) -> None:
    stopping, position = asyncio.Event(), node.progress.position

    async def ready() -> None:
        if stopping.is_set():
            raise Draining("this node is stopping")

    edges = build_edges(node, position, ready)
    node.listen(edges.room, position, "push_live")

    def started() -> None:
        say_what_is_off(settings)
        say(f"roost ready on http://{address_of(listening)} as {', '.join(roles)}")

    server = Server(server_config(settings, edges), stopping, edges, started)

    def end() -> None:
        server.should_exit = True

    ending.on_lost = end
    await server.serve(sockets=[listening])


async def _until_current(is_current: Callable[[], bool]) -> None:
    """Caches are believed once the log's heartbeat came: before, each answer would ask the stores."""
    try:
        async with asyncio.timeout(CURRENT_S_MAX):
            while not is_current():  # noqa: ASYNC110 - nothing rings
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        log.warning("no heartbeat on the log: is a process of the role outbox running?")


class _Ending:
    """When a process without sockets ends, and why."""

    def __init__(self) -> None:
        self.due = asyncio.Event()
        self.reason = ""
        self.on_lost: Callable[[], None] = self.due.set

    def listen(self) -> None:
        """End at SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.due.set)

    def lose(self, reason: str) -> None:
        log.error("this process has to begin anew", reason=reason)
        self.reason = reason
        self.on_lost()
