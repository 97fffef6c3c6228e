"""The REST interface over a whole node in memory: people who join it and what they ask of it."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from api.waiting import eventually
from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock, SystemRandomness
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.adapters.content.upload_folder import UploadFolder
from roost.adapters.errands.in_process import InProcessErrands
from roost.adapters.index.memory import MemoryTweetIndex, MemoryUserIndex
from roost.adapters.log.memory import MemoryEventLog
from roost.adapters.mail.memory import MemoryMailer
from roost.adapters.media.child_process.processor import ChildProcessor
from roost.adapters.passwords.argon2id import Argon2idPasswords, engine_of
from roost.adapters.store.memory.accounts import MemoryAccountStore
from roost.adapters.store.memory.celebrities import MemoryCelebrityStore
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.adapters.store.memory.counts import MemoryCountStore
from roost.adapters.store.memory.likes import MemoryLikeStore
from roost.adapters.store.memory.notifications import MemoryNotificationStore
from roost.adapters.store.memory.relations import MemoryRelationStore
from roost.adapters.store.memory.reports import MemoryReportStore
from roost.adapters.store.memory.sessions import MemoryOneTimeTokenStore, MemorySessionStore
from roost.adapters.store.memory.tweets import MemoryTweetStore
from roost.assembly.edges import Edges, build_edges, rate_rules
from roost.assembly.engines import Engines, Stores
from roost.assembly.node import Node, running_node
from roost.assembly.settings import Settings
from roost.domain.errors import Draining
from roost.domain.events import UserChanged
from roost.domain.ids import UserId
from roost.domain.tokens import TokenText, hash_token, token_text
from roost.domain.user import Account, Session, User, session_id_of
from roost.edge.native.app import IN_FLIGHT_MAX, NativeApp
from roost.edge.native.auth import Authentication, SessionCookie
from roost.edge.native.endpoint import Endpoint
from roost.edge.native.limits import RateLimits
from roost.ports.errands import Errands
from roost.ports.language import UNDETERMINED

HOUR_MS = 3_600_000
Json = Any


class NoLanguage:
    """Tells no language: these tests are about the interface, and the model takes 0.3 s to load."""

    def detect(self, text: str) -> str:
        return UNDETERMINED


@dataclass(frozen=True)
class Options:
    """What a test may want otherwise."""

    settings: Settings = replace(Settings(), rate_limits=False)
    more: Callable[[], Iterable[Endpoint]] | None = None
    in_flight_max: int | None = None
    client_address: str = "127.0.0.1"


@dataclass
class Person:
    """A user with a token, and his requests."""

    server: "NativeServer"
    user: User
    token: TokenText

    @property
    def id(self) -> str:
        return str(self.user.id)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.server.ask("GET", path, self, params=query)

    async def post(self, path: str, body: Json = None, **headers: str) -> httpx.Response:
        return await self.server.ask("POST", path, self, json=body, headers=headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.server.ask("DELETE", path, self)

    async def tweet(self, message: str, **more: Json) -> Json:
        """The tweet as the answer shows it."""
        response = await self.post("/tweet", {"message": message, **more})
        assert response.status_code == 201, response.text
        return response.json()

    async def does(self, method: str, path: str, status: int = 204) -> None:
        response = await self.server.ask(method, path, self)
        assert response.status_code == status, response.text


@dataclass
class NativeServer:
    node: Node
    app: NativeApp
    client: httpx.AsyncClient
    readiness: "Readiness"

    async def ask(self, method: str, path: str, person: Person | None = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", None) or {})
        if person is not None:
            headers["Authorization"] = f"Bearer {person.token}"
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """As a stranger."""
        return await self.ask("GET", path, params=query)

    async def join(self, name: str, *, protected: bool = False, operator: bool = False) -> Person:
        engines = self.node.engines
        user_id, now_ms = engines.ids.next_user_id(), engines.clock.now_ms()
        user = User(
            user_id,
            name,
            name.title(),
            now_ms,
            engines.ids.next_version(),
            protected=protected,
            operator=operator,
        )
        email = f"{name}@example.org"
        account = Account(user_id, email, email, None, "no password fits this")
        session, token = self.new_session(user_id)
        announced = [UserChanged(user_id, user.version)]
        position = await engines.stores.accounts.create(user, account, session, announced)
        assert await self.node.progress.reached(position)
        return Person(self, user, token)

    def new_session(self, user: UserId, csrf: TokenText | None = None) -> tuple[Session, TokenText]:
        """Not kept yet."""
        engines = self.node.engines
        token = token_text(engines.randomness.token_bytes(32))
        hashed, now_ms = hash_token(token), engines.clock.now_ms()
        kept_csrf = None if csrf is None else hash_token(csrf)
        expires_ms = now_ms + HOUR_MS
        return Session(session_id_of(hashed), user, hashed, now_ms, now_ms, expires_ms, "test", kept_csrf), token

    async def change(self, person: Person, **fields: Any) -> None:
        """Change a user's row, as the profile's command does."""
        engines = self.node.engines
        person.user = replace(person.user, version=engines.ids.next_version(person.user.version), **fields)
        announced = [UserChanged(person.user.id, person.user.version)]
        position = await engines.stores.accounts.save_user(person.user, announced)
        assert position is not None
        assert await self.node.progress.reached(position)

    async def settled(self, *groups: str) -> None:
        """Wait until these reactions have dealt with all that is on the log: notify, index, count."""

        async def caught_up() -> bool:
            lag = await self.node.lag()
            return all(lag[group] == 0 for group in groups)

        await eventually(caught_up)


@dataclass
class Readiness:
    """What the health check asks."""

    draining: bool = False

    async def __call__(self) -> None:
        if self.draining:
            raise Draining("on its way out")


@asynccontextmanager
async def native_server(folder: Path, options: Options | None = None) -> AsyncIterator[NativeServer]:
    """A node in memory, its reactions running, and a client of its interface."""
    options = options or Options()
    readiness = Readiness()
    async with AsyncExitStack() as stack:
        errands = await stack.enter_async_context(InProcessErrands())
        engines, log = memory_engines(folder, errands)
        stack.push_async_callback(log.close)
        node = await stack.enter_async_context(running_node(engines, options.settings))
        app = _app(node, build_edges(node, node.progress.position, readiness), options)
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=(options.client_address, 1234))
        client = httpx.AsyncClient(transport=transport, base_url="http://roost.example")
        yield NativeServer(node, app, await stack.enter_async_context(client), readiness)


def memory_engines(folder: Path, errands: Errands) -> tuple[Engines, MemoryEventLog]:
    clock = SystemClock()
    log = MemoryEventLog(clock.now_ms)
    session_rows, token_rows = MemorySessionStore(log.leave), MemoryOneTimeTokenStore()
    account_rows = MemoryAccountStore(log.leave, session_rows, token_rows)
    content_rows = MemoryContentStore(account_rows.is_avatar)
    relation_rows = MemoryRelationStore(log.leave)
    tweet_rows, like_rows = MemoryTweetStore(log.leave, content_rows), MemoryLikeStore(log.leave)
    stores = Stores(
        accounts=account_rows,
        sessions=session_rows,
        tokens=token_rows,
        tweets=tweet_rows,
        relations=relation_rows,
        likes=like_rows,
        notifications=MemoryNotificationStore(log.leave),
        counts=MemoryCountStore(log.leave, tweet_rows, like_rows, relation_rows),
        celebrities=MemoryCelebrityStore(log.leave),
        contents=content_rows,
        reports=MemoryReportStore(),
    )
    engines = Engines(
        stores=stores,
        log=log,
        tweet_index=MemoryTweetIndex(),
        user_index=MemoryUserIndex(),
        content_bytes=MemoryBytes(clock.now_ms),
        uploads=UploadFolder(folder),
        media=ChildProcessor(),
        mailer=MemoryMailer(),
        passwords=Argon2idPasswords(engine_of("low")),
        language=NoLanguage(),
        clock=clock,
        randomness=SystemRandomness(),
        errands=errands,
        ids=Mint(clock, 0, 0),
        signing_key=b"k" * 32,
    )
    return engines, log


def _app(node: Node, edges: Edges, options: Options) -> NativeApp:
    """The node's own app; with a test's own endpoints or bounds, one more over the same endpoints."""
    if options.more is None and options.in_flight_max is None:
        return edges.app
    settings, clock = node.settings, node.engines.clock
    more = () if options.more is None else options.more()
    return NativeApp(
        [*(route.endpoint for route in edges.app.tree.routes), *more],
        authentication=Authentication(
            node.views.sessions, SessionCookie(settings.behind_tls), settings.public_read, settings.public_url
        ),
        limits=RateLimits(rate_rules(settings), clock, on=settings.rate_limits),
        progress=node.progress,
        clock=clock,
        in_flight_max=options.in_flight_max or IN_FLIGHT_MAX,
    )
