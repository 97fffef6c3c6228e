"""What operators' machines ask, and the page at the root."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from api.native_app import NativeServer, Options, native_server
from roost.assembly.settings import Settings


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path) as started:
        yield started


async def test_a_node_is_alive_and_ready_until_it_drains(server: NativeServer) -> None:
    assert (await server.get("/health/live")).json() == {"status": "live"}
    assert (await server.get("/health/ready")).json() == {"status": "ready"}
    server.readiness.draining = True
    refused = await server.get("/health/ready")
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/draining")
    assert (await server.get("/health/live")).status_code == 200


async def test_figures_count_requests_by_endpoint_and_status(server: NativeServer) -> None:
    for path in ("/tweet/1", "/tweet/2", "/tweet/x", "/nowhere"):
        await server.get(path)
    figures = (await server.get("/metrics")).text
    assert 'roost_http_requests_total{method="GET",path="/tweet/{tweetId}",status="404"} 2.0' in figures
    assert 'roost_http_requests_total{method="GET",path="/tweet/{tweetId}",status="422"} 1.0' in figures
    assert re.search(r'roost_http_request_seconds_total{method="GET",path="/tweet/{tweetId}"} \d', figures)
    assert "nowhere" not in figures


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_figures_are_not_for_whom_an_untrusted_proxy_hands_on(server: NativeServer, header: str) -> None:
    assert (await server.ask("GET", "/metrics", headers={header: "192.0.2.1"})).status_code == 403


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "", "unix:"])
async def test_figures_elsewhere_need_the_operators_token(tmp_path: Path, address: str) -> None:
    options = Options(settings=Settings(metrics_token="m" * 20), client_address=address)
    async with native_server(tmp_path, options) as server:
        assert (await server.get("/metrics")).status_code == 403
        for scheme, token, status in (("Bearer", "m" * 20, 200), ("Bearer", "wrong", 403), ("Basic", "m" * 20, 403)):
            answer = await server.ask("GET", "/metrics", headers={"Authorization": f"{scheme} {token}"})
            assert answer.status_code == status


async def test_figures_without_a_token_are_for_this_machine_only(tmp_path: Path) -> None:
    async with native_server(tmp_path, Options(client_address="192.0.2.1")) as server:
        for authorization in ("", "Bearer ", "Bearer None"):
            answer = await server.ask("GET", "/metrics", headers={"Authorization": authorization})
            assert answer.status_code == 403


async def test_the_root_is_a_page_that_needs_nothing_from_elsewhere(server: NativeServer) -> None:
    page = await server.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/openapi.json" in page.text
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for link in re.findall(r'href="([^"]+)"', page.text):
        assert (await server.get(link)).status_code == 200
