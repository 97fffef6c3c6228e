"""MediaProcessor by a child process for each file, a few at a time.

commands/upload_content -> (here) -> child: the file's bytes are never decoded in this process
"""

import asyncio
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import roost
from roost.adapters.media.child_process.answer import ANSWER_BYTES_MAX, READY, decode
from roost.adapters.media.child_process.limits import ChildLimits
from roost.domain.content import MediaType
from roost.domain.errors import BrokenContent, DependencyDown, Draining, Overloaded
from roost.ports.media import Processed

CHILDREN_MAX = 2
WAITING_MAX = 16
WALL_GRACE_S = 2  # the child ends itself by its own alarm first

# -I: neither the environment nor the working folder, which is a stranger's, says where modules come
# from. The package's own place is added last, so that nothing there stands before the standard
# library.
_START = (
    "import sys; sys.path.append(sys.argv.pop(1));from roost.adapters.media.child_process.child import main; main()"
)
_PACKAGES = str(Path(roost.__file__).parents[1])
# All that a child finds in its environment: no secrets, and one arena, since each reserves address
# space.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


class ChildProcessor:
    """Each child has a thread that waits for it: starting one from the loop would stop the loop for
    as long as a fork of a large process takes.
    """

    def __init__(
        self,
        limits: ChildLimits | None = None,
        children_max: int = CHILDREN_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._limits = ChildLimits() if limits is None else limits
        self._threads = ThreadPoolExecutor(children_max, thread_name_prefix="media")
        self._turn = asyncio.Semaphore(children_max)
        self._admitted = 0
        self._admitted_max = children_max + waiting_max
        self._closed = False

    async def process(self, file: Path, media_type: MediaType, folder: Path) -> Processed:
        if self._closed:
            raise Draining("this node takes no more uploads")
        if self._admitted >= self._admitted_max:
            raise Overloaded("too many uploads wait to be decoded")
        self._admitted += 1
        try:
            async with self._turn:
                return await self._run(_Child(file, media_type, folder, self._limits))
        finally:
            self._admitted -= 1

    async def close(self) -> None:
        """Takes no more, and waits for the children under way: they end within the limits."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)

    async def _run(self, child: "_Child") -> Processed:
        waiting = asyncio.get_running_loop().run_in_executor(self._threads, child.run)
        try:
            async with asyncio.timeout(self._limits.wall_s_max + WALL_GRACE_S):
                # Shielded: a thread cannot be cancelled, but its child can be killed, and then it
                # ends.
                return await asyncio.shield(waiting)
        except TimeoutError:
            raise child.too_long() from None
        finally:
            if not waiting.done():
                child.kill()
                await asyncio.wait([waiting])
                waiting.exception()  # looked at, so that nobody is told of it: the child was killed


class _Child:
    """One run. `run` belongs to a thread; `kill` may come from another at any time, before it."""

    def __init__(self, file: Path, media_type: MediaType, folder: Path, limits: ChildLimits) -> None:
        self._file, self._media_type, self._folder = file, media_type, folder
        self._limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False

    def run(self) -> Processed:
        with self._lock:
            if self._killed:
                raise Draining("the upload was given up")
            self._process = process = self._start()
        with process:
            assert process.stdout is not None  # noqa: S101 - stdout is a pipe, for the type checker
            told = process.stdout.read(len(READY) + ANSWER_BYTES_MAX)
            process.kill()  # it has said all that it may: a child that goes on is broken
            return self._judge(told, process)

    def kill(self) -> None:
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def too_long(self) -> BrokenContent:
        return BrokenContent(f"decoding takes longer than {self._limits.wall_s_max} s")

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(  # noqa: S603 - this interpreter and our own arguments
                [
                    *(sys.executable, "-I", "-c", _START, _PACKAGES),
                    *(str(self._file.absolute()), self._media_type, str(self._folder.absolute())),
                    *self._limits.as_arguments(),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=_ENVIRONMENT,
                start_new_session=True,  # an interrupt from the terminal drains the server, alone
            )
        except OSError as error:
            raise DependencyDown("no process can be started to decode uploads") from error

    def _judge(self, told: bytes, process: "subprocess.Popen[bytes]") -> Processed:
        if not told.startswith(READY):
            raise DependencyDown("the program that decodes uploads does not start")
        answer = told.removeprefix(READY)
        if answer:
            return decode(answer, self._folder)
        match -process.wait():
            case signal.SIGXCPU:
                raise BrokenContent(f"decoding takes more than {self._limits.cpu_s_max} s of processor time")
            case signal.SIGALRM:
                raise self.too_long()
            case _:
                raise BrokenContent("the file broke the program that decodes it")
