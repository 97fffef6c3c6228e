"""Profiles over REST: read, edited, deleted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.assembly.settings import Settings
from roost.commands.register_user import Registered
from roost.domain.content import Blob, Content, Digest, MediaType
from roost.domain.ids import ContentId, Version
from roost.domain.relation import Relation, RelationKind

PUBLIC = {
    *("user_id", "username", "display_name", "bio", "avatar_url", "protected", "created_at", "counts", "viewer"),
}
PRIVATE = {"email", "email_confirmed", "mobile"}


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


@pytest_asyncio.fixture
async def ada(server: AccountServer) -> Registered:
    return await server.register("Ada", "ada@example.org")


@pytest_asyncio.fixture
async def bo(server: AccountServer) -> Registered:
    return await server.register("bo")


async def test_the_private_part_of_a_profile_is_for_its_owner(
    server: AccountServer, ada: Registered, bo: Registered
) -> None:
    for path in (f"/user/{ada.user.id}", "/user/by/username/ADA"):
        own = (await server.ask("GET", path, ada.issued.token)).json()
        assert set(own) == PUBLIC | PRIVATE
        assert (own["username"], own["email"]) == ("Ada", "ada@example.org")
        for token in (None, bo.issued.token):
            shown = await server.ask("GET", path, token)
            assert (shown.status_code, set(shown.json())) == (200, PUBLIC)
            assert "ada@example.org" not in shown.text


async def test_who_is_blocked_finds_nobody(server: AccountServer, ada: Registered, bo: Registered) -> None:
    engines = server.node.engines
    block = Relation(RelationKind.BLOCK, ada.user.id, bo.user.id, engines.ids.next_version())
    position = await engines.stores.relations.add(block, 10)
    assert position is not None
    assert await server.node.progress.reached(position)
    for path in (f"/user/{ada.user.id}", "/user/by/username/ada"):
        assert (await server.ask("GET", path, bo.issued.token)).status_code == 404
        assert (await server.ask("GET", path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/user/404", 404),
        ("/user/by/username/nobody", 404),
        ("/user/by/username/%D0%B0da", 404),
        ("/user/-1", 422),
        ("/user/9223372036854775808", 422),
        ("/user/x", 422),
        ("/user/by/username/" + "x" * 200, 422),
        ("/user/by/username/%ff", 404),
    ],
)
async def test_nobody_is_not_found(server: AccountServer, path: str, status: int) -> None:
    assert (await server.ask("GET", path)).status_code == status


async def test_without_public_reading_a_profile_needs_a_session(tmp_path: Path) -> None:
    settings = Settings(password_cost="low", public_read=False)
    async with account_server(tmp_path, Wanted(settings=settings)) as server:
        made = await server.register()
        assert (await server.ask("GET", f"/user/{made.user.id}")).status_code == 401
        assert (await server.ask("GET", f"/user/{made.user.id}", made.issued.token)).status_code == 200


async def test_a_profile_is_edited_by_its_owner_and_unknown_fields_are_passed_over(
    server: AccountServer, ada: Registered, bo: Registered
) -> None:
    path, body = f"/user/{ada.user.id}", {"display_name": "Ada L.", "bio": "counts\r\nmuch", "unknown": {"x": 1}}
    response = await server.ask("PATCH", path, ada.issued.token, json=body)
    assert response.status_code == 200
    assert (response.json()["display_name"], response.json()["bio"]) == ("Ada L.", "counts\nmuch")
    assert set(response.json()) == PUBLIC | PRIVATE
    assert (await server.ask("GET", path)).json()["display_name"] == "Ada L."
    assert (await server.ask("PATCH", path, bo.issued.token, json=body)).status_code == 403
    assert (await server.ask("PATCH", path, json=body)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": ""},
        {"display_name": None},
        {"display_name": "a\u202eb"},
        {"display_name": "a\u200bb"},
        {"bio": "x" * 161},
        {"bio": 5},
        {"protected": "yes"},
        {"protected": None},
        {"avatar_content_id": "nope"},
        {"avatar_content_id": 7},
    ],
)
async def test_a_wrong_field_of_a_profile_is_named(
    server: AccountServer, ada: Registered, body: dict[str, object]
) -> None:
    response = await server.ask("PATCH", f"/user/{ada.user.id}", ada.issued.token, json=body)
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["errors"]] == list(body)


async def test_a_picture_comes_and_goes(server: AccountServer, ada: Registered) -> None:
    blob = Blob(Digest("a" * 64), 10, MediaType.PNG)
    content = Content(ContentId("c" * 32), ada.user.id, 1, "", 100, Version(1)).completed(
        blob, blob, width=1, height=1, duration_ms=None, version=Version(2)
    )
    await server.node.engines.stores.contents.add(content, 1_000)
    path, token = f"/user/{ada.user.id}", ada.issued.token
    shown = await server.ask("PATCH", path, token, json={"avatar_content_id": content.id})
    assert content.id in shown.json()["avatar_url"]
    kept = await server.ask("PATCH", path, token, json={"bio": "counts"})
    assert kept.json()["avatar_url"] == shown.json()["avatar_url"]
    gone = await server.ask("PATCH", path, token, json={"avatar_content_id": None})
    assert gone.json()["avatar_url"] is None


async def test_switching_protection_off_lets_in_who_waits(
    server: AccountServer, ada: Registered, bo: Registered
) -> None:
    path, token, relations = f"/user/{ada.user.id}", ada.issued.token, server.node.engines.stores.relations
    assert (await server.ask("PATCH", path, token, json={"protected": True})).json()["protected"]
    request = Relation(RelationKind.REQUEST, bo.user.id, ada.user.id, server.node.engines.ids.next_version())
    await relations.add(request, 10)
    assert not (await server.ask("PATCH", path, token, json={"protected": False})).json()["protected"]
    assert await relations.holds(RelationKind.FOLLOW, bo.user.id, ada.user.id) is not None
    seen = (await server.ask("GET", path, bo.issued.token)).json()
    assert (seen["viewer"]["following"], seen["viewer"]["requested"]) == (True, False)


async def test_a_deleted_account_is_gone_at_once_and_its_name_stays_taken(
    server: AccountServer, ada: Registered, bo: Registered
) -> None:
    path, token = f"/user/{ada.user.id}", ada.issued.token
    for who, body, status in (
        (token, {"password": "a wrong phrase"}, 403),
        (token, {}, 422),
        (bo.issued.token, {"password": PASSWORD}, 403),
        (None, {"password": PASSWORD}, 401),
    ):
        assert (await server.ask("DELETE", path, who, json=body)).status_code == status
    assert (await server.ask("DELETE", path, token, json={"password": PASSWORD})).status_code == 202
    assert (await server.ask("GET", path)).status_code == 404
    assert (await server.ask("GET", "/user/by/username/ada")).status_code == 404
    assert (await server.ask("GET", "/sessions", token)).status_code == 401
    login = await server.ask("POST", "/login", json={"username": "ada", "password": PASSWORD})
    assert login.status_code == 401
    await server.settled()
    again = {"username": "aDa", "password": PASSWORD, "email": "ada@example.org"}
    assert (await server.ask("POST", "/create/user", json=again)).status_code == 409
    again["username"] = "ada2"
    assert (await server.ask("POST", "/create/user", json=again)).status_code == 201
