"""A whole roost on a real port in the test's own loop, and people who talk with it over sockets and REST."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Self

import httpx
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from api.waiting import eventually
from contract.unruly_log import UnrulyLog
from roost.assembly.data_folder import DataFolder
from roost.assembly.edges import Edges, build_edges
from roost.assembly.embedded import open_embedded
from roost.assembly.engines import Engines
from roost.assembly.node import Node, running_node
from roost.assembly.settings import Settings
from roost.domain.events import Counted, UserChanged
from roost.domain.ids import Position
from roost.domain.tokens import TokenText, hash_token, token_text
from roost.domain.user import Account, Session, User, session_id_of
from roost.edge.http_protocol import HttpProtocol
from roost.edge.live.limits import Limits
from roost.edge.live.protocol import live_protocol
from roost.ports.language import UNDETERMINED
from roost.ports.log import BATCH_MAX

WAIT_S = 20.0
"""What does not come within this is a failure."""
HOUR_MS = 3_600_000
_REFS = count()
Json = Any


class PushedClock:
    """The machine's time, pushed ahead by a test."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def monotonic_s(self) -> float:
        return time.monotonic() + self.ahead_ms / 1000

    def advance(self, hours: float) -> None:
        self.ahead_ms += int(hours * HOUR_MS)


class NoLanguage:
    """Tells no language: another test's business, and the model takes its time to load."""

    def detect(self, text: str) -> str:
        return UNDETERMINED


def as_they_are(engines: Engines) -> Engines:
    return engines


def unruly(engines: Engines) -> Engines:
    """The log tells facts out of order, late and again: nobody may notice."""
    return replace(engines, log=UnrulyLog(engines.log))


LOGS = {"orderly": as_they_are, "unruly": unruly}


@asynccontextmanager
async def live_roost(
    folder: Path,
    settings: Settings | None = None,
    limits: Limits | None = None,
    change: Callable[[Engines], Engines] = as_they_are,
) -> AsyncIterator["LiveRoost"]:
    """Everything that `roost serve` runs, but its signals. `change` may put other engines in."""
    settings = replace(settings or Settings(rate_limits=False), data=folder)
    data = DataFolder(folder)
    data.make()
    clock = PushedClock()
    async with AsyncExitStack() as stack:
        engines = await stack.enter_async_context(open_embedded(settings, data))
        engines = change(replace(engines, clock=clock, language=NoLanguage()))
        node = await stack.enter_async_context(running_node(engines, settings))
        position = node.progress.position
        edges = build_edges(node, position, _ready)
        if limits is not None:
            edges.hub.limits = limits
        node.listen(edges.room, position, "push_live")
        server = uvicorn.Server(_config(edges))
        serving = asyncio.create_task(server.serve())
        await eventually(lambda: server.started or serving.done())
        port = server.servers[0].sockets[0].getsockname()[1]
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}"))
        try:
            yield LiveRoost(node, edges, clock, client, port)
        finally:
            await edges.hub.shutdown()
            server.should_exit = True
            await serving


def _config(edges: Edges) -> uvicorn.Config:
    return uvicorn.Config(
        edges.app,
        host="127.0.0.1",
        port=0,
        http=HttpProtocol,
        ws=live_protocol(edges.hub, edges.entrance),
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )


async def _ready() -> None:
    """Always."""


@dataclass
class LiveRoost:
    """The node, to wait for it and to make users in; everything else goes through the port."""

    node: Node
    edges: Edges
    clock: PushedClock
    http: httpx.AsyncClient
    port: int

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    async def join(self, name: str, *, protected: bool = False) -> "Person":
        engines = self.node.engines
        now_ms = engines.clock.now_ms()
        user = User(engines.ids.next_user_id(), name, name, now_ms, engines.ids.next_version(), protected=protected)
        email = f"{name}@example.org"
        account = Account(user.id, email, email, None, "no password fits this")
        person = Person(self, user, token_text(engines.randomness.token_bytes(32)))
        session = self._session(person.user, person.token)
        announced = [UserChanged(user.id, user.version)]
        await self.reached(await engines.stores.accounts.create(user, account, session, announced))
        return person

    async def another_session(self, person: "Person") -> TokenText:
        """The token of one more device."""
        engines = self.node.engines
        token = token_text(engines.randomness.token_bytes(32))
        await engines.stores.sessions.add_session(self._session(person.user, token))
        return token

    def _session(self, user: User, token: TokenText) -> Session:
        hashed, now_ms = hash_token(token), self.node.engines.clock.now_ms()
        return Session(session_id_of(hashed), user.id, hashed, now_ms, now_ms, now_ms + 99 * HOUR_MS, "test")

    async def end_session(self, person: "Person") -> None:
        """As the command does that signs out."""
        session_id = session_id_of(hash_token(person.token))
        await self.reached(await self.node.engines.stores.sessions.end_session(person.user.id, session_id))

    async def reached(self, position: Position | None) -> None:
        assert position is not None
        assert await self.node.progress.reached(position)

    async def told(self) -> None:
        """Wait until every reaction and the room have dealt with all that is on the log, and with what came of it."""
        await eventually(self._is_quiet)

    async def _is_quiet(self) -> bool:
        """Counts are taken anew every second: they are no reason to wait."""
        log, room = self.node.engines.log, self.edges.room
        lag = await log.lag()
        left = await log.read(room.position, BATCH_MAX)
        assert left is not None
        return lag["notify"] <= len(left) and all(isinstance(fact.event, Counted) for fact in left)


