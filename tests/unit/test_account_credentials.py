"""Addresses and passwords: confirmed, changed, forgotten, reset."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from api.account_server import PASSWORD, STORES, TOKEN, AccountServer, Wanted, account_server
from roost.assembly.settings import Settings
from roost.commands.sign_in import Credentials
from roost.domain.errors import AlreadyTaken, Forbidden, Invalid, NotFound, NotSignedIn, RoostError, WrongCredentials
from roost.domain.issue import ONE_TIME_TOKEN_TTL_MS
from roost.domain.letters import token_letter
from roost.domain.tokens import TokenText, hash_token, token_text
from roost.domain.user import Account, TokenPurpose
from roost.ports.mail import Mail

NEW = "a different phrase"
ADA = "ada@example.org"


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def signs_in(server: AccountServer, password: str, name: str = "ada") -> bool:
    try:
        await server.routes.accounts.sign_in(Credentials(password, username=name))
    except WrongCredentials:
        return False
    return True


async def is_signed_in(server: AccountServer, token: TokenText) -> bool:
    try:
        await server.node.views.sessions.by_token(hash_token(token))
    except NotSignedIn:
        return False
    return True


async def account_of(server: AccountServer, name: str = "ada") -> Account:
    (id,) = (await server.node.engines.stores.accounts.ids_by_name([name])).values()
    account = await server.account(id)
    assert account is not None
    return account


async def test_a_resent_token_voids_the_earlier_one(server: AccountServer) -> None:
    made = await server.register()
    first = await server.mailed_token(ADA)
    await server.routes.credentials.resend_confirmation(made.user.id)
    second = await server.mailed_token(ADA)
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(first)
    await server.routes.credentials.confirm_email(second)
    assert (await account_of(server)).email_confirmed


async def test_a_confirmed_address_is_sent_no_more_tokens(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.confirm_email(await server.mailed_token(ADA))
    server.mailer.sent.clear()
    await server.routes.credentials.resend_confirmation(made.user.id)
    assert await server.mails() == []


@pytest.mark.parametrize("text", ["", "x", "\ud800", "é" * 43, "a" * 43, "a" * 5_000, "a" * 42 + "\n"])
async def test_what_is_no_token_is_refused_like_a_dead_one(server: AccountServer, text: str) -> None:
    for act in (
        server.routes.credentials.confirm_email(text),
        server.routes.credentials.reset_password(text, NEW),
    ):
        with pytest.raises(Invalid) as refused:
            await act
        assert [one.field for one in refused.value.fields] == ["token"]


async def test_a_token_is_good_for_an_hour_and_no_longer(server: AccountServer) -> None:
    await server.register()
    token = await server.mailed_token(ADA)
    server.clock.advance(ONE_TIME_TOKEN_TTL_MS)
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(token)
    await server.routes.credentials.forgot_password(ADA)
    token = await server.mailed_token(ADA)
    server.clock.advance(ONE_TIME_TOKEN_TTL_MS - 1)
    await server.routes.credentials.reset_password(token, NEW)
    assert await signs_in(server, NEW)


async def test_an_hour_later_neither_password_nor_address_is_changed(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.forgot_password(ADA)
    await server.routes.credentials.change_email(made.user.id, "new@example.org", PASSWORD)
    resets, changes = await server.mailed_token(ADA), await server.mailed_token("new@example.org")
    server.clock.advance(ONE_TIME_TOKEN_TTL_MS)
    with pytest.raises(Invalid):
        await server.routes.credentials.reset_password(resets, NEW)
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(changes)
    assert (await account_of(server)).email == ADA
    assert await signs_in(server, PASSWORD)


async def test_a_token_serves_its_own_purpose_only(server: AccountServer) -> None:
    await server.register()
    confirms = await server.mailed_token(ADA)
    with pytest.raises(Invalid):
        await server.routes.credentials.reset_password(confirms, NEW)
    await server.routes.credentials.forgot_password(ADA)
    resets = await server.mailed_token(ADA)
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(resets)
    await server.routes.credentials.confirm_email(confirms)
    await server.routes.credentials.reset_password(resets, NEW)


async def test_an_address_changes_when_its_token_comes_back_and_the_old_one_is_told(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.change_email(made.user.id, "New@Example.org", PASSWORD)
    token = await server.mailed_token("New@example.org")
    assert (await account_of(server)).email == ADA
    await server.routes.credentials.confirm_email(token)
    account = await account_of(server)
    assert (account.email, account.email_confirmed) == ("New@example.org", True)
    assert "@ada" in (await server.mails(ADA))[-1].text
    await server.register("bo", ADA)
    await server.routes.accounts.sign_in(Credentials(PASSWORD, email="new@example.org"))


async def test_an_address_is_not_changed_by_a_wrong_password_nor_to_anothers(server: AccountServer) -> None:
    made = await server.register()
    await server.register("bo")
    with pytest.raises(Forbidden):
        await server.routes.credentials.change_email(made.user.id, "new@example.org", "a wrong phrase")
    with pytest.raises(AlreadyTaken):
        await server.routes.credentials.change_email(made.user.id, "BO@example.org", PASSWORD)
    with pytest.raises(Invalid):
        await server.routes.credentials.change_email(made.user.id, "no address", PASSWORD)
    assert await server.mails("new@example.org") == []


async def test_an_address_that_was_taken_meanwhile_is_refused_when_it_is_confirmed(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.change_email(made.user.id, "new@example.org", PASSWORD)
    token = await server.mailed_token("new@example.org")
    await server.register("bo", "new@example.org")
    with pytest.raises(AlreadyTaken):
        await server.routes.credentials.confirm_email(token)
    assert (await account_of(server)).email == ADA


async def test_where_that_is_not_told_changing_to_a_taken_address_answers_like_a_free_one(tmp_path: Path) -> None:
    silent = Settings(password_cost="low", reveal_email_taken=False)
    async with account_server(tmp_path, Wanted("sqlite", silent)) as server:
        made = await server.register()
        await server.register("bo")
        await server.errands.idle()
        server.mailer.sent.clear()
        await server.routes.credentials.change_email(made.user.id, "bo@example.org", PASSWORD)
        (mail,) = await server.mails()
        assert (mail.to, TOKEN.search(mail.text), "ada" in mail.text) == ("bo@example.org", None, False)


async def test_an_owner_hears_nothing_of_the_account_of_whoever_entered_his_address(tmp_path: Path) -> None:
    silent = Settings(password_cost="low", reveal_email_taken=False)
    async with account_server(tmp_path, Wanted("sqlite", silent)) as server:
        await server.register("bo")
        eve = await server.register("eve", "bo@example.org")
        await server.errands.idle()
        server.mailer.sent.clear()
        session_id = eve.issued.session.session_id
        await server.routes.credentials.change_password(eve.user.id, session_id, PASSWORD, NEW)
        await server.routes.credentials.change_email(eve.user.id, "eve@example.org", NEW)
        await server.routes.credentials.confirm_email(await server.mailed_token("eve@example.org"))
        await server.routes.users.delete(eve.user.id, NEW)
        assert await server.mails("bo@example.org") == []
        assert len(await server.mails("eve@example.org")) == 2


async def test_a_forgotten_password_is_replaced_and_everything_else_is_signed_out(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.forgot_password(" ADA@Example.org")
    token = await server.mailed_token(ADA)
    await server.routes.credentials.reset_password(token, NEW)
    assert not await is_signed_in(server, made.issued.token)
    assert (await signs_in(server, NEW), await signs_in(server, PASSWORD)) == (True, False)
    assert (await account_of(server)).email_confirmed
    assert "new password" in (await server.mails(ADA))[-1].text
    with pytest.raises(Invalid):
        await server.routes.credentials.reset_password(token, "yet another phrase")


async def test_nobody_is_told_whether_an_address_is_known(server: AccountServer) -> None:
    await server.register()
    await server.errands.idle()
    server.mailer.sent.clear()
    await server.routes.credentials.forgot_password("nobody@example.org")
    assert await server.mails() == []
    with pytest.raises(Invalid):
        await server.routes.credentials.forgot_password("no address")


async def test_a_refused_password_does_not_spend_the_token(server: AccountServer) -> None:
    await server.register("adalovelace", ADA)
    await server.routes.credentials.forgot_password(ADA)
    token = await server.mailed_token(ADA)
    for refused in ("short", "password", "adalovelace1"):
        with pytest.raises(Invalid):
            await server.routes.credentials.reset_password(token, refused)
    await server.routes.credentials.reset_password(token, NEW)
    assert await signs_in(server, NEW, "adalovelace")


async def test_of_many_who_redeem_a_token_at_once_one_does(server: AccountServer) -> None:
    await server.register()
    await server.routes.credentials.forgot_password(ADA)
    token = await server.mailed_token(ADA)
    passwords = [f"the phrase of number {number}" for number in range(6)]
    outcomes = await asyncio.gather(
        *(server.routes.credentials.reset_password(token, password) for password in passwords), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 1
    assert [await signs_in(server, password) for password in passwords] == [outcome is None for outcome in outcomes]


async def test_a_reset_voids_a_change_of_address_that_an_intruder_began(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.change_email(made.user.id, "intruder@example.org", PASSWORD)
    intruders = await server.mailed_token("intruder@example.org")
    await server.routes.credentials.forgot_password(ADA)
    await server.routes.credentials.reset_password(await server.mailed_token(ADA), NEW)
    with pytest.raises(Invalid):
        await server.routes.credentials.confirm_email(intruders)
    assert (await account_of(server)).email == ADA


async def test_a_reset_token_dies_with_the_address_that_it_was_sent_to(server: AccountServer) -> None:
    made = await server.register()
    await server.routes.credentials.forgot_password(ADA)
    resets = await server.mailed_token(ADA)
    await server.routes.credentials.change_email(made.user.id, "new@example.org", PASSWORD)
    await server.routes.credentials.confirm_email(await server.mailed_token("new@example.org"))
    with pytest.raises(Invalid):
        await server.routes.credentials.reset_password(resets, NEW)


async def test_a_changed_password_keeps_the_session_in_use_and_ends_all_others(server: AccountServer) -> None:
    made = await server.register()
    other = await server.routes.accounts.sign_in(Credentials(PASSWORD, username="ada"))
    assert await is_signed_in(server, other.token)
    session_id = made.issued.session.session_id
    with pytest.raises(Forbidden):
        await server.routes.credentials.change_password(made.user.id, session_id, "a wrong phrase", NEW)
    with pytest.raises(Invalid) as refused:
        await server.routes.credentials.change_password(made.user.id, session_id, PASSWORD, "short")
    assert [one.field for one in refused.value.fields] == ["new"]
    await server.routes.credentials.change_password(made.user.id, session_id, PASSWORD, NEW)
    assert (await is_signed_in(server, made.issued.token), await is_signed_in(server, other.token)) == (True, False)
    assert (await signs_in(server, NEW), await signs_in(server, PASSWORD)) == (True, False)


async def test_nothing_is_mailed_or_changed_for_the_deleted(tmp_path: Path) -> None:
    async with account_server(tmp_path, Wanted("sqlite", erasing=False)) as server:
        made = await server.register()
        confirms = await server.mailed_token(ADA)
        await server.routes.credentials.forgot_password(ADA)
        resets = await server.mailed_token(ADA)
        await server.routes.users.delete(made.user.id, PASSWORD)
        await server.errands.idle()
        server.mailer.sent.clear()
        await server.routes.credentials.forgot_password(ADA)
        with pytest.raises(NotFound):
            await server.routes.credentials.resend_confirmation(made.user.id)
        with pytest.raises(Invalid):
            await server.routes.credentials.reset_password(resets, NEW)
        assert await server.mails() == []
        assert confirms != resets


async def test_a_token_that_was_never_mailed_opens_nothing(server: AccountServer) -> None:
    await server.register()
    with pytest.raises(Invalid):
        await server.routes.credentials.reset_password(token_text(bytes(32)), NEW)


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["resend", "forgot", "change password"]),
        st.tuples(st.just("change email"), st.sampled_from(["one", "two", "ada"])),
        st.tuples(st.sampled_from(["confirm", "reset"]), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([1, ONE_TIME_TOKEN_TTL_MS // 2, ONE_TIME_TOKEN_TTL_MS])),
    ),
    max_size=25,
)


class Story:
    """One user, the mails that came so far, and what must be true of the tokens in them."""

    def __init__(self, server: AccountServer) -> None:
        self.server = server
        self.password = PASSWORD
        self.came_ms: dict[str, int] = {}
        self.spent: set[str] = set()

    async def begin(self) -> None:
        made = await self.server.register()
        self.user_id, self.session_id = made.user.id, made.issued.session.session_id
        await self.look_into_the_post_box()

    async def look_into_the_post_box(self) -> None:
        for mail in await self.server.mails():
            found = TOKEN.search(mail.text)
            if found is not None:
                self.came_ms.setdefault(found[1], self.server.clock.now_ms())

    async def step(self, step: str | tuple[str, int | str]) -> None:
        routes = self.server.routes.credentials
        match step:
            case "resend":
                await routes.resend_confirmation(self.user_id)
            case "forgot":
                await routes.forgot_password((await account_of(self.server)).email)
            case "change password":
                new = f"phrase number {len(self.came_ms)} {len(self.spent)}"
                await routes.change_password(self.user_id, self.session_id, self.password, new)
                self.password = new
            case ("change email", name):
                await routes.change_email(self.user_id, f"{name}@example.org", self.password)
            case ("wait", int(ms)):
                self.server.clock.advance(ms)
            case (act, int(number)):
                await self.redeem(str(act), number)
            case _:
                raise AssertionError(step)
        await self.look_into_the_post_box()
        await self.check()

    async def redeem(self, act: str, number: int) -> None:
        routes, tokens = self.server.routes.credentials, list(self.came_ms)
        token = tokens[number % len(tokens)]
        before, new = await account_of(self.server), f"phrase after token {len(self.spent)}"
        try:
            await (routes.confirm_email(token) if act == "confirm" else routes.reset_password(token, new))
        except RoostError:
            assert await account_of(self.server) == before
            return
        assert token not in self.spent, "a token worked twice"
        assert self.server.clock.now_ms() - self.came_ms[token] < ONE_TIME_TOKEN_TTL_MS, "a token outlived its hour"
        self.spent.add(token)
        if act == "reset":
            self.password = new

    async def check(self) -> None:
        account = await account_of(self.server)
        assert await self.server.node.engines.passwords.verify(self.password, account.password_hash)
        texts = [mail.text for mail in self.server.mailer.sent]
        assert not any(self.password in text or account.password_hash in text for text in texts)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_whatever_is_in_the_post_box_a_token_works_once_within_its_hour_and_nothing_else_changes_a_password(
    steps: list[str | tuple[str, int | str]],
) -> None:
    async def play() -> None:
        with TemporaryDirectory() as folder:
            async with account_server(Path(folder)) as server:
                story = Story(server)
                await story.begin()
                for step in steps:
                    await story.step(step)

    asyncio.run(play())


def test_every_purpose_has_a_letter_with_the_token_alone_on_its_line() -> None:
    token = token_text(bytes(range(32)))
    for purpose in TokenPurpose:
        letter = token_letter(purpose, "https://roost.example", "ada", token)
        assert TOKEN.findall(letter.text) == [token]
        Mail(ADA, letter.subject, letter.text)
