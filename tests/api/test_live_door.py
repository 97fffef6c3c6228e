"""Who may open a socket, and how it ends: tokens, tickets, origins, ended sessions, a draining node."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from api.live_roost import LiveRoost, Names, Person, Talk, live_roost
from roost.assembly.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Names]:
    async with live_roost(tmp_path_factory.mktemp("roost")) as roost:
        yield Names(roost)


async def refused(roost: LiveRoost, query: str = "", headers: dict[str, str] | None = None) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(roost.url + query, additional_headers=headers or {}):
            pass
    answer = refusal.value.response
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.status_code


async def test_without_a_live_token_the_door_stays_shut(people: Names) -> None:
    [ada] = await people("ada")
    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Bearer {ada.token.swapcase()}"},
        {"Authorization": f"Basic {ada.token}"},
        {"Cookie": f"roost_session={ada.token}"},
    ):
        assert await refused(ada.roost, headers=headers) == 401, headers
    assert await refused(ada.roost, f"?ticket={ada.token}") == 401


async def test_a_ticket_opens_one_socket(people: Names) -> None:
    [ada] = await people("ada")
    ticket = (await ada.rest("POST", "/ws/ticket", 200))["ticket"]
    async with connect(f"{ada.roost.url}?ticket={ticket}") as connection:
        talk = await Talk(ada, connection).greeted()
        assert talk.got[0]["user_id"] == ada.id
    assert await refused(ada.roost, f"?ticket={ticket}") == 401


async def test_a_ticket_is_good_for_half_a_minute(people: Names) -> None:
    [ada] = await people("ada")
    ticket = (await ada.rest("POST", "/ws/ticket", 200))["ticket"]
    ada.roost.clock.advance(hours=31 / 3600)
    assert await refused(ada.roost, f"?ticket={ticket}") == 401


async def test_a_ticket_of_an_ended_session_opens_nothing(people: Names) -> None:
    [ada] = await people("ada")
    ticket = (await ada.rest("POST", "/ws/ticket", 200))["ticket"]
    await ada.roost.end_session(ada)
    assert await refused(ada.roost, f"?ticket={ticket}") == 401


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_page_of_another_site_may_not_open_a_socket(people: Names, origin: str) -> None:
    [ada] = await people("ada")
    assert await refused(ada.roost, headers={**ada.headers, "Origin": origin}) == 403


async def test_pages_of_this_site_may(tmp_path: Path) -> None:
    async with live_roost(tmp_path, Settings(public_url="https://square.example/")) as roost:
        ada = await roost.join("ada")
        for origin in (f"http://127.0.0.1:{roost.port}", "https://square.example"):
            async with ada.socket(headers={"Origin": origin}) as talk:
                assert talk.got[0]["type"] == "hello"


async def test_an_ended_session_closes_its_sockets_and_no_other(people: Names) -> None:
    [ada] = await people("ada")
    other = Person(ada.roost, ada.user, await ada.roost.another_session(ada))
    async with ada.socket() as ended, other.socket() as kept:
        await ada.roost.end_session(ada)
        assert await ended.close_code() == 1008
        assert (await kept.ask({"type": "ping"}))["type"] == "pong"
    assert await refused(ada.roost, headers=ada.headers) == 401


async def test_a_session_that_ends_at_the_door_is_not_let_in(people: Names) -> None:
    [ada] = await people("ada")
    room = ada.roost.edges.room
    await room._telling.acquire()  # noqa: SLF001 - so that the socket stands between the door and the room
    async with ada.connection() as connection:
        await ada.roost.end_session(ada)
        room._telling.release()  # noqa: SLF001
        assert await Talk(ada, connection).close_code() == 1008


async def test_an_address_has_a_bound_of_sockets(tmp_path: Path) -> None:
    async with live_roost(tmp_path, Settings(sockets_per_address_max=2)) as roost:
        ada = await roost.join("ada")
        async with ada.socket(), ada.socket():
            assert await refused(roost, headers=ada.headers) == 429
        async with ada.socket():
            pass


async def test_other_paths_have_no_sockets(people: Names) -> None:
    [ada] = await people("ada")
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(ada.roost.url + "/more", additional_headers=ada.headers):
            pass
    assert refusal.value.response.status_code == 404


async def test_a_draining_node_finishes_answers_and_says_goodbye(tmp_path: Path) -> None:
    async with live_roost(tmp_path) as roost:
        ada = await roost.join("ada")
        async with ada.socket() as talk:
            for n in range(30):
                await talk.send({"message": f"number {n}", "ref": str(n)})
            await talk.until(lambda frame: frame["type"] == "ack")
            draining = asyncio.ensure_future(roost.edges.hub.shutdown())
            assert await talk.close_code() == 1001
            await draining
        acked = {ack["tweet"]["tweet_id"] for ack in talk.kind("ack")}
        assert acked <= set(await ada.home())
        assert await refused(roost, headers=ada.headers) == 503


async def test_a_message_of_more_than_64_kib_closes_the_socket(people: Names) -> None:
    [ada] = await people("ada")
    async with ada.socket() as talk:
        await talk.send({"message": "x" * 65_536})
        assert await talk.close_code() == 1009