@dataclass
class Person:
    """A user with a token: what he asks over REST, and the sockets that he opens."""

    roost: LiveRoost
    user: User
    token: TokenText

    @property
    def id(self) -> str:
        return str(self.user.id)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def rest(self, method: str, path: str, status: int = 204, **more: Any) -> Json:
        answer = await self.roost.http.request(method, path, headers=self.headers, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def tweet(self, message: str, **more: Json) -> Json:
        return await self.rest("POST", "/tweet", 201, json={"message": message, **more})

    async def retweet(self, id: str) -> Json:
        return await self.rest("POST", "/tweet", 201, json={"ReplyToTweetId": id, "message": ""})

    async def follow(self, *others: "Person") -> None:
        for other in others:
            await self.rest("POST", f"/user/{other.id}/follow")

    async def home(self) -> list[str]:
        page = await self.rest("GET", f"/user/timeline/{self.id}", 200, params={"timeline": "home", "limit": 100})
        return [tweet["tweet_id"] for tweet in page["tweets"]]

    async def change(self, **fields: Any) -> None:
        """Change the user's row, as the command does that edits a profile."""
        engines = self.roost.node.engines
        self.user = replace(self.user, version=engines.ids.next_version(self.user.version), **fields)
        announced = [UserChanged(self.user.id, self.user.version)]
        await self.roost.reached(await engines.stores.accounts.save_user(self.user, announced))

    @asynccontextmanager
    async def socket(self, query: str = "", **more: Any) -> AsyncIterator["Talk"]:
        """An open socket that was greeted."""
        async with self.connection(query, **more) as connection:
            yield await Talk(self, connection).greeted()

    def connection(self, query: str = "", **more: Any) -> connect:
        headers = {**self.headers, **more.pop("headers", {})}
        # A client whose queue is full would not see the server's close.
        options = {"open_timeout": WAIT_S, "close_timeout": 1, "max_size": None, "max_queue": None} | more
        return connect(self.roost.url + query, additional_headers=headers, **options)


@dataclass
class Talk:
    """One socket. `got` are all frames that came, in order."""

    person: Person
    connection: ClientConnection
    got: list[Json] = field(default_factory=list)

    async def greeted(self) -> Self:
        assert (await self.receive())["type"] == "hello"
        return self

    @property
    def cursor(self) -> str:
        """Of the latest frame that had one."""
        return next(str(frame["cursor"]) for frame in reversed(self.got) if "cursor" in frame)

    async def receive(self) -> Json:
        async with asyncio.timeout(WAIT_S):
            frame = json.loads(await self.connection.recv())
        self.got.append(frame)
        return frame

    async def until(self, wanted: Callable[[Json], object]) -> Json:
        """Read on to the first frame that is wanted."""
        while True:
            frame = await self.receive()
            if wanted(frame):
                return frame

    async def send(self, message: Json) -> None:
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def ask(self, message: Json) -> Json:
        """Send a message with a ref of its own, if it has none; the answer."""
        ref = message.get("ref", f"ask-{next(_REFS)}")
        await self.send({**message, "ref": ref})
        return await self.until(lambda frame: frame.get("ref") == ref)

    async def post(self, message: str = "", **more: Json) -> Json:
        """The tweet of the ack."""
        answer = await self.ask({"message": message, **more})
        assert answer["type"] == "ack", answer
        return answer["tweet"]

    async def refused(self, message: Json) -> tuple[str, int]:
        """Name and status of the problem that answers; the socket stays open."""
        answer = await self.ask(message)
        assert answer["type"] == "error", answer
        return answer["problem"]["type"].removeprefix("/problems/"), answer["problem"]["status"]

    async def caught_up(self) -> Self:
        """All that the node knows so far and tells this socket has come."""
        await self.person.roost.told()
        assert (await self.ask({"type": "ping"}))["type"] == "pong"
        return self

    async def close_code(self) -> int | None:
        """Read on until the server closes; the code."""
        try:
            while True:
                await self.receive()
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code

    def kind(self, type: str) -> list[Json]:
        return [frame for frame in self.got if frame["type"] == type]

    def tweets(self, channel: str = "home") -> list[str]:
        return [frame["tweet"]["tweet_id"] for frame in self.kind("tweet") if frame["channel"] == channel]

    def deleted(self) -> list[str]:
        return [frame["tweet_id"] for frame in self.kind("delete")]

    def notified(self) -> list[tuple[str, str]]:
        """Kind and who did it."""
        bodies = [frame["notification"] for frame in self.kind("notification")]
        return [(body["kind"], body["user"]["username"]) for body in bodies]


Joining = Callable[..., Awaitable[list[Person]]]


class Names:
    """Users of one module share one roost: each test has names of its own."""

    def __init__(self, roost: LiveRoost) -> None:
        self.roost = roost
        self._count = 0

    async def __call__(self, *names: str, **more: bool) -> list[Person]:
        self._count += 1
        return [await self.roost.join(f"{name}{self._count}", **more) for name in names]
