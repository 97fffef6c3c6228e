"""The REST interface over a whole node in memory: people who join it and what they ask of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock, SystemRandomness
from roost.adapters.content.memory_bytes import MemoryBytes
from roost.adapters.content.upload_folder import UploadFolder
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
from roost.assembly.engines import Engines, Stores
from roost.assembly.node import Node, running_node
from roost.assembly.settings import Settings
from roost.commands.delete_tweet import DeleteTweet
from roost.commands.like_tweet import LikeTweet, UnlikeTweet
from roost.commands.post_tweet import PostTweet
from roost.commands.relate import Relate
from roost.commands.report import CloseReport, FileReport
from roost.domain.errors import Draining
from roost.domain.events import UserChanged
from roost.domain.ids import UserId
from roost.domain.tokens import TokenText, hash_token, token_text
from roost.domain.user import Account, Session, User, session_id_of
from roost.edge.live.tickets import Tickets
from roost.edge.native.app import NativeApp
from roost.edge.native.auth import Authentication, SessionCookie
from roost.edge.native.endpoint import Endpoint
from roost.edge.native.front import FrontPage
from roost.edge.native.health import HealthReads, RequestFigures
from roost.edge.native.limits import RateLimits, Rule
from roost.edge.native.lists import UserListReads
from roost.edge.native.notifications import NotificationReads, NotificationRenderer
from roost.edge.native.openapi import OpenApi
from roost.edge.native.relations import RelationActs
from roost.edge.native.reports import Reports
from roost.edge.native.search import SearchReads
from roost.edge.native.tickets import WebSocketTickets
from roost.edge.native.timelines import Timelines
from roost.edge.native.tweets import Tweets
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.ports.language import UNDETERMINED
from roost.queries.home_timeline import HomeTimeline
from roost.queries.notifications import Notifications
from roost.queries.open_reports import OpenReports
from roost.queries.search import Search
from roost.queries.thread import Thread
from roost.queries.trends import Trends
from roost.queries.tweet_lists import TweetLists
from roost.queries.user_lists import UserLists
from roost.queries.user_profile import UserProfiles
from roost.queries.user_timeline import UserTimeline

WAIT_S_MAX = 20.0
HOUR_MS = 3_600_000
RULES = ("sign_up", "sign_in", "post", "follow", "upload", "search", "read")
Json = Any


class NoLanguage:
    """Tells no language: these tests are about the interface, and the model takes 0.3 s to load."""

    def detect(self, text: str) -> str:
        return UNDETERMINED


@dataclass(frozen=True)
class Options:
    """What a test may want otherwise."""

    settings: Settings = field(default_factory=Settings)
    rules: Sequence[Rule] = tuple(Rule(name, 1_000_000, 1.0) for name in RULES)
    public_url: str = ""
    metrics_token: str | None = None
    in_flight_max: int = 1_000
    more: Callable[[Node], Iterable[Endpoint]] = lambda _: ()
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


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; fails where it does not come true."""
    async with asyncio.timeout(WAIT_S_MAX):
        while not await holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.002)


@asynccontextmanager
async def native_server(folder: Path, options: Options | None = None) -> AsyncIterator[NativeServer]:
    """A node in memory, its reactions running, and a client of its interface."""
    options = options or Options()
    engines, log = memory_engines(folder)
    async with running_node(engines, options.settings) as node:
        readiness = Readiness()
        app = _app(node, options, readiness)
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=(options.client_address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://roost.example") as client:
            yield NativeServer(node, app, client, readiness)
        await log.close()


def memory_engines(folder: Path) -> tuple[Engines, MemoryEventLog]:
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
        ids=Mint(clock, 0, 0),
        signing_key=b"k" * 32,
    )
    return engines, log


def native_endpoints(node: Node) -> list[Endpoint]:
    """All routes of this part of the interface but those that describe it."""
    engines, views = node.engines, node.views
    stores, ids, sight = engines.stores, engines.ids, views.sight
    addresses = ContentAddresses("", engines.signing_key, engines.clock)
    renderer = TweetRenderer(views.tweets, views.acts, views.contents, addresses, 10_000)
    profiles = UserProfiles(views.users, stores.accounts, views.relations, stores.relations)
    modules = (
        Tweets(
            PostTweet(
                stores.tweets,
                stores.contents,
                ids,
                engines.clock,
                engines.language,
                views.tweets,
                views.users,
                views.celebrities,
                sight,
                node.progress,
            ),
            DeleteTweet(stores.tweets, ids, sight, node.progress),
            LikeTweet(stores.likes, ids, sight, node.progress),
            UnlikeTweet(stores.likes, sight, node.progress),
            Thread(stores.tweets, views.tweets, sight),
            TweetLists(stores.tweets, stores.likes, views.users, views.relations, sight),
            profiles,
            views.users,
            sight,
            renderer,
            addresses,
        ),
        Timelines(
            UserTimeline(views.user_timelines, views.users, views.relations, sight),
            HomeTimeline(views.home_timelines, sight),
            renderer,
        ),
        RelationActs(
            Relate(stores.relations, ids, views.users, views.relations, node.progress, node.settings.following_max)
        ),
        UserListReads(UserLists(stores.relations, views.users, views.relations), profiles, addresses),
        NotificationReads(
            Notifications(stores.notifications, views.users, views.relations, sight),
            NotificationRenderer(renderer, addresses),
        ),
        SearchReads(
            Search(engines.tweet_index, engines.user_index, views.users, views.relations, sight),
            Trends(engines.tweet_index, engines.clock),
            profiles,
            renderer,
            addresses,
        ),
        Reports(
            FileReport(stores.reports, ids, engines.clock, sight),
            CloseReport(stores.reports, views.users),
            OpenReports(stores.reports, views.users),
        ),
        WebSocketTickets(Tickets(engines.clock, engines.randomness)),
        FrontPage(),
    )
    return [endpoint for module in modules for endpoint in module.endpoints()]


def _app(node: Node, options: Options, ready: Readiness) -> NativeApp:
    engines, settings = node.engines, node.settings
    registry = CollectorRegistry()
    endpoints = [
        *native_endpoints(node),
        *HealthReads(ready, registry, options.metrics_token).endpoints(),
        *options.more(node),
    ]
    endpoints += OpenApi(tuple(endpoints), "0.0.0").endpoints()
    app = NativeApp(
        endpoints,
        authentication=Authentication(
            node.views.sessions, SessionCookie(settings.behind_tls), settings.public_read, options.public_url
        ),
        limits=RateLimits(options.rules, engines.clock, on=settings.rate_limits),
        progress=node.progress,
        clock=engines.clock,
        in_flight_max=options.in_flight_max,
    )
    registry.register(RequestFigures(app.tree.routes))
    return app
