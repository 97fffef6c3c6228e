"""Users who act without rest, and write down what was acknowledged; and one who only listens."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from scenarios.crash.oracle import Fact, Oracle, Posted

ANSWER_S_MAX = 30.0
KEPT_S = 2.0
AT_ONCE_MAX = 4
"""Tweets of one actor that are in flight together."""
Json = Any
GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


class Unanswered(Exception):
    """The server died first: what was asked may be done or not."""


@dataclass
class Client:
    """One user's REST and socket. It is connected anew after each start of the server."""

    name: str
    user_id: str = ""
    token: str = ""
    http: httpx.AsyncClient | None = None
    socket: ClientConnection | None = None
    greeting: Json = None
    _waiting: dict[str, "asyncio.Future[Json]"] = field(default_factory=dict)
    _reading: "asyncio.Task[None] | None" = None

    async def sign_up(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, timeout=ANSWER_S_MAX)
        account = {"username": self.name, "password": f"pass of {self.name}!", "email": f"{self.name}@example.org"}
        answer = await self.http.post("/create/user", json=account)
        assert answer.status_code == HTTPStatus.CREATED, answer.text
        self.user_id, self.token = answer.json()["user_id"], answer.json()["token"]

    async def connect(self, url: str) -> None:
        await self.close()
        headers = {"Authorization": f"Bearer {self.token}"}
        # Idle connections go before the server closes them, which would look like a crash.
        kept = httpx.Limits(keepalive_expiry=KEPT_S)
        self.http = httpx.AsyncClient(base_url=url, headers=headers, timeout=ANSWER_S_MAX, limits=kept)
        self.socket = await connect(
            url.replace("http", "ws", 1) + "/ws", additional_headers=headers, max_queue=None, close_timeout=0.5
        )
        self.greeting = json.loads(await self.socket.recv())
        assert self.greeting["type"] == "hello", self.greeting
        self._reading = asyncio.create_task(self._read(self.socket))

    async def close(self) -> None:
        if self.http is not None:
            await self.http.aclose()
        if self.socket is not None:
            await self.socket.close()
        if self._reading is not None:
            await self._reading

    async def rest(self, method: str, path: str, **query: Any) -> httpx.Response:
        assert self.http is not None
        try:
            return await self.http.request(method, path, params=query)
        except httpx.TransportError as error:
            raise Unanswered(f"{path}: {error!r}") from error

    async def page(self, path: str, **query: Any) -> Json:
        answer = await self.rest("GET", path, **query)
        assert answer.status_code == HTTPStatus.OK, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def post(self, message: Json) -> Json:
        """The frame that answers the ref."""
        assert self.socket is not None
        answer = self._waiting[message["ref"]] = asyncio.get_running_loop().create_future()
        try:
            await self.socket.send(json.dumps(message))
            async with asyncio.timeout(ANSWER_S_MAX):
                return await answer
        except ConnectionClosed as closed:
            raise Unanswered(message["ref"]) from closed
        finally:
            self._waiting.pop(message["ref"], None)

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                frame = json.loads(text)
                waiting = self._waiting.get(frame.get("ref") or "")
                if waiting is not None and not waiting.done():
                    waiting.set_result(frame)
        except ConnectionClosed:
            pass
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Unanswered("the socket closed"))


