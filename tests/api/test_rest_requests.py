"""How any request is met: methods, bodies, tokens, cookies, headers, overload and what nobody foresaw."""

import asyncio
from collections.abc import AsyncIterator, Iterable, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from api.native_app import NativeServer, Options, Person, native_server
from roost.assembly.settings import Settings
from roost.domain.tokens import TokenText, token_text
from roost.edge.native.auth import SessionCookie
from roost.edge.native.endpoint import (
    BODY_BYTES_MAX,
    NO_CONTENT,
    Answer,
    Call,
    Described,
    Endpoint,
    RawBody,
    SignedIn,
    Stream,
)

DONE = {204: Described("done")}
FINE = {200: Described("fine")}


class Named(msgspec.Struct):
    """A body for these tests."""

    name: str
    inner: "Named | None" = None
    numbers: list[int] = []


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path, Options(more=_more)) as started:
        yield started


@pytest_asyncio.fixture
async def ada(server: NativeServer) -> Person:
    return await server.join("ada")


def _more() -> Iterable[Endpoint]:
    """Endpoints that do what no good one does, and one that streams."""

    async def fail(_: Call[None]) -> Answer:
        raise ZeroDivisionError("the secret of /srv/roost")

    async def named(call: Call[Named]) -> Answer:
        return Answer(200, call.body.name.encode(), media_type="text/plain")

    async def length(call: Call[None]) -> Answer:
        return Answer(200, b"%d" % sum([len(chunk) async for chunk in call.chunks()]))

    async def streamed(_: Call[None]) -> Stream:
        async def chunks() -> AsyncIterator[bytes]:
            for part in (b"one", b"two"):
                yield part

        return Stream(200, chunks(), "text/plain", (("Cache-Control", "public"),), length=6)

    async def secret(_: Call[None]) -> Answer:
        return NO_CONTENT

    raw = RawBody("application/octet-stream", 1_000, {})
    stranger = SignedIn.OPTIONAL
    return [
        Endpoint("GET", "/test/fail", fail, "", DONE, stranger),
        Endpoint("POST", "/test/named", named, "", FINE, stranger, body=Named),
        Endpoint("POST", "/test/length", length, "", FINE, stranger, raw_body=raw),
        Endpoint("GET", "/test/stream", streamed, "", FINE, stranger),
        Endpoint("POST", "/test/secret", secret, "", DONE),
    ]


def _is_problem(response: httpx.Response, status: int, name: str) -> None:
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["type"] == f"/problems/{name}"
    assert response.json()["status"] == status


