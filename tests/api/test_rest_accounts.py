"""Registering, signing in and out over REST."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.assembly.settings import Settings
from roost.edge.native.limits import Rule

ADA = {"username": "ada", "password": PASSWORD, "email": "ada@example.org"}


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def created(server: AccountServer, **fields: str) -> Any:
    response = await server.ask("POST", "/create/user", json={**ADA, **fields})
    assert response.status_code == 201, response.text
    return response.json()


async def cookie_session(server: AccountServer) -> dict[str, str]:
    """The headers of a browser that is signed in."""
    response = await server.ask("POST", "/login?session=cookie", json={"username": "ada", "password": PASSWORD})
    pair = response.headers["set-cookie"].partition(";")[0]
    server.client.cookies.clear()  # what is sent is what a test says
    return {"Cookie": pair, "X-CSRF-Token": response.json()["csrf_token"]}


async def test_a_registered_user_is_answered_as_the_contract_says(server: AccountServer) -> None:
    response = await server.ask("POST", "/create/user", json={**ADA, "mobile": "+31 6 1234 5678"})
    body = response.json()
    assert response.status_code == 201
    assert set(body) == {"user_id", "username", "created_at", "token", "expires_at"}
    assert body["username"] == "ada"
    lasts = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["created_at"])
    assert lasts.total_seconds() == server.node.settings.session_ttl_s
    assert response.headers["x-roost-position"]
    assert response.headers["cache-control"] == "private, no-store"
    me = await server.ask("GET", f"/user/{body['user_id']}", body["token"])
    assert (me.json()["email"], me.json()["mobile"]) == ("ada@example.org", "+31612345678")


async def test_the_capital_spellings_are_accepted_and_answered_in_kind(server: AccountServer) -> None:
    wanted = {"Username": "Ada", "Password": PASSWORD, "Email": "ada@example.org", "Mobile": "+31612345678"}
    assert (await server.ask("POST", "/create/user", json=wanted)).status_code == 201
    again = await server.ask("POST", "/create/user", json=wanted)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "Username")
    wrong = await server.ask("POST", "/create/user", json={"Username": "", "password": "x", "Email": "y"})
    assert wrong.status_code == 422
    assert [one["field"] for one in wrong.json()["errors"]] == ["Username", "Email", "password"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"username", "email", "password"}),
        ({**ADA, "username": "root"}, {"username"}),
        ({**ADA, "username": "a" * 16, "password": "ada" * 3, "email": "x@y"}, {"username", "password", "email"}),
        ({**ADA, "password": "password1"}, {"password"}),
        ({**ADA, "mobile": "12"}, {"mobile"}),
        ({**ADA, "username": 5}, {"username"}),
        ({**ADA, "username": "\u0430da"}, {"username"}),
    ],
)
async def test_wrong_fields_are_named(server: AccountServer, body: dict[str, object], fields: set[str]) -> None:
    response = await server.ask("POST", "/create/user", json=body)
    assert response.status_code == 422, response.text
    assert {one["field"] for one in response.json()["errors"]} == fields
    assert PASSWORD not in response.text


async def test_a_taken_name_and_a_taken_address_are_conflicts_that_name_the_field(server: AccountServer) -> None:
    await created(server)
    for change, field in (({"email": "b@example.org", "username": "ADA"}, "username"), ({"username": "bo"}, "email")):
        response = await server.ask("POST", "/create/user", json={**ADA, **change})
        assert (response.status_code, response.json()["type"]) == (409, "/problems/already-taken")
        assert [one["field"] for one in response.json()["errors"]] == [field]


async def test_where_that_is_not_told_the_answers_for_a_taken_and_a_free_address_look_alike(tmp_path: Path) -> None:
    settings = Settings(password_cost="low", reveal_email_taken=False)
    async with account_server(tmp_path, Wanted("sqlite", settings)) as server:
        await created(server)
        taken = await server.ask("POST", "/create/user", json={**ADA, "username": "eve"})
        free = await server.ask("POST", "/create/user", json={**ADA, "username": "mal", "email": "free@example.org"})
        assert (
            (taken.status_code, set(taken.headers)) == (free.status_code, set(free.headers)) == (201, set(free.headers))
        )
        profiles = []
        for body in (taken.json(), free.json()):
            profile = (await server.ask("GET", f"/user/{body['user_id']}", body["token"])).json()
            assert profile["username"] == body["username"]
            profiles.append({key: value for key, value in profile.items() if key in {"email_confirmed", "mobile"}})
            assert (await server.ask("POST", "/email/confirm/resend", body["token"])).status_code == 204
        assert profiles[0] == profiles[1]


async def test_signing_in_gives_a_token_that_works_and_signing_out_ends_it(server: AccountServer) -> None:
    user_id = (await created(server))["user_id"]
    for who in ({"username": "ADA"}, {"email": "ada@example.org"}):
        response = await server.ask("POST", "/login", json={**who, "password": PASSWORD})
        assert response.status_code == 200
        assert set(response.json()) == {"token", "user_id", "expires_at"}
        token = response.json()["token"]
        assert response.json()["user_id"] == user_id
        assert (await server.ask("GET", "/sessions", token)).status_code == 200
        assert (await server.ask("POST", "/logout", token)).status_code == 204
        assert (await server.ask("GET", "/sessions", token)).status_code == 401
        assert (await server.ask("POST", "/logout", token)).status_code == 401


async def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(server: AccountServer) -> None:
    await created(server)
    answers = [
        await server.answered("POST", "/login", json=body)
        for body in (
            {"username": "ada", "password": "wrong phrase"},
            {"username": "nobody", "password": PASSWORD},
            {"email": "ada@example.org", "password": "wrong phrase"},
            {"email": "nobody@example.org", "password": PASSWORD},
            {"email": "no address", "password": PASSWORD},
        )
    ]
    assert answers[0][0] == 401
    assert answers == [answers[0]] * len(answers)


@pytest.mark.parametrize(
    "body", [{}, {"password": PASSWORD}, {"username": "ada"}, {"username": "a", "email": "b@c.de", "password": "x" * 9}]
)
async def test_a_log_in_that_names_nobody_or_two_is_refused(server: AccountServer, body: dict[str, str]) -> None:
    assert (await server.ask("POST", "/login", json=body)).status_code == 422


async def test_a_browser_gets_a_cookie_that_scripts_cannot_read_and_no_token(server: AccountServer) -> None:
    await created(server)
    response = await server.ask("POST", "/login?session=cookie", json={"username": "ada", "password": PASSWORD})
    assert set(response.json()) == {"user_id", "expires_at", "csrf_token"}
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("roost=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert f"Max-Age={server.node.settings.session_ttl_s}" in cookie
    assert response.json()["csrf_token"] not in cookie
    assert (await server.ask("POST", "/login?session=jar", json={"password": PASSWORD})).status_code == 422


async def test_behind_tls_the_cookie_is_secure_and_bound_to_its_host(tmp_path: Path) -> None:
    async with account_server(tmp_path, Wanted(settings=Settings(password_cost="low", behind_tls=True))) as server:
        await created(server)
        response = await server.ask("POST", "/login?session=cookie", json={"username": "ada", "password": PASSWORD})
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("__Host-roost=")
        assert "; Secure" in cookie
        assert "Domain" not in cookie


async def test_changes_by_cookie_need_the_second_token_and_reads_do_not(server: AccountServer) -> None:
    user_id = (await created(server))["user_id"]
    headers = await cookie_session(server)
    cookie_only = {"Cookie": headers["Cookie"]}
    path = f"/user/{user_id}"
    assert (await server.ask("GET", "/sessions", headers=cookie_only)).status_code == 200
    change = {"bio": "counts"}
    assert (await server.ask("PATCH", path, json=change, headers=cookie_only)).status_code == 403
    wrong = {**headers, "X-CSRF-Token": headers["X-CSRF-Token"][::-1]}
    assert (await server.ask("PATCH", path, json=change, headers=wrong)).status_code == 403
    assert (await server.ask("PATCH", path, json=change, headers=headers)).status_code == 200
    left = await server.ask("POST", "/logout", headers=headers)
    assert (left.status_code, "Max-Age=0" in left.headers["set-cookie"]) == (204, True)
    assert (await server.ask("GET", "/sessions", headers=cookie_only)).status_code == 401


async def test_sessions_are_listed_newest_first_and_one_can_be_ended(server: AccountServer) -> None:
    first = (await created(server))["token"]
    server.clock.advance(1_000)
    signed_in = await server.ask(
        "POST", "/login", json={"username": "ada", "password": PASSWORD}, headers={"User-Agent": "a telephone"}
    )
    second = signed_in.json()["token"]
    listed = (await server.ask("GET", "/sessions", first)).json()["sessions"]
    assert [one["current"] for one in listed] == [False, True]
    assert listed[0]["client"] == "a telephone"
    assert set(listed[0]) == {"session_id", "created_at", "last_used_at", "client", "current"}
    ended = await server.ask("DELETE", f"/sessions/{listed[0]['session_id']}", first)
    assert ended.status_code == 204
    assert (await server.ask("GET", "/sessions", second)).status_code == 401
    assert (await server.ask("GET", "/sessions", first)).status_code == 200
    for id in (listed[0]["session_id"], "nonsense", "%00", "é"):
        assert (await server.ask("DELETE", f"/sessions/{id}", first)).status_code == 404


async def test_nobody_ends_anothers_session(server: AccountServer) -> None:
    ada = (await created(server))["token"]
    bo = (await created(server, username="bo", email="bo@example.org"))["token"]
    (session,) = (await server.ask("GET", "/sessions", ada)).json()["sessions"]
    assert (await server.ask("DELETE", f"/sessions/{session['session_id']}", bo)).status_code == 404
    assert (await server.ask("GET", "/sessions", ada)).status_code == 200


async def test_sign_ups_count_by_the_address_they_come_from(tmp_path: Path) -> None:
    rules = [
        Rule(name, 2 if name == "sign_up" else 1_000, 3_600.0) for name in ("sign_up", "sign_in", "read", "upload")
    ]
    async with account_server(tmp_path, Wanted(rules=rules)) as server:
        for number in range(2):
            await created(server, username=f"u{number}", email=f"u{number}@example.org")
        response = await server.ask("POST", "/create/user", json={**ADA, "username": "u3"})
        assert response.status_code == 429
        assert response.headers["retry-after"] == "1800"


async def test_log_ins_count_by_the_account_that_they_aim_at_however_it_is_spelled(tmp_path: Path) -> None:
    rules = [Rule(name, 1_000, 60.0) for name in ("sign_up", "read", "upload")]
    async with account_server(tmp_path, Wanted(rules=[*rules, Rule("sign_in", 6, 60.0)])) as server:
        await created(server)
        limits = server.routes.accounts.limits
        for name in ("ada", "Ada", "ADA"):
            assert (
                await server.ask("POST", "/login", json={"username": name, "password": "wrong phrase"})
            ).status_code == 401
        # The rest of the account's tries, from elsewhere.
        for _ in range(3):
            limits.take("sign_in", next(key for key in limits._rules["sign_in"][1] if key.startswith("account:")))  # noqa: SLF001 - as other addresses would
        refused = await server.ask("POST", "/login", json={"username": "aDa", "password": PASSWORD})
        assert refused.status_code == 429
        other = await server.ask("POST", "/login", json={"username": "bo", "password": PASSWORD})
        assert other.status_code == 401
