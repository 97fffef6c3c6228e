"""The `roost` command as a child process, and people who talk with the server that it runs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOST = str(Path(sys.executable).parent / "roost")
READY_S_MAX, COMMAND_S_MAX, STOP_S_MAX = 90.0, 90.0, 30.0
WAIT_S_MAX, LOOK_EVERY_S = 30.0, 0.02
_READY = re.compile(rb"roost ready on (http://\S+)\n")
PASSWORD = "correct horse battery"
Json = Any


def environment(settings: dict[str, str] | None = None) -> dict[str, str]:
    """Nothing of the machine's own settings."""
    cheap = {"ROOST_RATE_LIMITS": "off", "ROOST_PASSWORD_COST": "low", "ROOST_SYNCHRONOUS": "normal"}
    return {"PATH": os.defpath, **cheap, **(settings or {})}


def roost(*words: str | Path, cwd: Path, settings: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    return subprocess.run(  # noqa: S603 - the product itself
        [ROOST, *map(str, words)],
        cwd=cwd,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line of a command that was refused."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("roost"), done.stderr
    return done.stderr


@dataclass
class Served:
    """A running server, and how to stop it."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to go; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_S_MAX)


@contextmanager
def serving(data: Path, *flags: str, cwd: Path, settings: dict[str, str] | None = None) -> Iterator[Served]:
    """Serve a folder; at the end it is stopped, killed if need be."""
    log = cwd / f"{data.name[-40:]}.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(  # noqa: S603 - the product itself
            [ROOST, "serve", "--port", "0", "--data", str(data), *flags],
            cwd=cwd,
            env=environment(settings),
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield Served(process, _ready(process, log), log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """What the server prints first says where it is."""
    assert process.stdout is not None
    line = process.stdout.readline()  # comes, or the process ends
    found = _READY.fullmatch(line)
    assert found, (line, log.read_text()[-2_000:])
    return found[1].decode()


@dataclass(frozen=True)
class Person:
    """A user, signed in."""

    http: httpx.Client
    id: str
    token: str
    name: str

    def post(self, message: str, **more: Json) -> Json:
        return checked(self.http.post("/tweet", json={"message": message, **more}), 201)

    def get(self, path: str, **query: Json) -> Json:
        return checked(self.http.get(path, params=query), 200)

    def act(self, path: str) -> None:
        assert self.http.post(path).status_code in {202, 204}, path

    @contextmanager
    def at(self, url: str) -> "Iterator[Person]":
        """The same one, with the same token, at another server."""
        with _client(url, self.token) as http:
            yield Person(http, self.id, self.token, self.name)


@contextmanager
def people(url: str, *names: str) -> Iterator[list[Person]]:
    """New users, signed in, until the context ends."""
    with ExitStack() as stack:
        made = []
        anyone = stack.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))
        for name in names:
            wanted = {"username": name, "password": PASSWORD, "email": f"{name}@example.org"}
            account = checked(anyone.post("/create/user", json=wanted), 201)
            http = stack.enter_context(_client(url, account["token"]))
            made.append(Person(http, account["user_id"], account["token"], name))
        yield made


def checked(answer: httpx.Response, status: int) -> Json:
    assert answer.status_code == status, answer.text
    return answer.json()


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Ask again and again until it holds."""
    ends_at = time.monotonic() + WAIT_S_MAX
    while not holds():
        assert time.monotonic() < ends_at, what
        time.sleep(LOOK_EVERY_S)


def messages(page: Json) -> list[str]:
    return [tweet["message"] for tweet in page["tweets"]]


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False)
