"""Reports over REST, and the tickets that open a WebSocket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.native_app import NativeServer, Person, native_server
from api.rest_pages import walk_down


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


async def test_an_operator_reads_and_closes_what_was_reported(server: NativeServer, ada: Person, bo: Person) -> None:
    operator = await server.join("op", operator=True)
    id = (await bo.tweet("spam"))["tweet_id"]
    for _ in range(2):
        assert (await ada.post("/reports", {"tweet_id": id, "reason": " spam "})).status_code == 202
    assert (await ada.post("/reports", {"user_id": bo.id, "reason": "a spammer"})).status_code == 202
    reports = await walk_down(server, "/reports", "reports", operator, limit=1)
    assert [(report["user_id"], report["tweet_id"], report["reason"]) for report in reports] == [
        (bo.id, None, "a spammer"),
        (bo.id, id, "spam"),
    ]
    assert {report["reporter_id"] for report in reports} == {ada.id}
    path = f"/reports/{reports[0]['report_id']}/close"
    await operator.does("POST", path)
    await operator.does("POST", path, 404)
    assert len(await walk_down(server, "/reports", "reports", operator)) == 1


async def test_reports_are_for_operators_only(server: NativeServer, ada: Person) -> None:
    assert (await ada.get("/reports")).status_code == 403
    await ada.does("POST", "/reports/1/close", 403)
    assert (await server.get("/reports")).status_code == 401


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"reason": "x"}, ["tweet_id", "user_id"]),
        ({"reason": "x", "tweet_id": "1", "user_id": "2"}, ["tweet_id", "user_id"]),
        ({"tweet_id": "1"}, ["reason"]),
        ({"reason": "x", "tweet_id": 1}, ["tweet_id"]),
        ({"reason": "x", "user_id": "-1"}, ["user_id"]),
        ({"reason": None, "user_id": "1"}, ["reason"]),
    ],
)
async def test_a_wrong_report_is_refused_by_its_field(ada: Person, body: dict[str, object], fields: list[str]) -> None:
    refused = await ada.post("/reports", body)
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == fields


async def test_a_report_needs_a_reason_within_bounds(ada: Person, bo: Person) -> None:
    for reason in ("", "  ", "x" * 1001):
        refused = await ada.post("/reports", {"reason": reason, "user_id": bo.id})
        assert refused.json()["errors"][0]["field"] == "reason"


async def test_nobody_reports_himself_or_what_he_may_not_see(server: NativeServer, ada: Person) -> None:
    shy = await server.join("shy", protected=True)
    id = (await shy.tweet("psst"))["tweet_id"]
    assert (await ada.post("/reports", {"reason": "x", "user_id": ada.id})).status_code == 409
    assert (await ada.post("/reports", {"reason": "x", "tweet_id": id})).status_code == 404
    assert (await ada.post("/reports", {"reason": "x", "user_id": "12345"})).status_code == 404


async def test_a_ticket_is_given_to_who_is_signed_in(server: NativeServer, ada: Person) -> None:
    tickets = [(await ada.post("/ws/ticket")).json()["ticket"] for _ in range(2)]
    assert len(set(tickets)) == 2
    assert (await server.ask("POST", "/ws/ticket")).status_code == 401
