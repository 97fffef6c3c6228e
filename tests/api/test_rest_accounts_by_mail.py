"""Addresses and passwords over REST, by the tokens of mails."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.edge.native.limits import Rule

NEW = "a different phrase"
ADA = "ada@example.org"


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def email_of(server: AccountServer, user_id: int, token: str) -> tuple[str, bool]:
    body = (await server.ask("GET", f"/user/{user_id}", token)).json()
    return body["email"], body["email_confirmed"]


async def test_an_address_is_confirmed_by_the_token_that_was_sent_again(server: AccountServer) -> None:
    made = await server.register()
    token = made.issued.token
    assert (await server.ask("POST", "/email/confirm/resend")).status_code == 401
    assert (await server.ask("POST", "/email/confirm/resend", token)).status_code == 204
    body = {"token": await server.mailed_token(ADA)}
    assert (await server.ask("POST", "/email/confirm", json=body)).status_code == 204
    assert await email_of(server, made.user.id, token) == (ADA, True)
    again = await server.ask("POST", "/email/confirm", json=body)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "token")


async def test_an_address_is_changed_by_password_and_token(server: AccountServer) -> None:
    made = await server.register()
    token = made.issued.token
    body = {"email": "new@example.org", "password": "a wrong phrase"}
    assert (await server.ask("POST", "/email/change", token, json=body)).status_code == 403
    body["password"] = PASSWORD
    assert (await server.ask("POST", "/email/change", json=body)).status_code == 401
    assert (await server.ask("POST", "/email/change", token, json=body)).status_code == 204
    assert await email_of(server, made.user.id, token) == (ADA, False)
    confirm = {"token": await server.mailed_token("new@example.org")}
    assert (await server.ask("POST", "/email/confirm", json=confirm)).status_code == 204
    assert await email_of(server, made.user.id, token) == ("new@example.org", True)


async def test_a_forgotten_password_is_asked_for_and_reset(server: AccountServer) -> None:
    made = await server.register()
    known = await server.answered("POST", "/password/forgot", json={"email": ADA})
    unknown = await server.answered("POST", "/password/forgot", json={"email": "nobody@example.org"})
    assert known == unknown
    assert known[:2] == (202, b"")
    assert (await server.ask("POST", "/password/forgot", json={"email": "nothing"})).status_code == 422
    token = await server.mailed_token(ADA)
    short = await server.ask("POST", "/password/reset", json={"token": token, "password": "short"})
    assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "password")
    reset = {"token": token, "password": NEW}
    assert (await server.ask("POST", "/password/reset", json=reset)).status_code == 204
    assert (await server.ask("POST", "/password/reset", json=reset)).status_code == 422
    assert (await server.ask("GET", "/sessions", made.issued.token)).status_code == 401
    for password, status in ((PASSWORD, 401), (NEW, 200)):
        login = await server.ask("POST", "/login", json={"username": "ada", "password": password})
        assert login.status_code == status


async def test_a_password_is_changed_by_the_old_one_and_other_sessions_end(server: AccountServer) -> None:
    made = await server.register()
    token = made.issued.token
    other = (await server.ask("POST", "/login", json={"username": "ada", "password": PASSWORD})).json()["token"]
    wrong = await server.ask("POST", "/password/change", token, json={"old": "a wrong phrase", "new": NEW})
    assert wrong.status_code == 403
    assert (await server.ask("POST", "/password/change", token, json={"old": PASSWORD})).status_code == 422
    changed = await server.ask("POST", "/password/change", token, json={"old": PASSWORD, "new": NEW})
    assert changed.status_code == 204
    assert (await server.ask("GET", "/sessions", token)).status_code == 200
    assert (await server.ask("GET", "/sessions", other)).status_code == 401


async def test_nobodys_post_box_is_filled_from_many_addresses(tmp_path: Path) -> None:
    rules = [Rule(name, 1_000, 60.0) for name in ("sign_in", "read", "upload")]
    async with account_server(tmp_path, Wanted(rules=[*rules, Rule("sign_up", 3, 3_600.0)])) as server:
        await server.register()
        await server.errands.idle()
        server.mailer.sent.clear()
        statuses = [
            (await server.ask("POST", "/password/forgot", json={"email": email})).status_code
            for email in (ADA, "ADA@example.org", " ada@example.org", ADA, "other@example.org")
        ]
        assert statuses == [202, 202, 202, 429, 202]
        assert len(await server.mails()) == 3