@dataclass
class Actor:
    """Acts one after the other, so that at a crash few of his acts are in flight."""

    client: Client
    oracle: Oracle
    peers: "dict[str, Actor]"
    chance: Random
    posts: int = 0

    @property
    def name(self) -> str:
        return self.client.name

    async def act_for_ever(self) -> None:
        """Until the server dies."""
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8, self._tweet),
            (3, self._retweet),
            (5, self._like),
            (2, self._follow),
            (1, self._delete),
        ]
        weights = [weight for weight, _ in acts]
        try:
            while True:
                [(_, act)] = self.chance.choices(acts, weights)
                await act()
        except Unanswered:
            return

    async def ask_for(self, post: Posted) -> None:
        """Post it; again with the same ref where that was not answered."""
        message: Json = {"message": post.message, "ref": post.ref}
        if post.retweet_of is not None:
            message = {"message": "", "ReplyToTweetId": post.retweet_of.id, "ref": post.ref}
        frame = await self.client.post(message)
        if frame["type"] == "error":
            # What it shares, or it itself, was deleted meanwhile.
            assert frame["problem"]["status"] in GONE, frame
            assert post.retweet_of is not None, frame
            assert not post.retweet_of.must_show or post.deleted.asked is not None, frame
            post.refused = True
            return
        post.id = frame["tweet"]["tweet_id"]
        self.oracle.acknowledged += 1

    async def set(self, fact: Fact, wanted: bool, path: str) -> None:
        """A like, a follow or a delete; asked again where it was not answered."""
        fact.asked = wanted
        answer = await self.client.rest("POST" if wanted else "DELETE", path)
        if answer.status_code in GONE:
            fact.refused()
            return
        assert answer.status_code == HTTPStatus.NO_CONTENT, f"{path}: {answer.status_code} {answer.text}"
        fact.acknowledged()
        self.oracle.acknowledged += 1

    async def delete(self, post: Posted) -> None:
        post.deleted.asked = True
        answer = await self.client.rest("DELETE", f"/tweet/{post.id}")
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text
        post.deleted.acknowledged()
        self.oracle.acknowledged += 1

    async def _tweet(self) -> None:
        """Some at once: they are written together, and together they are lost or not."""
        count = self.chance.randint(1, AT_ONCE_MAX)
        results = await asyncio.gather(*(self.ask_for(self._new()) for _ in range(count)), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _new(self) -> Posted:
        self.posts += 1
        mentioned = self.chance.choice(self.oracle.names) if self.chance.random() < 0.1 else None
        message = f"w{self.name}x{self.posts} by {self.name} #crash{self.name}" + (
            f" @{mentioned}" if mentioned else ""
        )
        return self._noted(Posted(self.name, f"r{self.posts}", message, mentioned))

    def _noted(self, post: Posted) -> Posted:
        self.oracle.posted.append(post)
        return post

    async def _retweet(self) -> None:
        original = self._some_original()
        mine = {id(one.retweet_of) for one in self.oracle.by(self.name)}
        if original is not None and id(original) not in mine:  # again would answer the first
            self.posts += 1
            await self.ask_for(self._noted(Posted(self.name, f"r{self.posts}", "", retweet_of=original)))

    async def _like(self) -> None:
        original = self._some_original()
        if original is not None:
            fact = original.likes.setdefault(self.name, Fact())
            await self.set(fact, not fact.known, f"/tweet/{original.id}/like")

    async def _follow(self) -> None:
        other = self.peers[self.chance.choice([name for name in self.oracle.names if name != self.name])]
        fact = self.oracle.follow(self.name, other.name)
        await self.set(fact, not fact.known, f"/user/{other.client.user_id}/follow")

    async def _delete(self) -> None:
        mine = [one for one in self.oracle.by(self.name) if one.must_show]
        if mine:
            await self.delete(self.chance.choice(mine))

    def _some_original(self) -> Posted | None:
        """Mostly a late one, where others act too."""
        shown = self.oracle.shown_originals()[-60:]
        return self.chance.choice(shown) if shown else None


@dataclass
class Watcher:
    """Follows everybody and resumes by cursor after every crash: must not miss a tweet."""

    client: Client
    cursor: str = ""
    heard: set[str] = field(default_factory=set)
    gaps: int = 0

    def arrive(self) -> None:
        """From here on nothing may be missed: the cursor of the greeting."""
        assert self.client.greeting is not None
        self._take(self.client.greeting)

    async def watch(self, url: str) -> None:
        """Until the server dies."""
        query = f"?cursor={self.cursor}" if self.cursor else ""
        headers = {"Authorization": f"Bearer {self.client.token}"}
        try:
            async with connect(
                url.replace("http", "ws", 1) + "/ws" + query, additional_headers=headers, close_timeout=0.5
            ) as socket:
                async for text in socket:
                    self._take(json.loads(text))
        except (ConnectionClosed, InvalidHandshake, OSError):
            return

    def _take(self, frame: Json) -> None:
        if frame["type"] == "tweet":
            self.heard.add(frame["tweet"]["tweet_id"])
        elif frame["type"] == "gap":
            self.gaps += 1
        self.cursor = frame.get("cursor") or self.cursor
