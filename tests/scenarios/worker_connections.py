"""Connections to each of several workers behind one address: which one a connection reached is asked over itself."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TRIES_MAX = 500
REPLACED_S_MAX, LOOK_EVERY_S = 60.0, 0.05
_WORKER = re.compile(r'roost_worker\{number="(\d+)",pid="(\d+)"\} (\d)')
_LOST = (http.client.HTTPException, ConnectionError)


@dataclass(frozen=True)
class Answered:
    status: int
    body: Any


@dataclass(frozen=True)
class Identity:
    """What a worker says of itself."""

    number: int
    pid: int
    leads: bool


class Connection:
    """One connection, which the kernel gave to some worker: it stays there until it is closed."""

    def __init__(self, url: str) -> None:
        self._http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        self._http.connect()
        self._http.auto_open = 0  # a new connection might reach another worker

    def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Answered:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._http.getresponse()
        raw = answer.read()
        return Answered(answer.status, json.loads(raw) if raw[:1] in {b"{", b"["} else raw.decode())

    def figure(self, name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", self.ask("GET", "/metrics").body, re.MULTILINE)
        assert found, name
        return float(found[1])

    def identity(self) -> Identity:
        found = _WORKER.search(self.ask("GET", "/metrics").body)
        assert found
        return Identity(int(found[1]), int(found[2]), found[3] == "1")

    def close(self) -> None:
        self._http.close()


class Worker:
    """A way to the worker of this number: where its connection has ended, another to the same is found."""

    def __init__(self, url: str, number: int) -> None:
        self.url = url
        self.number = number
        self._connection: Connection | None = None

    def ask(self, method: str, path: str, token: str = "", body: Any = None) -> Answered:
        while True:
            try:
                return self.connection.ask(method, path, token, body)
            except _LOST:
                self.close()

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self._find()
        return self._connection

    def get(self, path: str, token: str = "") -> Any:
        answered = self.ask("GET", path, token)
        assert answered.status == 200, answered
        return answered.body

    def post(self, token: str, message: str, **more: Any) -> Any:
        answered = self.ask("POST", "/tweet", token, {"message": message, **more})
        assert answered.status == 201, answered
        return answered.body

    def identity(self) -> Identity:
        while True:
            try:
                return self.connection.identity()
            except _LOST:
                self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _find(self) -> Connection:
        ends_at = time.monotonic() + REPLACED_S_MAX
        while time.monotonic() < ends_at:
            with suppress(*_LOST):
                for _ in range(TRIES_MAX):
                    connection = Connection(self.url)
                    if connection.identity().number == self.number:
                        return connection
                    connection.close()
            time.sleep(LOOK_EVERY_S)
        raise AssertionError(f"worker {self.number} is not to be reached")


@contextmanager
def each_worker(url: str, count: int) -> Iterator[list[Worker]]:
    workers = [Worker(url, number) for number in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()
