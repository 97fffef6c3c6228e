"""Follows, blocks, mutes, requests and the lists of users over REST."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Options, Person, native_server
from api.rest_pages import walk_down
from roost.assembly.settings import Settings
from roost.edge.native.shapes import UserPage


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def ada(server: NativeServer) -> Person:
    return await server.join("ada")


@pytest_asyncio.fixture
async def bo(server: NativeServer) -> Person:
    return await server.join("bo")


async def _names(server: NativeServer, path: str, person: Person | None = None) -> list[str]:
    return [user["username"] for user in await walk_down(server, path, "users", person, limit=2)]


async def test_followers_and_followed_are_listed_newest_first(server: NativeServer, ada: Person) -> None:
    others = [await server.join(f"fan{n}") for n in range(5)]
    for other in others:
        await other.does("POST", f"/user/{ada.id}/follow")
        await ada.does("POST", f"/user/{other.id}/follow")
    newest_first = [other.user.username for other in others][::-1]
    assert await _names(server, f"/user/{ada.id}/followers") == newest_first
    assert await _names(server, f"/user/{ada.id}/following") == newest_first


async def test_a_list_has_the_documented_shape_and_tells_how_the_reader_stands(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    await ada.does("POST", f"/user/{bo.id}/follow")
    await bo.does("POST", f"/user/{ada.id}/mute")
    page = await bo.get(f"/user/{bo.id}/followers")
    user = msgspec.json.decode(page.content, type=UserPage, strict=True).users[0]
    assert user.viewer.followed_by
    assert user.viewer.muting
    assert not user.viewer.following
    assert user.email is msgspec.UNSET
    assert "email" not in page.json()["users"][0]


async def test_each_act_may_be_repeated(ada: Person, bo: Person) -> None:
    for act in ("follow", "mute", "block"):
        for method in ("POST", "POST", "DELETE", "DELETE"):
            await ada.does(method, f"/user/{bo.id}/{act}")


@pytest.mark.parametrize("act", ["follow", "mute", "block"])
@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_no_act_is_done_to_oneself_or_nobody(ada: Person, act: str, method: str) -> None:
    await ada.does(method, f"/user/{ada.id}/{act}", 409)
    await ada.does(method, f"/user/12345/{act}", 404)
    await ada.does(method, f"/user/ada/{act}", 422)


async def test_a_block_ends_follows_both_ways_and_forbids_new_ones(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    await ada.does("POST", f"/user/{bo.id}/follow")
    await bo.does("POST", f"/user/{ada.id}/follow")
    await ada.does("POST", f"/user/{bo.id}/block")
    for person in (ada, bo):
        assert await _names(server, f"/user/{person.id}/followers") == []
    await bo.does("POST", f"/user/{ada.id}/follow", 404)
    await ada.does("POST", f"/user/{bo.id}/follow", 403)
    assert await _names(server, "/blocks", ada) == ["bo"]


async def test_a_request_waits_until_it_is_accepted_or_rejected(server: NativeServer, ada: Person, bo: Person) -> None:
    shy = await server.join("shy", protected=True)
    for person in (ada, bo):
        await person.does("POST", f"/user/{shy.id}/follow", 202)
    assert await _names(server, "/follow-requests", shy) == ["bo", "ada"]
    await shy.does("POST", f"/follow-requests/{ada.id}/accept")
    await shy.does("POST", f"/follow-requests/{ada.id}/accept")
    await shy.does("POST", f"/follow-requests/{bo.id}/reject")
    await shy.does("POST", f"/follow-requests/{bo.id}/reject", 404)
    assert await _names(server, "/follow-requests", shy) == []
    assert await _names(server, f"/user/{shy.id}/followers", ada) == ["ada"]


async def test_a_request_can_be_taken_back(server: NativeServer, ada: Person) -> None:
    shy = await server.join("shy", protected=True)
    await ada.does("POST", f"/user/{shy.id}/follow", 202)
    await ada.does("DELETE", f"/user/{shy.id}/follow")
    assert await _names(server, "/follow-requests", shy) == []


async def test_the_lists_of_a_protected_user_are_for_who_may_see_his_tweets(
    server: NativeServer, ada: Person, bo: Person
) -> None:
    shy = await server.join("shy", protected=True)
    await ada.does("POST", f"/user/{shy.id}/follow", 202)
    await shy.does("POST", f"/follow-requests/{ada.id}/accept")
    for list in ("followers", "following"):
        path = f"/user/{shy.id}/{list}"
        assert (await bo.get(path)).status_code == 403
        assert (await server.get(path)).status_code == 403
        assert (await ada.get(path)).status_code == 200
        assert (await shy.get(path)).status_code == 200


async def test_the_blocked_and_the_deleted_are_left_out_of_lists(server: NativeServer, ada: Person, bo: Person) -> None:
    reader, gone = await server.join("reader"), await server.join("gone")
    for person in (ada, bo, gone):
        await person.does("POST", f"/user/{reader.id}/follow")
    await server.change(gone, deleted=True)
    cal = await server.join("cal")
    await cal.does("POST", f"/user/{ada.id}/block")
    await bo.does("POST", f"/user/{cal.id}/block")
    path = f"/user/{reader.id}/followers"
    assert await _names(server, path, cal) == []
    assert await _names(server, path) == ["bo", "ada"]


async def test_the_lists_of_who_blocked_the_reader_are_not_found(server: NativeServer, ada: Person, bo: Person) -> None:
    await ada.does("POST", f"/user/{bo.id}/block")
    assert (await bo.get(f"/user/{ada.id}/followers")).status_code == 404
    assert (await ada.get(f"/user/{bo.id}/followers")).status_code == 403


async def test_mutes_and_blocks_are_listed_to_who_made_them(server: NativeServer, ada: Person, bo: Person) -> None:
    await ada.does("POST", f"/user/{bo.id}/mute")
    await ada.does("POST", f"/user/{bo.id}/block")
    assert await _names(server, "/mutes", ada) == ["bo"]
    assert await _names(server, "/blocks", ada) == ["bo"]
    assert await _names(server, "/mutes", bo) == []
    for path in ("/mutes", "/blocks", "/follow-requests"):
        assert (await server.get(path)).status_code == 401


async def test_nobody_follows_more_than_the_bound(tmp_path: Path) -> None:
    options = Options(settings=replace(Settings(), following_max=2))
    async with native_server(tmp_path, options) as server:
        ada = await server.join("ada")
        others = [await server.join(f"user{n}") for n in range(3)]
        for other in others[:2]:
            await ada.does("POST", f"/user/{other.id}/follow")
        await ada.does("POST", f"/user/{others[2].id}/follow", 422)


@pytest.mark.parametrize("list", ["followers", "following"])
async def test_a_list_of_nobody_is_not_found_and_a_wrong_cursor_refused(server: NativeServer, list: str) -> None:
    assert (await server.get(f"/user/12345/{list}")).status_code == 404
    assert (await server.get(f"/user/12345/{list}", before="x")).status_code == 422
    assert (await server.get(f"/user/12345/{list}", limit=101)).status_code == 422
