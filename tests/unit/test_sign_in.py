"""Signing in, and out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.adapters.passwords.argon2id import Argon2idPasswords, engine_of
from roost.assembly.engines import Engines
from roost.commands.sign_in import Credentials
from roost.domain.errors import Invalid, NotFound, NotSignedIn, WrongCredentials
from roost.domain.tokens import TokenText, hash_token
from roost.domain.user import SESSIONS_MAX, Session


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def session_of(server: AccountServer, token: TokenText) -> Session:
    return await server.node.views.sessions.by_token(hash_token(token))


async def is_signed_in(server: AccountServer, token: TokenText) -> bool:
    try:
        await session_of(server, token)
    except NotSignedIn:
        return False
    return True


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(PASSWORD, username="ada"),
        Credentials(PASSWORD, username="ADA"),
        Credentials(PASSWORD, email="ada@example.org"),
        Credentials(PASSWORD, email=" Ada@EXAMPLE.org "),
    ],
)
async def test_a_name_or_an_address_signs_in_however_it_is_spelled(
    server: AccountServer, credentials: Credentials
) -> None:
    made = await server.register("Ada")
    issued = await server.routes.accounts.sign_in(credentials, "browser\n\x1b[2J" + "x" * 500)
    session = await session_of(server, issued.token)
    assert session.user_id == made.user.id
    assert (session.csrf_hash, issued.csrf_token) == (None, None)
    assert session.client == ("browser[2J" + "x" * 500)[:200]


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials("a wrong phrase", username="ada"),
        Credentials("a wrong phrase", email="ada@example.org"),
        Credentials(PASSWORD, username="nobody"),
        Credentials(PASSWORD, email="nobody@example.org"),
        Credentials(PASSWORD, email="\ud800 no address"),
        Credentials("\ud800" * 9, username="\ud800\x00"),
        Credentials("", username=""),
    ],
)
async def test_whatever_is_wrong_is_answered_alike(server: AccountServer, credentials: Credentials) -> None:
    await server.register()
    with pytest.raises(WrongCredentials) as refused:
        await server.routes.accounts.sign_in(credentials)
    assert str(refused.value) == "the name or the password is wrong"
    sessions = server.node.engines.stores.sessions
    (ada,) = (await server.node.engines.stores.accounts.ids_by_name(["ada"])).values()
    assert len(await sessions.sessions_of(ada)) == 1


def test_credentials_name_one_of_username_and_address() -> None:
    for both in ({}, {"username": "ada", "email": "ada@example.org"}):
        with pytest.raises(Invalid):
            Credentials(PASSWORD, **both)


class Watched:
    """Notes which methods are called on what it stands before, not with what."""

    def __init__(self, behind: Any, calls: list[str]) -> None:
        self._behind = behind
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        if not callable(found):
            return found

        def call(*args: Any, **more: Any) -> Any:
            self._calls.append(name)
            return found(*args, **more)

        return call


def watching(calls: list[str]) -> Callable[[Engines], Engines]:
    def change(engines: Engines) -> Engines:
        stores = replace(
            engines.stores,
            accounts=Watched(engines.stores.accounts, calls),
            sessions=Watched(engines.stores.sessions, calls),
        )
        return replace(engines, stores=stores, passwords=Watched(engines.passwords, calls))

    return change


@pytest.mark.parametrize("stores", STORES)
@pytest.mark.parametrize("by", ["username", "email"])
async def test_an_unknown_user_and_a_deleted_one_cost_the_same_calls_as_a_wrong_password(
    tmp_path: Path, stores: str, by: str
) -> None:
    calls: list[str] = []
    async with account_server(tmp_path, Wanted(stores, change=watching(calls), erasing=False)) as server:
        await server.register("ada")
        gone = await server.register("gone")
        await server.routes.users.delete(gone.user.id, PASSWORD)
        await server.settled()
        made: dict[str, list[str]] = {}
        for name in ("ada", "gone", "nobody"):
            who = name if by == "username" else f"{name}@example.org"
            calls.clear()
            with pytest.raises(WrongCredentials):
                await server.routes.accounts.sign_in(Credentials("a wrong phrase", **{by: who}))
            made[name] = list(calls)
        assert made["ada"] == made["gone"] == made["nobody"]
        assert made["ada"].count("verify") == 1


async def test_a_deleted_user_cannot_sign_in_with_the_right_password(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.users.delete(made.user.id, PASSWORD)
    with pytest.raises(WrongCredentials):
        await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))


async def test_a_hash_of_another_cost_is_renewed_after_a_good_sign_in(tmp_path: Path) -> None:
    async with account_server(tmp_path) as server:
        made = await server.register()
        accounts, before = server.node.engines.stores.accounts, await server.account(made.user.id)
        assert before is not None
        dear = Argon2idPasswords(engine_of("standard"))
        try:
            await accounts.replace_password_hash(made.user.id, before.password_hash, await dear.hash(PASSWORD))
        finally:
            dear.close()
        with pytest.raises(WrongCredentials):
            await server.routes.accounts.sign_in(Credentials("a wrong phrase", username="ada"))
        await server.errands.idle()
        kept = await server.account(made.user.id)
        assert kept is not None
        assert server.node.engines.passwords.needs_rehash(kept.password_hash)
        await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))
        await server.errands.idle()
        kept = await server.account(made.user.id)
        assert kept is not None
        assert not server.node.engines.passwords.needs_rehash(kept.password_hash)
        await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))


class Gate:
    """Lets password checks through when it is opened: so that something else happens meanwhile."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind
        self.arrived, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    async def verify(self, password: str, stored: str | None) -> bool:
        fits: bool = await self._behind.verify(password, stored)
        self.arrived.set()
        await self.open.wait()
        return fits


