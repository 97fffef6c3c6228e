"""How commands on the same machine talk to a serving process: JSON lines over a Unix socket in its data folder.

cli.rebuild, cli.doctor -> ask -> (control.sock) -> Control -> Rebuilds, Node

One request a connection, answered by lines until it is closed. Whoever may open the socket is the user that serves.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import structlog

from roost.assembly.data_folder import DataFolder
from roost.assembly.edges import Edges
from roost.assembly.node import Node
from roost.assembly.rebuild import Rebuilds
from roost.domain.errors import RoostError

PATH_BYTES_MAX = 107
"""What a Unix socket's address holds on Linux."""
LINE_BYTES_MAX = 4_096
CONNECTIONS_MAX = 16
REQUEST_WAIT_S_MAX = 5.0
LINE_WAIT_S_MAX = 300.0
"""Longer than any step of a rebuild takes: a server that says nothing for so long hangs."""
PROGRESS_EVERY_S = 0.1
UNREAD_BYTES_MAX = 64 * 1024

log = structlog.get_logger("roost.control")


class CommandFailed(Exception):
    """The serving process does not answer, or refuses: one line that says why."""


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """`view` belongs to rebuild."""

    command: str
    view: str = ""


class ReactionStatus(msgspec.Struct, frozen=True):
    """`lag` counts facts that are not confirmed yet; None for reactions that begin anew with each start."""

    name: str
    lag: int | None
    handled: int
    skipped: int


class Bound(msgspec.Struct, frozen=True):
    name: str
    used: int
    most: int


class Status(msgspec.Struct, frozen=True, tag_field="kind", tag="status"):
    version: str
    pid: int
    url: str
    uptime_s: float
    reactions: list[ReactionStatus]
    bounds: list[Bound]


class Step(msgspec.Struct, frozen=True, tag_field="kind", tag="step"):
    """How far a rebuild has come."""

    view: str
    rows: int
    finished: bool


class Done(msgspec.Struct, frozen=True, tag_field="kind", tag="done"):
    """The last line of a request that changed something."""


class Failed(msgspec.Struct, frozen=True, tag_field="kind", tag="failed"):
    """The last line of a request that was refused or failed."""

    detail: str


Line = Status | Step | Done | Failed

_ENCODE = msgspec.json.Encoder().encode
_REQUEST = msgspec.json.Decoder(Request).decode
_LINE = msgspec.json.Decoder(Line).decode


@dataclass(slots=True)
class Control:
    """What the socket's requests do. `url` is where the process serves."""

    node: Node
    edges: Edges
    version: str
    url: str
    rebuilds: Rebuilds = field(init=False)
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.rebuilds = Rebuilds(self.node)
        self.began_s = self.node.engines.clock.monotonic_s()

    async def lines(self, request: Request) -> AsyncIterator[Line]:
        """The answer. Raises what the reactions raise."""
        if request.command == "status":
            yield await self.status()
        elif request.command == "rebuild":
            async for step in self.rebuilds(request.view):
                yield Step(step.view, step.rows, step.finished)
            yield Done()
        else:
            yield Failed("the command is none of status, rebuild")

    async def status(self) -> Status:
        node, lag = self.node, await self.node.lag()
        caches, settings, hub = node.views.caches, node.settings, self.edges.hub
        return Status(
            version=self.version,
            pid=os.getpid(),
            url=self.url,
            uptime_s=round(node.engines.clock.monotonic_s() - self.began_s, 1),
            reactions=[
                ReactionStatus(name, lag.get(name), reactor.handled, reactor.skipped)
                for name, reactor in node.reactors.items()
            ],
            bounds=[
                Bound("sockets", hub.sockets, settings.sockets_max),
                Bound("celebrities", len(node.views.celebrities.rows), settings.celebrity_count_max),
                Bound("warm home timelines", len(caches.near_homes), settings.timelines_cached_max),
                Bound("warm user timelines", len(caches.user_timelines), settings.timelines_cached_max),
                Bound("tweets in memory", len(caches.tweets), settings.tweets_cached_max),
                Bound("users in memory", len(caches.users), settings.users_cached_max),
            ],
        )


