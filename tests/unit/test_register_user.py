"""Registering a user."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, TOKEN, AccountServer, Wanted, account_server
from roost.assembly.settings import Settings
from roost.commands.register_user import SignUp
from roost.commands.sign_in import Credentials
from roost.domain.address import holds_address
from roost.domain.errors import AlreadyTaken, DependencyDown, Invalid, WrongCredentials
from roost.domain.events import UserChanged
from roost.domain.ids import Position
from roost.domain.tokens import hash_token
from roost.ports.mail import Mail

SILENT = Settings(password_cost="low", reveal_email_taken=False)
OWNER = "owner@example.org"


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


@pytest_asyncio.fixture(params=STORES)
async def silent(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    """A server that does not tell which addresses are taken, one of which is."""
    async with account_server(tmp_path, Wanted(request.param, SILENT)) as started:
        await started.register("owner", OWNER)
        await started.settled()
        started.mailer.sent.clear()
        yield started


async def test_a_new_user_is_there_signed_in_and_announced(server: AccountServer) -> None:
    made = await server.register("Ada")
    assert await server.user(made.user.id) == made.user
    assert (made.user.username, made.user.display_name, made.user.protected) == ("Ada", "Ada", False)
    session = await server.node.views.sessions.by_token(hash_token(made.issued.token))
    assert session == made.issued.session
    assert session.expires_ms == server.clock.now_ms() + server.node.settings.session_ttl_s * 1_000
    logged = await server.node.engines.log.read(Position("0"), 10)
    assert logged is not None
    assert [each.event for each in logged] == [UserChanged(made.user.id, made.user.version, sight=False)]


async def test_neither_the_password_nor_the_token_is_kept(server: AccountServer) -> None:
    made = await server.register()
    account = await server.account(made.user.id)
    assert PASSWORD not in repr(account)
    assert made.issued.token not in repr(await server.node.engines.stores.sessions.sessions_of(made.user.id))


async def test_all_wrong_fields_are_reported_at_once(server: AccountServer) -> None:
    with pytest.raises(Invalid) as refused:
        await server.routes.accounts.register(SignUp("admin", "12345678", "nowhere", "call me"))
    assert [one.field for one in refused.value.fields] == ["username", "email", "password", "mobile"]
    with pytest.raises(Invalid) as refused:
        await server.routes.accounts.register(SignUp(None, None, None))
    assert [(one.field, one.detail) for one in refused.value.fields] == [
        (field, "is required") for field in ("username", "email", "password")
    ]


async def test_a_taken_name_and_a_taken_address_are_told_apart(server: AccountServer) -> None:
    await server.register("ada")
    with pytest.raises(AlreadyTaken) as refused:
        await server.register("ADA", "other@example.org")
    assert refused.value.field == "username"
    with pytest.raises(AlreadyTaken) as refused:
        await server.register("bo", "Ada@Example.org")
    assert refused.value.field == "email"


async def test_of_many_who_want_a_name_at_once_one_gets_it(server: AccountServer) -> None:
    outcomes = await asyncio.gather(
        *(server.register("same", f"u{number}@example.org") for number in range(6)), return_exceptions=True
    )
    assert sum(isinstance(outcome, AlreadyTaken) for outcome in outcomes) == 5


async def test_the_new_address_is_sent_a_token_that_confirms_it_once(server: AccountServer) -> None:
    made = await server.register()
    token = await server.mailed_token("ada@example.org")
    await server.routes.credentials.confirm_email(token)
    account = await server.account(made.user.id)
    assert account is not None
    assert account.email_confirmed
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(token)


async def test_a_mailer_that_is_down_or_slow_does_not_stop_anybody_from_registering(tmp_path: Path) -> None:
    class Stuck:
        def __init__(self) -> None:
            self.asked = 0
            self.answers = asyncio.Event()

        async def send(self, mail: Mail) -> None:
            self.asked += 1
            await self.answers.wait()
            raise DependencyDown("no mail today")

    stuck = Stuck()
    async with account_server(tmp_path, Wanted(change=lambda engines: replace(engines, mailer=stuck))) as server:
        made = await server.register()
        assert await server.user(made.user.id) == made.user
        stuck.answers.set()
        await server.errands.idle()
        assert stuck.asked == 1
        await server.routes.credentials.resend_confirmation(made.user.id)
        await server.errands.idle()
        assert stuck.asked == 2


async def test_where_that_is_not_told_a_taken_address_answers_like_a_free_one(silent: AccountServer) -> None:
    taken = await silent.register("eve", OWNER)
    free = await silent.register("mal", "free@example.org")
    for made in (taken, free):
        assert (await silent.user(made.user.id)).username == made.user.username
        assert await silent.node.views.sessions.by_token(hash_token(made.issued.token)) == made.issued.session
        account = await silent.account(made.user.id)
        assert account is not None
        assert not account.email_confirmed
        with pytest.raises(AlreadyTaken):
            await silent.register(made.user.username, "third@example.org")


async def test_the_owner_is_told_and_keeps_the_address(silent: AccountServer) -> None:
    made = await silent.register("eve", OWNER)
    (mail,) = await silent.mails()
    assert (mail.to, "@owner" in mail.text, "eve" in mail.text) == (OWNER, True, False)
    account = await silent.account(made.user.id)
    assert account is not None
    assert not holds_address(account)
    owner = await silent.node.engines.stores.accounts.user_id_by_email(OWNER)
    assert owner is not None
    assert owner != made.user.id


async def test_an_address_that_another_holds_can_neither_be_confirmed_nor_reset_nor_signed_in_by(
    silent: AccountServer,
) -> None:
    made = await silent.register("eve", OWNER, "the phrase of eve")
    await silent.routes.credentials.resend_confirmation(made.user.id)
    mails = await silent.mails(OWNER)
    assert len(mails) == 2
    assert not any(TOKEN.search(mail.text) for mail in mails)
    for email in (OWNER, "free@example.org"):
        with pytest.raises(WrongCredentials):
            await silent.routes.accounts.sign_in(Credentials("the phrase of eve", email=email))
    await silent.routes.credentials.forgot_password(OWNER)
    await silent.routes.credentials.reset_password(await silent.mailed_token(OWNER), "the owner chose this")
    await silent.routes.accounts.sign_in(Credentials("the phrase of eve", username="eve"))
    await silent.routes.accounts.sign_in(Credentials("the owner chose this", email=OWNER))


async def test_where_that_is_not_told_an_unconfirmed_address_signs_nobody_in(silent: AccountServer) -> None:
    await silent.register("mal", "mal@example.org")
    by_email = Credentials(PASSWORD, email="mal@example.org")
    with pytest.raises(WrongCredentials):
        await silent.routes.accounts.sign_in(by_email)
    await silent.routes.credentials.confirm_email(await silent.mailed_token("mal@example.org"))
    await silent.routes.accounts.sign_in(by_email)


async def test_of_many_who_enter_one_free_address_at_once_one_holds_it_and_none_is_refused(
    silent: AccountServer,
) -> None:
    made = await asyncio.gather(*(silent.register(f"u{number}", "one@example.org") for number in range(5)))
    accounts = [await silent.account(each.user.id) for each in made]
    assert sum(account is not None and holds_address(account) for account in accounts) == 1