@pytest.mark.parametrize("meanwhile", ["reset", "deleted"])
@pytest.mark.parametrize("stores", STORES)
async def test_a_sign_in_by_the_old_password_does_not_outlive_what_ends_all_sessions(
    tmp_path: Path, stores: str, meanwhile: str
) -> None:
    gates: list[Gate] = []

    def gated(engines: Engines) -> Engines:
        gates.append(Gate(engines.passwords))
        return replace(engines, passwords=gates[0])

    async with account_server(tmp_path, Wanted(stores, change=gated)) as server:
        made, accounts = await server.register(), server.node.engines.stores.accounts
        gates[0].open.clear()
        signing_in = asyncio.create_task(server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada")))
        await gates[0].arrived.wait()
        if meanwhile == "deleted":
            await accounts.delete_user(made.user.id, server.node.engines.ids.next_version())
        else:
            other = await server.node.engines.passwords.hash("quite another phrase")
            await accounts.change_password(made.user.id, other, None, server.node.engines.ids.next_version())
        gates[0].open.set()
        with pytest.raises(WrongCredentials):
            await signing_in
        assert await server.node.engines.stores.sessions.sessions_of(made.user.id) == []


async def test_a_session_ends_when_its_time_is_over(server: AccountServer) -> None:
    made = await server.register()
    server.clock.advance(server.node.settings.session_ttl_s * 1_000 - 1)
    assert await is_signed_in(server, made.issued.token)
    server.clock.advance(1)
    assert not await is_signed_in(server, made.issued.token)
    assert await server.routes.accounts.open_sessions(made.user.id) == []


async def test_ending_a_session_kills_its_token_at_once_and_no_other(server: AccountServer) -> None:
    made = await server.register()
    second = await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))
    assert await is_signed_in(server, second.token)
    await server.routes.accounts.sign_out(made.user.id, second.session.session_id)
    assert not await is_signed_in(server, second.token)
    assert await is_signed_in(server, made.issued.token)
    with pytest.raises(NotFound):
        await server.routes.accounts.sign_out(made.user.id, second.session.session_id)


async def test_nobody_ends_or_sees_the_sessions_of_another(server: AccountServer) -> None:
    ada, bo = await server.register("ada"), await server.register("bo")
    with pytest.raises(NotFound):
        await server.routes.accounts.sign_out(bo.user.id, ada.issued.session.session_id)
    assert await is_signed_in(server, ada.issued.token)
    assert await server.routes.accounts.open_sessions(bo.user.id) == [bo.issued.session]


async def test_one_session_too_many_ends_the_longest_unused(server: AccountServer) -> None:
    made = await server.register()
    for _ in range(SESSIONS_MAX):
        server.clock.advance(1)
        await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))
    await server.settled()
    assert not await is_signed_in(server, made.issued.token)
    assert len(await server.routes.accounts.open_sessions(made.user.id)) == SESSIONS_MAX


@given(st.text(max_size=40))
@settings(max_examples=200)
def test_all_spellings_of_one_name_or_address_are_tried_on_one_account(text: str) -> None:
    assert Credentials("x", username=text.upper().lower()).key == Credentials("x", username=text.upper()).key
    local = f"a{len(text)}"
    assert (
        Credentials("x", email=f"{local}@example.org").key
        == Credentials("x", email=f" {local.upper()}@EXAMPLE.org").key
    )