@pytest.mark.parametrize(
    "path", ["/nowhere", "/tweet/", "/tweet/1/", "/x//", "/user//likes", "/tweet/1/2/3", "/%2e%2e", "/é"]
)
async def test_an_address_that_is_none_is_not_found(server: NativeServer, path: str) -> None:
    _is_problem(await server.get(path), 404, "not-found")
    _is_problem(await server.ask("OPTIONS", path), 404, "not-found")


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE", "BREW"])
async def test_another_method_is_refused_with_those_that_there_are(server: NativeServer, method: str) -> None:
    refused = await server.ask(method, "/trends")
    _is_problem(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_answers_the_methods(server: NativeServer) -> None:
    answer = await server.ask("OPTIONS", "/tweet/1")
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")


async def test_head_answers_as_get_does_without_the_body(server: NativeServer, ada: Person) -> None:
    for path in (f"/user/timeline/{ada.id}", "/test/stream", "/tweet/1", "/"):
        get, head = await server.get(path), await server.ask("HEAD", path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == str(len(get.content))
        assert head.headers["content-type"] == get.headers["content-type"]


async def test_every_answer_is_guarded_and_kept_by_no_cache(server: NativeServer) -> None:
    for path in ("/trends", "/nowhere", "/test/fail"):
        headers = (await server.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "private, no-store"
        assert headers["referrer-policy"] == "no-referrer"


async def test_an_answers_own_header_replaces_the_usual_one(server: NativeServer) -> None:
    streamed = await server.get("/test/stream")
    assert streamed.text == "onetwo"
    assert streamed.headers.get_list("cache-control") == ["public"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"name": "x"',
        b'{"name": "x",}',
        b"{'name': 'x'}",
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": "x"} {}',
        b'{"more": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"name": "x", "inner": ' * 2_500 + b"null" + b"}" * 2_500,
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_a_body_that_is_no_json_is_malformed(server: NativeServer, body: bytes) -> None:
    _is_problem(await server.ask("POST", "/test/named", content=body), 400, "malformed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", None),
        (b"null", None),
        (b'"x"', None),
        (b"{}", "name"),
        (b'{"name": 1}', "name"),
        (b'{"name": null}', "name"),
        (b'{"Name": "x"}', "name"),
        (b'{"name": "x", "inner": {"name": 2}}', "inner.name"),
        (b'{"name": "x", "inner": {}}', "inner.name"),
        (b'{"name": "x", "numbers": [1, 2.5]}', "numbers[1]"),
        (b'{"name": "x", "numbers": [1e999]}', "numbers[0]"),
    ],
)
async def test_a_wrong_type_is_refused_by_its_field(server: NativeServer, body: bytes, field: str | None) -> None:
    refused = await server.ask("POST", "/test/named", content=body)
    _is_problem(refused, 422, "invalid")
    assert [error["field"] for error in refused.json().get("errors", [])] == ([] if field is None else [field])


async def test_unknown_fields_are_passed_over_and_of_a_name_given_twice_the_last_counts(server: NativeServer) -> None:
    body = b'{"name": "first", "other": [{"deep": 1e999}], "name": "last"}'
    assert (await server.ask("POST", "/test/named", content=body)).text == "last"


async def test_a_body_beyond_the_bound_is_refused_before_it_has_come(server: NativeServer) -> None:
    asked: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            asked.append(1)
            yield b" " * 10_000

    refused = await server.ask("POST", "/test/named", content=endless())
    _is_problem(refused, 413, "too-large")
    assert refused.headers["connection"] == "close"
    assert len(asked) <= BODY_BYTES_MAX // 10_000 + 2
    declared = await server.ask("POST", "/test/named", content=b" " * (BODY_BYTES_MAX + 1))
    _is_problem(declared, 413, "too-large")


async def test_a_raw_body_has_its_own_bound(server: NativeServer) -> None:
    assert (await server.ask("POST", "/test/length", content=b"x" * 1_000)).text == "1000"
    _is_problem(await server.ask("POST", "/test/length", content=b"x" * 1_001), 413, "too-large")


async def test_a_query_that_is_no_text_or_too_long_is_malformed(server: NativeServer) -> None:
    _is_problem(await server.ask("GET", "/search?q=%ff"), 400, "malformed")
    _is_problem(await server.ask("GET", "/search?q=" + "x" * 10_000), 400, "malformed")


async def test_an_error_that_nobody_foresaw_says_so_and_nothing_more(
    server: NativeServer, caplog: pytest.LogCaptureFixture
) -> None:
    failed = await server.get("/test/fail")
    _is_problem(failed, 500, "internal")
    assert "secret" not in failed.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer x", "bearer " + "x" * 43, "Bearer " + "é" * 43, "Bearer " + "x" * 5_000],
)
async def test_a_dead_token_is_refused_even_where_a_stranger_is_welcome(
    server: NativeServer, authorization: str
) -> None:
    headers = {b"Authorization": authorization.encode("latin-1")}
    for method, path in (("GET", "/notifications"), ("GET", "/trends"), ("POST", "/test/secret")):
        refused = await server.client.request(method, path, headers=headers)
        _is_problem(refused, 401, "not-signed-in")


async def test_a_token_of_another_scheme_is_none(server: NativeServer) -> None:
    for authorization in ("Basic eDp5", "x"):
        headers = {"Authorization": authorization}
        assert (await server.ask("GET", "/trends", headers=headers)).status_code == 200
        assert (await server.ask("GET", "/notifications", headers=headers)).status_code == 401


async def test_an_ended_session_is_refused(server: NativeServer, ada: Person) -> None:
    assert (await ada.get("/notifications")).status_code == 200
    sessions = server.node.engines.stores.sessions
    kept = await sessions.sessions_of(ada.user.id)
    position = await sessions.end_session(ada.user.id, kept[0].session_id)
    assert position is not None
    await server.node.progress.reached(position)
    _is_problem(await ada.get("/notifications"), 401, "not-signed-in")


async def test_nothing_is_for_strangers_where_public_reading_is_off(tmp_path: Path) -> None:
    options = Options(settings=replace(Settings(), public_read=False))
    async with native_server(tmp_path, options) as server:
        ada = await server.join("ada")
        path = f"/user/timeline/{ada.id}"
        _is_problem(await server.get(path), 401, "not-signed-in")
        assert (await ada.get(path)).status_code == 200
        for open_path in ("/health/live", "/openapi.json", "/"):
            assert (await server.get(open_path)).status_code == 200


class Browser:
    """A session in a cookie."""

    def __init__(self, server: NativeServer, token: TokenText, csrf: TokenText, name: str = "roost") -> None:
        self.server, self.csrf = server, csrf
        self.cookie = f"theme=dark; {name}={token}; other=1"

    async def ask(self, method: str, path: str, **headers: Any) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.server.ask(method, path, headers={"Cookie": self.cookie, **named})


async def _browser(server: NativeServer, person: Person, name: str = "roost") -> Browser:
    csrf = token_text(server.node.engines.randomness.token_bytes(32))
    session, token = server.new_session(person.user.id, csrf)
    await server.node.engines.stores.sessions.add_session(session)
    return Browser(server, token, csrf, name)


async def test_a_cookie_reads_and_changes_only_with_its_second_token(server: NativeServer, ada: Person) -> None:
    browser = await _browser(server, ada)
    assert (await browser.ask("GET", "/notifications")).status_code == 200
    _is_problem(await browser.ask("POST", "/test/secret"), 403, "forbidden")
    for wrong in ("x", "x" * 43, ada.token):
        _is_problem(await browser.ask("POST", "/test/secret", X_CSRF_Token=wrong), 403, "forbidden")
    assert (await browser.ask("POST", "/test/secret", X_CSRF_Token=browser.csrf)).status_code == 204


async def test_a_bearers_token_is_no_cookie(server: NativeServer, ada: Person) -> None:
    stolen = Browser(server, ada.token, ada.token)
    _is_problem(await stolen.ask("GET", "/notifications"), 401, "not-signed-in")


async def test_a_browser_with_a_dead_cookie_reads_as_a_stranger(server: NativeServer) -> None:
    dead = Browser(server, TokenText("x" * 43), TokenText("x" * 43))
    assert (await dead.ask("GET", "/trends")).status_code == 200
    _is_problem(await dead.ask("GET", "/notifications"), 401, "not-signed-in")


async def test_behind_tls_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    options = Options(settings=replace(Settings(), behind_tls=True))
    async with native_server(tmp_path, options) as server:
        ada = await server.join("ada")
        assert (await (await _browser(server, ada)).ask("GET", "/notifications")).status_code == 401
        assert (await (await _browser(server, ada, "__Host-roost")).ask("GET", "/notifications")).status_code == 200


def test_a_cookie_is_kept_from_scripts_and_other_sites() -> None:
    token = TokenText("t" * 43)
    name, value = SessionCookie(behind_tls=True).set(token, 60)
    assert name == "Set-Cookie"
    assert value == f"__Host-roost={token}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"
    assert "Secure" not in SessionCookie(behind_tls=False).set(token, 60)[1]
    assert "Max-Age=0" in SessionCookie(behind_tls=False).clear()[1]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://roost.example.evil", "roost.example"])
async def test_a_page_of_another_site_changes_nothing(server: NativeServer, ada: Person, origin: str) -> None:
    browser = await _browser(server, ada)
    refused = await browser.ask("POST", "/test/secret", Origin=origin, X_CSRF_Token=browser.csrf)
    _is_problem(refused, 403, "forbidden")
    assert (await browser.ask("GET", "/notifications", Origin=origin)).status_code == 200


async def test_an_own_page_changes_what_its_user_may(server: NativeServer, ada: Person) -> None:
    browser = await _browser(server, ada)
    for origin in ("http://roost.example", "https://ROOST.example"):
        answer = await browser.ask("POST", "/test/secret", Origin=origin, X_CSRF_Token=browser.csrf)
        assert answer.status_code == 204
    assert (await ada.post("/test/secret", Origin="https://app.example")).status_code == 204


async def test_the_public_address_counts_as_own(tmp_path: Path) -> None:
    async with native_server(
        tmp_path, Options(settings=replace(Settings(), public_url="https://square.example/"), more=_more)
    ) as server:
        browser = await _browser(server, await server.join("ada"))
        headers = {"Origin": "https://square.example", "X_CSRF_Token": browser.csrf}
        assert (await browser.ask("POST", "/test/secret", **headers)).status_code == 204


async def test_requests_beyond_the_bound_are_refused_at_once(tmp_path: Path) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def wait(_: Call[None]) -> Answer:
        entered.set()
        await leave.wait()
        return NO_CONTENT

    endpoint = Endpoint("GET", "/test/wait", wait, "", DONE, SignedIn.NONE)
    async with native_server(tmp_path, Options(in_flight_max=1, more=lambda: [endpoint])) as server:
        first = asyncio.create_task(server.get("/test/wait"))
        await entered.wait()
        refused = await server.get("/health/live")
        _is_problem(refused, 503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        leave.set()
        assert (await first).status_code == 204
        assert (await server.get("/health/live")).status_code == 200


async def test_a_client_that_goes_away_is_answered_nothing(server: NativeServer) -> None:
    sent: list[object] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/test/named", "query_string": b"", "headers": []}
    await server.app(scope, receive, send)
    assert sent == []
    assert server.app.in_flight == 0


async def test_a_stream_to_a_client_that_is_gone_ends(tmp_path: Path) -> None:
    ended, gone = asyncio.Event(), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.set()

    async def answer(_: Call[None]) -> Stream:
        return Stream(200, endless(), "text/plain")

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        await asyncio.sleep(0)
        if message["type"] == "http.response.body":
            gone.set()

    endpoint = Endpoint("GET", "/test/endless", answer, "", FINE, SignedIn.NONE)
    scope = {"type": "http", "method": "GET", "path": "/test/endless", "query_string": b"", "headers": []}
    async with native_server(tmp_path, Options(more=lambda: [endpoint])) as server:
        await server.app(scope, receive, send)
        assert ended.is_set()
        assert server.app.in_flight == 0


async def test_an_endpoint_that_is_there_twice_or_lacks_its_limit_is_no_application(server: NativeServer) -> None:
    async def handler(_: Call[None]) -> Answer:
        return NO_CONTENT

    twice = Endpoint("GET", "/trends", handler, "", DONE)
    unlimited = Endpoint("GET", "/test/other", handler, "", DONE, rate_limit="no such rule")
    for wrong in (twice, unlimited):
        with pytest.raises(ValueError, match=wrong.path):
            async with native_server(Path(), Options(more=lambda: [wrong])):  # noqa: B023 - called within the loop
                pass
