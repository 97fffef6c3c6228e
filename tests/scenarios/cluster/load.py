"""A steady load through both balancers, and what it remembers: every act, and every tweet that was acknowledged."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from api.waiting import eventually

USERS = 10
FOLLOWED = 3
LATE_S = 2.0
"""An act that takes longer is late, and so is one that the other balancer had to answer."""
GIVEN_UP_S = 40.0
AGAIN_S = 0.2
WRITES_EVERY_S, READS_EVERY_S = 0.25, 0.1
Json = Any


@dataclass(slots=True)
class Act:
    """One request of a user, with all its attempts. Times are of the steady clock, in seconds."""

    kind: str
    began_s: float
    ended_s: float = 0.0
    is_answered: bool = False
    is_late: bool = False

    @property
    def is_bad(self) -> bool:
        return not self.is_answered or self.is_late


@dataclass(slots=True)
class User:
    name: str
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


@dataclass(slots=True)
class Listener:
    """One user's socket, opened again wherever it is answered, from the cursor on. `heard` counts pushes by tweet."""

    user: User
    heard: dict[str, int] = field(default_factory=dict)
    cursor: str | None = None
    is_open: bool = False

    async def listen(self, urls: Sequence[str]) -> None:
        """For ever."""
        for url in itertools.cycle(urls):
            try:
                await self._listen_at(url)
            except (OSError, WebSocketException, TimeoutError):
                await asyncio.sleep(AGAIN_S)
            finally:
                self.is_open = False

    async def _listen_at(self, url: str) -> None:
        address = url.replace("http", "ws", 1) + "/ws"
        async with connect(
            address,
            additional_headers=self.user.headers,
            max_queue=None,
            open_timeout=5,
            close_timeout=0.5,
            ping_interval=2,
            ping_timeout=4,
        ) as socket:
            hello = json.loads(await socket.recv())
            if self.cursor is None:
                self.cursor = hello["cursor"]
            else:
                await socket.send(json.dumps({"type": "resume", "cursor": self.cursor}))
            async for text in socket:
                self.is_open = True
                self._take(json.loads(text))

    def _take(self, frame: Json) -> None:
        if frame.get("cursor"):
            self.cursor = frame["cursor"]
        if frame["type"] == "tweet":
            id = frame["tweet"]["tweet_id"]
            self.heard[id] = self.heard.get(id, 0) + 1


class SteadyLoad:
    """Made by `begin`; ended by `end`."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = urls
        self.acts: list[Act] = []
        self.posted: dict[str, str] = {}
        """Author by tweet: all that was acknowledged."""
        self.users: list[User] = []
        self.listeners: list[Listener] = []
        self._turn = itertools.count()
        self._draw = random.Random(1)
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        limits = httpx.Limits(max_keepalive_connections=20, keepalive_expiry=2)
        self._clients = [
            httpx.AsyncClient(base_url=url, timeout=LATE_S, limits=limits, trust_env=False) for url in urls
        ]

    async def begin(self) -> None:
        """Make users who follow one another; the first two listen."""
        for number in range(USERS):
            name = f"u{number}"
            account = {"username": name, "password": f"a long word of {name}", "email": f"{name}@example.org"}
            made = await self._clients[0].post("/create/user", json=account, timeout=GIVEN_UP_S)
            assert made.status_code == HTTPStatus.CREATED, made.text
            self.users.append(User(name, made.json()["user_id"], made.json()["token"]))
        for number, user in enumerate(self.users):
            for step in range(1, FOLLOWED + 1):
                whom = self.users[(number + step) % USERS]
                await self._act("write", user, "POST", f"/user/{whom.id}/follow")
        self.listeners = [Listener(user) for user in self.users[:2]]
        for listener in self.listeners:
            self._tasks.append(asyncio.create_task(listener.listen(self.urls)))
        await eventually(lambda: all(listener.cursor for listener in self.listeners))
        self._tasks.append(asyncio.create_task(self._every(WRITES_EVERY_S, self._write)))
        self._tasks.append(asyncio.create_task(self._every(READS_EVERY_S, self._read)))

    async def end(self) -> None:
        for task in [*self._tasks, *self._under_way]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._under_way, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    def followed_by(self, user: User) -> list[User]:
        at = self.users.index(user)
        return [self.users[(at + step) % USERS] for step in range(1, FOLLOWED + 1)]

    async def page(self, user: User, path: str, **query: str) -> Json:
        """As read by a patient user."""
        until_s = time.monotonic() + GIVEN_UP_S
        while True:
            for client in self._clients:
                try:
                    answer = await client.get(path, params=query, headers=user.headers, timeout=GIVEN_UP_S)
                except httpx.HTTPError:
                    continue
                if answer.status_code == HTTPStatus.OK:
                    return answer.json()
            assert time.monotonic() < until_s, f"{path} is not answered"
            await asyncio.sleep(AGAIN_S)

    async def status_of(self, user: User, path: str, **query: str) -> int:
        """What one attempt is answered; 0 where it is not."""
        try:
            answer = await self._clients[0].get(path, params=query, headers=user.headers, timeout=GIVEN_UP_S)
        except httpx.HTTPError:
            return 0
        return answer.status_code

    async def _every(self, seconds: float, act: Callable[[], Any]) -> None:
        """Open loop: an act that hangs holds up no other."""
        while True:
            task = asyncio.create_task(act())
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(seconds)

    async def _write(self) -> None:
        user, number = self._draw.choice(self.users), next(self._turn)
        if number % 5 == 0:  # follows that are there already: they change nothing, and are decided all the same
            await self._act("write", user, "POST", f"/user/{self._draw.choice(self.followed_by(user)).id}/follow")
            return
        message = {"message": f"number {number} by {user.name}"}
        answer = await self._act("write", user, "POST", "/tweet", json=message, key=f"k{number}")
        if answer is not None:
            self.posted[answer.json()["tweet_id"]] = user.id

    async def _read(self) -> None:
        user = self._draw.choice(self.users)
        await self._act("read", user, "GET", f"/user/timeline/{user.id}", params={"timeline": "home"})

    async def _act(
        self, kind: str, user: User, method: str, path: str, key: str = "", **more: Any
    ) -> httpx.Response | None:
        """At one balancer, then at the other, until it is answered. None where it never was."""
        act = Act(kind, time.monotonic())
        self.acts.append(act)
        headers = user.headers | ({"idempotency-key": key} if key else {})
        first = next(self._turn) % len(self._clients)
        for attempt in itertools.count():
            client = self._clients[(first + attempt) % len(self._clients)]
            try:
                answer = await client.request(method, path, headers=headers, **more)
            except httpx.HTTPError:
                answer = None
            act.ended_s = time.monotonic()
            act.is_late = attempt > 0 or act.ended_s - act.began_s > LATE_S
            if answer is not None and answer.is_success:
                act.is_answered = True
                return answer
            if answer is not None and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
            if act.ended_s - act.began_s > GIVEN_UP_S:
                return None
            await asyncio.sleep(AGAIN_S)
        return None
