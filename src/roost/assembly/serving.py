"""Serve one embedded roost: open the folder, run the node, listen, drain.

cli.serve -> serve -> run_node -> open_embedded, running_node, build_edges -> uvicorn
With several workers: cli.serve -> serve -> worker -> workers -> (a process each) run_node
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from importlib.metadata import version

import structlog
import uvicorn
import uvloop

from roost.assembly.accounts import erase_user
from roost.assembly.contents import start_content_work
from roost.assembly.control import Control, control_socket
from roost.assembly.data_folder import DataFolder, DataFolderUnusable
from roost.assembly.edges import Edges, build_edges
from roost.assembly.embedded import open_embedded
from roost.assembly.garbage import CHECK_EVERY_S, Garbage
from roost.assembly.listening import CannotServe, address_of, listen
from roost.assembly.node import lead, running_node
from roost.assembly.seat import Seat, led
from roost.assembly.settings import Settings
from roost.assembly.worker import serve_together
from roost.domain.errors import DependencyDown, Draining
from roost.edge.live.protocol import live_protocol
from roost.edge.native.hot_http import hot_http

BACKLOG = 2_048
DRAIN_S_MAX = 6
"""uvicorn lets requests under way finish for so long; SIGTERM to exit takes at most 10 s in all."""

log = structlog.get_logger("roost")


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `say` gets the line that tells that it is ready. Raises CannotServe."""
    configure_logging(settings.log_level)
    os.umask(0o077)  # whatever is made in the folder is this user's alone, whoever made the folder
    folder = DataFolder(settings.data)
    try:
        folder.make()
        with folder.served():
            listening = listen(settings)
            ready = _announcement(settings, listening, say)
            if settings.workers > 1:
                serve_together(settings, folder, listening, run_node, ready)
            else:
                run_node(settings, folder, listening, ready)
    except DataFolderUnusable as error:
        raise CannotServe(str(error)) from error
    except DependencyDown as error:
        raise CannotServe(f"the data folder {folder.root} cannot be served: {error}") from error


def run_node(
    settings: Settings,
    folder: DataFolder,
    listening: socket.socket,
    on_ready: Callable[[], None],
    seat: Seat | None = None,
    on_server: Callable[[uvicorn.Server], None] = lambda server: None,
) -> None:
    """One process that serves: alone, or on its seat among others. `on_server` is given what can be told to stop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, folder, listening, on_ready, seat, on_server))


async def _serve(
    settings: Settings,
    folder: DataFolder,
    listening: socket.socket,
    on_ready: Callable[[], None],
    seat: Seat | None,
    on_server: Callable[[uvicorn.Server], None],
) -> None:
    stopping = asyncio.Event()
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(open_embedded(settings, folder, seat))
        node = await stack.enter_async_context(running_node(engines, settings, leads=False))
        position = node.progress.position

        async def ready() -> None:
            if stopping.is_set():
                raise Draining("this node is stopping")

        edges = build_edges(node, position, ready, seat)
        node.listen(edges.room, position, "push_live")

        async def take_the_lead() -> None:
            await lead(node)
            node.react("erase", erase_user(node))
            await start_content_work(node)
            control = Control(node, edges, version("roost"), f"http://{address_of(listening)}")
            await stack.enter_async_context(control_socket(folder, control))

        garbage = Garbage()
        garbage.install()
        node.keep(CHECK_EVERY_S, garbage.collect_all_if_doubled, "garbage")
        # uvicorn listens to SIGTERM and SIGINT itself.
        server = Server(server_config(settings, edges), stopping, edges, on_ready)
        on_server(server)

        def failed() -> None:
            server.should_exit = True

        async with led(seat, take_the_lead, failed):
            await server.serve(sockets=[listening])


def _announcement(settings: Settings, listening: socket.socket, say: Callable[[str], None]) -> Callable[[], None]:
    def ready() -> None:
        say_what_is_off(settings)
        say(f"roost ready on http://{address_of(listening)}")

    return ready


class Server(uvicorn.Server):
    """uvicorn, with the drain in this house's order: not ready, sockets sent away, then requests finished."""

    def __init__(
        self, config: uvicorn.Config, stopping: asyncio.Event, edges: Edges, on_started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self.stopping = stopping
        self.edges = edges
        self.on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own raises the signal once more at the end: the process would die before its folder is closed."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.edges.late.start()
        self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.stopping.set()
        self.edges.late.stop()
        await self.edges.hub.shutdown()
        await super().shutdown(sockets)


def server_config(settings: Settings, edges: Edges) -> uvicorn.Config:
    """How uvicorn serves the edges."""
    trusted = settings.trusted_proxies
    return uvicorn.Config(
        edges.app,
        http=hot_http(edges.hot, edges.late),
        ws=live_protocol(edges.hub, edges.entrance),
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_S_MAX,
        h11_max_incomplete_event_size=None,
    )


def say_what_is_off(settings: Settings) -> None:
    """What is for tests and loads only must not go unnoticed."""
    if not settings.rate_limits:
        log.warning("RATE LIMITS ARE OFF, sockets an address included: for tests and loads only")
    if settings.password_cost == "low":  # noqa: S105 - a cost, not a password
        log.warning("PASSWORD HASHING IS CHEAP: for tests and loads only")


def configure_logging(level: str) -> None:
    """Lines on standard error, structlog's and the libraries' alike. Nothing that is secret is ever logged."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(getattr(logging, level.upper()), logging.WARNING), force=True)
