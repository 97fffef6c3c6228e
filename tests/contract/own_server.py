"""Servers that tests start once a process, on free ports, and end with it."""

import atexit
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import pytest

from roost_cluster.launch import Launch, Process
from roost_cluster.registries import Missing

READY_S_MAX = 90.0
HOST = "127.0.0.1"

_Server = TypeVar("_Server")


class OncePerProcess(Generic[_Server]):
    """Started when a test first asks for it; where it cannot be had, each such test is skipped and says why."""

    def __init__(self, name: str, start: Callable[[Path], _Server]) -> None:
        self._name = name
        self._start = start
        self._started: _Server | None = None
        self._missing: str | None = None

    def __call__(self) -> _Server:
        if self._missing is None and self._started is None:
            folder = Path(tempfile.mkdtemp(prefix=f"roost-{self._name}-"))
            # The first to be registered is the last to be called: the folder goes after its servers.
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            try:
                self._started = self._start(folder)
            except Missing as error:
                self._missing = str(error)
        if self._started is None:
            pytest.skip(f"no {self._name}: {self._missing}")
        return self._started


def run_until_exit(launch: Launch) -> Process:
    process = Process.start(launch)
    # Its data goes with it, so that nothing is lost by ending it at once.
    atexit.register(process.kill)
    process.wait_ready(READY_S_MAX)
    return process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
