"""/openapi.json: complete, well-formed, and kept by the answers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

from api.native_app import NativeServer, native_server
from roost.domain.errors import NotFound
from roost.edge.native.endpoint import NO_CONTENT, Answer, Call, Described, Endpoint, SignedIn
from roost.edge.native.openapi import document


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path) as started:
        yield started


async def _document(server: NativeServer) -> dict[str, Any]:
    found: dict[str, Any] = (await server.get("/openapi.json")).json()
    return found


async def test_every_endpoint_is_described(server: NativeServer) -> None:
    paths = (await _document(server))["paths"]
    served = {(route.endpoint.path, route.endpoint.method.lower()) for route in server.app.tree.routes}
    assert {(path, method) for path, methods in paths.items() for method in methods} == served


async def test_every_reference_leads_somewhere(server: NativeServer) -> None:
    found = await _document(server)
    text = json.dumps(found)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(found["components"]["schemas"])
    assert {"TweetShape", "Problem", "DraftBody"} <= names


async def test_operations_have_names_of_their_own_and_a_summary(server: NativeServer) -> None:
    operations = [one for methods in (await _document(server))["paths"].values() for one in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for operation in operations)


async def test_what_needs_a_token_says_so(server: NativeServer) -> None:
    paths = (await _document(server))["paths"]
    assert {} not in paths["/tweet"]["post"]["security"]
    assert {} in paths["/search"]["get"]["security"]
    assert paths["/health/live"]["get"]["security"] == []


async def test_refusals_are_described_by_their_status(server: NativeServer) -> None:
    responses = (await _document(server))["paths"]["/tweet"]["post"]["responses"]
    assert {"201", "400", "401", "403", "404", "410", "413", "422", "429", "503"} == set(responses)
    assert "ref-reused" in responses["422"]["description"]
    assert "X-Roost-Position" in responses["201"]["headers"]
    assert set(responses["404"]["content"]) == {"application/problem+json"}


def test_a_listed_refusal_and_an_implied_one_share_a_status() -> None:
    async def handler(_: Call[None]) -> Answer:
        return NO_CONTENT

    endpoint = Endpoint(
        "GET", "/x", handler, "x", {204: Described("done")}, SignedIn.NONE, rate_limit=None, refusals=(NotFound,)
    )
    responses = document([endpoint], "1")["paths"]["/x"]["get"]["responses"]
    assert set(responses) == {"204", "404", "503"}
