"""A node with its account routes and its eraser, over stores in memory or in SQLite; a clock that is moved by hand."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from api.native_app import memory_engines
from api.waiting import eventually
from roost.adapters.clock.manual import ManualClock
from roost.adapters.clock.mint import Mint
from roost.adapters.clock.system import SystemClock
from roost.adapters.errands.in_process import InProcessErrands
from roost.adapters.log.sqlite import SqliteEventLog
from roost.adapters.mail.memory import MemoryMailer
from roost.adapters.sqlite_file import SqliteFile
from roost.assembly.accounts import AccountRoutes, account_routes, erase_user
from roost.assembly.embedded import SCHEMAS, stores_over
from roost.assembly.engines import Engines
from roost.assembly.node import Node, running_node
from roost.assembly.reactor import Reactor, of_event
from roost.assembly.settings import Settings
from roost.commands.register_user import Registered, SignUp
from roost.domain.ids import UserId
from roost.domain.user import Account, User
from roost.edge.native.app import NativeApp
from roost.edge.native.auth import Authentication, SessionCookie
from roost.edge.native.limits import RateLimits, Rule
from roost.edge.rendering import ContentAddresses
from roost.ports.mail import Mail
from roost.queries.user_profile import UserProfiles

STORES = ("memory", "sqlite")
RULES = ("sign_up", "sign_in", "read", "upload")
"""What account routes count by."""

PASSWORD = "a good long phrase"
TOKEN = re.compile(r"^([A-Za-z0-9_-]{43})$", re.MULTILINE)


@dataclass(frozen=True)
class Wanted:
    """What a test may want otherwise. `change` is done to the engines before the node runs."""

    stores: str = "memory"
    settings: Settings = field(default_factory=lambda: Settings(password_cost="low"))
    rules: Sequence[Rule] = tuple(Rule(name, 1_000_000, 1.0) for name in RULES)
    change: Callable[[Engines], Engines] = lambda engines: engines
    erasing: bool = True


@dataclass
class AccountServer:
    node: Node
    routes: AccountRoutes
    errands: InProcessErrands
    clock: ManualClock
    mailer: MemoryMailer
    client: httpx.AsyncClient

    async def register(self, name: str = "ada", email: str | None = None, password: str = PASSWORD) -> Registered:
        return await self.routes.accounts.register(SignUp(name, password, email or f"{name}@example.org"), "a test")

    async def answered(self, method: str, path: str, **more: Any) -> tuple[int, bytes, dict[str, str]]:
        """All that a caller can tell answers apart by, but for what is left of his own rate."""
        response = await self.ask(method, path, **more)
        headers = {name: value for name, value in response.headers.items() if not name.startswith("x-ratelimit")}
        return response.status_code, response.content, headers

    async def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", None) or {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return await self.client.request(method, path, headers=headers, **more)

    async def mails(self, to: str | None = None) -> list[Mail]:
        """What was sent there so far, once nothing more is under way."""
        await self.errands.idle()
        return [mail for mail in self.mailer.sent if to is None or mail.to == to]

    async def mailed_token(self, to: str) -> str:
        """The token of the last mail to that address that brings one."""
        found = [match[1] for mail in await self.mails(to) if (match := TOKEN.search(mail.text))]
        return found[-1]

    async def account(self, id: UserId) -> Account | None:
        return await self.node.engines.stores.accounts.account(id)

    async def user(self, id: UserId) -> User:
        return (await self.node.engines.stores.accounts.users([id]))[id]

    async def settled(self) -> None:
        """Errands done, and all reactions at the end of the log, but for the counting, which takes its second."""
        await self.errands.idle()

        async def caught_up() -> bool:
            return not any(lag for group, lag in (await self.node.lag()).items() if group != "count")

        await eventually(caught_up)


@asynccontextmanager
async def account_server(folder: Path, wanted: Wanted | None = None) -> AsyncIterator[AccountServer]:
    wanted = wanted or Wanted()
    async with AsyncExitStack() as stack:
        clock, mailer = ManualClock(SystemClock().now_ms()), MemoryMailer()
        errands = InProcessErrands()
        engines = await _engines(folder, wanted.stores, errands, stack)
        await stack.enter_async_context(errands)
        engines = wanted.change(replace(engines, clock=clock, mailer=mailer))
        node = await stack.enter_async_context(running_node(engines, wanted.settings))
        if wanted.erasing:
            start_eraser(node)
        routes, app = _app(node, errands, wanted.rules)
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=("203.0.113.7", 1234))
        client = httpx.AsyncClient(transport=transport, base_url="http://roost.example")
        await stack.enter_async_context(client)
        server = AccountServer(node, routes, errands, clock, mailer, client)
        yield server
        await server.settled()


def start_eraser(node: Node) -> None:
    """As the product does it."""
    log = node.engines.log
    node.start(Reactor("erase", log.subscribe("erase"), of_event(erase_user(node)), after=node.progress))


async def _engines(folder: Path, stores: str, errands: InProcessErrands, stack: AsyncExitStack) -> Engines:
    engines, memory_log = memory_engines(folder / "uploads", errands)
    stack.callback(engines.passwords.close)  # type: ignore[attr-defined]  # a port knows no end, its adapter does
    if stores == "memory":
        stack.push_async_callback(memory_log.close)
        return engines
    file = await SqliteFile(folder / "roost.db", SystemClock().now_ms, synchronous="OFF").open(*SCHEMAS)
    stack.push_async_callback(file.close)
    log = await SqliteEventLog(file).open()
    stack.push_async_callback(log.close)
    return replace(engines, stores=stores_over(file), log=log, ids=Mint(SystemClock(), 0, 0))


def _app(node: Node, errands: InProcessErrands, rules: Sequence[Rule]) -> tuple[AccountRoutes, NativeApp]:
    engines, settings, views = node.engines, node.settings, node.views
    limits = RateLimits(rules, engines.clock, on=settings.rate_limits)
    profiles = UserProfiles(views.users, engines.stores.accounts, views.relations, engines.stores.relations)
    addresses = ContentAddresses("", engines.signing_key, engines.clock)
    routes = account_routes(node, errands, limits, profiles, addresses)
    authentication = Authentication(views.sessions, SessionCookie(settings.behind_tls), settings.public_read)
    app = NativeApp(
        routes.endpoints(),
        authentication=authentication,
        limits=limits,
        progress=node.progress,
        clock=engines.clock,
    )
    return routes, app
