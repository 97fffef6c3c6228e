"""A network of its own: namespaces on one bridge, and programs that run in them. Needs root and iproute2."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PREFIX = 24


class Network:
    """`names` are its namespaces, each with an address of 10.77.0.0/24 on its interface eth0."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._switch = f"{tag}sw"
        self._names: list[str] = []
        self._running: list[subprocess.Popen[bytes]] = []

    def open(self, addresses: Mapping[str, str]) -> None:
        _ip("netns", "add", self._switch)
        self._names.append(self._switch)
        _ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", self._switch, "link", "set", "bridge", "up")
        for number, (name, address) in enumerate(addresses.items()):
            namespace = self._tag + name
            _ip("netns", "add", namespace)
            self._names.append(namespace)
            end = f"{self._tag}{number}"
            _ip("-n", self._switch, "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", namespace)
            _ip("-n", self._switch, "link", "set", end, "master", "bridge", "up")
            _ip("-n", namespace, "link", "set", "lo", "up")
            _ip("-n", namespace, "link", "set", "eth0", "up")
            _ip("-n", namespace, "addr", "add", f"{address}/{PREFIX}", "dev", "eth0")

    def run(
        self, name: str, argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """A program in a namespace, in a session of its own; it is ended with the network."""
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - the test's own programs
                ["/usr/sbin/ip", "netns", "exec", self._tag + name, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},  # noqa: TID251 - its own, and these
            )
        self._running.append(process)
        return process

    def holds(self, name: str, address: str) -> bool:
        """Whether that namespace has the address now."""
        told = subprocess.run(  # noqa: S603
            ["/usr/sbin/ip", "-n", self._tag + name, "-o", "addr"], capture_output=True, text=True, check=True
        )
        return f" {address}/" in told.stdout

    def close(self) -> None:
        for process in self._running:
            end_all(process)
        for name in reversed(self._names):
            _ip("netns", "del", name)


def end_all(process: "subprocess.Popen[bytes]") -> None:
    """The program and what it started, at once: they are a session of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def network(addresses: Mapping[str, str]) -> Iterator[Network]:
    """Skipped where it may not be made."""
    if os.geteuid() != 0 or shutil.which("ip", path="/usr/sbin:/sbin") is None:
        pytest.skip("network namespaces need root and iproute2")
    made = Network(f"r{os.getpid() % 10_000}")
    try:
        made.open(addresses)
        yield made
    finally:
        made.close()


def _ip(*words: str) -> None:
    subprocess.run(["/usr/sbin/ip", *words], check=True, capture_output=True)  # noqa: S603
