"""Rate limits as callers meet them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from api.native_app import NativeServer, Options, native_server
from roost.assembly.settings import Settings

FEW = Options(settings=Settings(post_per_hour=2, follow_per_hour=1, search_per_minute=2))


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path, FEW) as started:
        yield started


async def test_a_user_who_posts_too_much_is_told_when_to_come_back(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    first = await ada.post("/tweet", {"message": "one"})
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
    await ada.tweet("two")
    refused = await ada.post("/tweet", {"message": "three"})
    assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
    assert 1_700 < int(refused.headers["retry-after"]) <= 1_800
    assert (refused.headers["x-ratelimit-limit"], refused.headers["x-ratelimit-remaining"]) == ("2", "0")
    assert refused.headers["x-ratelimit-reset"] == refused.headers["retry-after"]
    await bo.tweet("another user has his own")


async def test_taking_back_is_not_counted_as_giving(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    await ada.does("POST", f"/user/{bo.id}/follow")
    await ada.does("POST", f"/user/{bo.id}/mute", 429)
    for _ in range(3):
        await ada.does("DELETE", f"/user/{bo.id}/follow")


async def test_strangers_are_counted_by_address_and_users_apart_from_them(server: NativeServer) -> None:
    ada = await server.join("ada")
    statuses = [(await server.get("/search", q="x")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert (await ada.get("/search", q="x")).status_code == 200


async def test_a_wrong_request_counts_too(server: NativeServer) -> None:
    ada = await server.join("ada")
    statuses = [(await ada.post("/tweet", {})).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]


async def test_dead_tokens_count_for_the_address_that_tries_them(server: NativeServer) -> None:
    ada = await server.join("ada")
    tries = [{"Authorization": "Bearer " + letter * 43} for letter in "abc"]
    statuses = [(await server.ask("GET", "/search", params={"q": "x"}, headers=one)).status_code for one in tries]
    assert statuses == [401, 401, 429]
    assert (await ada.get("/search", q="x")).status_code == 200