@asynccontextmanager
async def control_socket(folder: DataFolder, control: Control) -> AsyncIterator[None]:
    """Answer requests on the folder's socket, which nobody else serves. Where it cannot be made, roost serves
    without, and says so.
    """
    try:
        listening = _listen(folder.control)
    except OSError as error:
        log.warning("no control socket: commands cannot reach this process", reason=str(error))
        yield
        return
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_answer(control, reader, writer, full=len(tasks) >= CONNECTIONS_MAX))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_unix_server(connected, sock=listening, limit=LINE_BYTES_MAX)
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        folder.control.unlink(missing_ok=True)


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # what a killed process left: whoever is here holds the folder
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address(path) as address:
            os.fchmod(listening.fileno(), 0o600)  # Linux gives the file this mode from its first moment
            listening.bind(address)
            path.chmod(0o600)
    except OSError:
        listening.close()
        raise
    return listening


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """A name of the path that fits into a socket's address: for a long one by way of its folder's descriptor."""
    for name in (str(path), os.path.relpath(path)):
        if len(os.fsencode(name)) <= PATH_BYTES_MAX:
            yield name
            return
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


async def _answer(control: Control, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, full: bool) -> None:
    try:
        if full:
            _say(writer, Failed(f"{CONNECTIONS_MAX} commands are under way already"))
            return
        request = await _read_request(reader)
        if isinstance(request, Failed):
            _say(writer, request)
            return
        await _run(control, request, writer)
    except (ConnectionError, asyncio.CancelledError):
        pass  # who asked has gone, or this process is going
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _read_request(reader: asyncio.StreamReader) -> Request | Failed:
    try:
        async with asyncio.timeout(REQUEST_WAIT_S_MAX):
            line = await reader.readline()
        return _REQUEST(line)
    except TimeoutError:
        return Failed(f"no request within {REQUEST_WAIT_S_MAX:.0f} s")
    except ValueError:  # too long, or no request: msgspec's errors are ValueErrors
        return Failed(f"not a request: one line of JSON with a command, at most {LINE_BYTES_MAX} bytes")


async def _run(control: Control, request: Request, writer: asyncio.StreamWriter) -> None:
    """To its end, also when who asked goes away: half a rebuild helps nobody."""
    loop, said_at = asyncio.get_running_loop(), 0.0
    try:
        async for line in control.lines(request):
            if isinstance(line, Step) and not line.finished and loop.time() < said_at + PROGRESS_EVERY_S:
                continue
            said_at = loop.time()
            _say(writer, line)
    except RoostError as error:
        _say(writer, Failed(str(error)))
    except Exception:
        log.exception("a command failed", command=request.command)
        _say(writer, Failed("it failed: the server's log says why"))


def _say(writer: asyncio.StreamWriter, line: Line) -> None:
    """Not waited for: who does not read misses steps, and holds up nobody."""
    if writer.is_closing():
        return
    if not isinstance(line, Step) or writer.transport.get_write_buffer_size() < UNREAD_BYTES_MAX:
        writer.write(_ENCODE(line) + b"\n")


def ask(folder: DataFolder, request: Request) -> Iterator[Line]:
    """The answer of the process that serves the folder, line by line. Blocks. Raises CommandFailed."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talking:
            talking.settimeout(LINE_WAIT_S_MAX)
            with _address(folder.control) as address:
                talking.connect(address)
            talking.sendall(_ENCODE(request) + b"\n")
            with talking.makefile("rb") as lines:
                yield from _checked(lines)
    except (OSError, ValueError) as error:
        pid = folder.serving_pid()
        raise CommandFailed(f"the process {pid} that serves {folder.root} does not answer: {error}") from error


def _checked(lines: Iterator[bytes]) -> Iterator[Line]:
    line: Line | None = None
    for raw in lines:
        line = _LINE(raw)
        if isinstance(line, Failed):
            raise CommandFailed(line.detail)
        yield line
    if line is None or isinstance(line, Step):
        raise CommandFailed("the server stopped before it was done")
