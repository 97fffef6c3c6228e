"""Contents over REST: uploaded, served, and refused to whoever may not see them, judged at each fetch."""

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.native_app import NativeServer, Options, Person, native_server
from contract.media_samples import SECRET, film, gif, jpeg, png, saved, walk, webp
from roost.assembly.contents import clean_contents, start_content_work
from roost.assembly.settings import Settings
from roost.domain.content import sign
from roost.domain.ids import ContentId, UserId

HOUR_MS = 3_600_000
Json = Any
UNLIMITED = replace(Settings(), rate_limits=False)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[NativeServer]:
    async with native_server(tmp_path) as started:
        await start_content_work(started.node)
        yield started


async def upload(person: Person, file: bytes | None = None, **more: Any) -> httpx.Response:
    if not more.keys() & {"files", "json", "content"}:
        more["files"] = {"file": ("cat.exe", jpeg() if file is None else file, "text/html")}
    return await person.server.ask("POST", "/content", person, **more)


async def content(person: Person, file: bytes | None = None) -> Json:
    answer = await upload(person, file)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tweeted(person: Person, **more: Any) -> Json:
    """A content in a tweet; its tweet."""
    return await person.tweet("look", content_ids=[(await content(person))["content_id"]], **more)


async def shown_to(person: Person, tweet: Json) -> str:
    """The address that this reader gets."""
    seen = await person.get(f"/tweet/{tweet['tweet_id']}")
    assert seen.status_code == 200, seen.text
    url: str = seen.json()["content"][0]["url"]
    return url


def signed_for(person: Person, id: str) -> str:
    engines = person.server.node.engines
    expires_ms = engines.clock.now_ms() + HOUR_MS
    signature = sign(ContentId(id), person.user.id, expires_ms, engines.signing_key)
    return f"/content/{id}?viewer={person.id}&expires={expires_ms}&signature={signature}"


async def statuses(server: NativeServer, url: str, *people: Person | None) -> list[int]:
    """Of the address and of its preview's, which are always alike."""
    path, mark, query = url.partition("?")
    found = []
    for person in people:
        whole = (await server.ask("GET", url, person)).status_code
        preview = (await server.ask("GET", f"{path}/preview{mark}{query}", person)).status_code
        assert whole == preview
        found.append(whole)
    return found


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


@pytest.mark.parametrize(
    ("data", "mime"),
    [(jpeg(), "image/jpeg"), (png(), "image/png"), (gif(), "image/gif"), (webp(), "image/webp")],
    ids=["jpeg", "png", "gif", "webp"],
)
async def test_an_image_is_served_as_what_its_bytes_are_without_its_notes(
    server: NativeServer, data: bytes, mime: str
) -> None:
    ada = await server.join("ada")
    answer = await upload(ada, data, data={"alt": " ein Büro "})
    assert answer.status_code == 201
    made = answer.json()
    assert made["url"] == f"/content/{made['content_id']}"
    assert (made["kind"], made["width"], made["height"], made["duration_ms"]) == ("image", 80, 60, None)
    assert (made["alt"], made["preview_url"]) == ("ein Büro", made["url"] + "/preview")
    for url in (made["url"], made["preview_url"]):
        served = await ada.get(url)
        assert served.status_code == 200
        assert SECRET not in served.content
        assert served.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in served.headers["content-security-policy"]
        assert "default-src 'none'" in served.headers["content-security-policy"]
        assert served.headers["content-disposition"].startswith("inline")
    assert (await ada.get(made["url"])).headers["content-type"] == mime


@pytest.mark.parametrize("container", ["mp4", "webm"])
async def test_a_video_is_served_with_a_still_preview(server: NativeServer, tmp_path: Path, container: str) -> None:
    codecs = {"mp4": ("libx264", "aac"), "webm": ("libvpx", "libopus")}[container]
    ada = await server.join("ada")
    made = await content(ada, film(tmp_path / f"film.{container}", container, *codecs).read_bytes())
    assert made["kind"] == "video"
    assert 1_000 <= made["duration_ms"] < 1_100
    assert (await ada.get(made["url"])).headers["content-type"] == f"video/{container}"
    assert (await ada.get(made["preview_url"])).headers["content-type"].startswith("image/")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"files": {"file": b"just a text " * 1_000}}, (415, "unsupported-content")),
        ({"files": {"file": b""}}, (415, "unsupported-content")),
        ({"files": {"file": png()[:300]}}, (422, "broken-content")),
        ({"files": {"file": jpeg() + bytes(60_000)}}, (413, "too-large")),
        ({"files": {"file": bytes(400_000)}}, (413, "too-large")),
        ({"files": {"picture": jpeg()}}, (422, "invalid")),
        ({"files": [("file", jpeg()), ("file", png())]}, (422, "invalid")),
        ({"files": {"file": jpeg()}, "data": {"alt": "x" * 1_501}}, (422, "invalid")),
        ({"json": {"file": "x"}}, (415, "unsupported-content")),
        ({"content": b"", "headers": {"Content-Type": "multipart/form-data"}}, (400, "malformed")),
        ({"content": b"x" * 99, "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, (400, "malformed")),
    ],
)
async def test_what_cannot_be_taken_is_refused_with_its_reason_and_leaves_nothing(
    tmp_path: Path, request_: Json, expected: tuple[int, str]
) -> None:
    bounds = replace(UNLIMITED, image_bytes_max=50_000, video_bytes_max=200_000)
    async with native_server(tmp_path, Options(bounds)) as server:
        ada = await server.join("ada")
        assert problem(await upload(ada, **request_)) == expected
        assert not await server.node.engines.stores.contents.of_owner(ada.user.id, None, 10)
        assert not [one async for one in server.node.engines.content_bytes.stored()]
        assert not os.listdir(tmp_path)  # noqa: PTH208 - pathlib is asked on no loop


async def test_uploading_needs_a_token_and_room_and_has_a_rate(tmp_path: Path) -> None:
    bounds = replace(Settings(), content_quota_bytes=3_000, upload_per_hour=3)
    async with native_server(tmp_path, Options(bounds)) as server:
        ada, data = await server.join("ada"), saved(walk(1)[0], "PNG")
        stranger = await server.ask("POST", "/content", files={"file": data})
        assert problem(stranger) == (401, "not-signed-in")
        assert (await upload(ada, data)).status_code == 201
        assert problem(await upload(ada, data + bytes(2_900))) == (403, "quota-exceeded")
        assert (await upload(ada, data)).status_code == 201
        assert problem(await upload(ada, data)) == (429, "too-many-requests")


async def test_a_content_is_its_owners_alone_until_a_tweet_takes_it_and_then_public(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    made = await content(ada)
    assert await statuses(server, made["url"], ada, bo, None) == [200, 404, 404]
    assert (await ada.get(made["url"])).headers["cache-control"] == "private, no-store"
    await ada.tweet("look", content_ids=[made["content_id"]])
    assert await statuses(server, made["url"], ada, bo, None) == [200, 200, 200]
    public = await server.get(made["url"])
    assert public.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("id", ["0" * 32, "x", "%00", "%ff", "A" * 32, "\ud800"])
async def test_an_unknown_id_is_not_found(server: NativeServer, id: str) -> None:
    path = f"/content/{id}".encode("utf-8", "surrogatepass").decode("latin-1")
    assert (await server.get(path)).status_code == 404
    assert (await server.get(f"/content/{'0' * 33}")).status_code == 422


async def test_after_a_deletion_nobody_fetches_it_and_rows_and_bytes_go(server: NativeServer) -> None:
    ada = await server.join("ada")
    tweet = await tweeted(ada)
    url = await shown_to(ada, tweet)
    await ada.does("DELETE", f"/tweet/{tweet['tweet_id']}")
    assert await statuses(server, url, ada, None) == [404, 404]
    await server.settled("erase_content")
    engines = server.node.engines
    assert not await engines.stores.contents.of_owner(ada.user.id, None, 10)
    later = LaterClock(engines.clock.now_ms() + 2 * HOUR_MS)
    clean = clean_contents(replace(engines, clock=later), server.node.settings)
    assert await clean.sweep_storage() == 2
    assert not [one async for one in engines.content_bytes.stored()]


class LaterClock:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self._now_ms / 1_000


async def test_the_picture_of_a_profile_outlives_the_tweet_that_had_it(server: NativeServer) -> None:
    ada = await server.join("ada")
    tweet = await tweeted(ada)
    url, id = await shown_to(ada, tweet), tweet["content"][0]["content_id"]
    await server.change(ada, avatar=ContentId(id))
    await ada.does("DELETE", f"/tweet/{tweet['tweet_id']}")
    await server.settled("erase_content")
    assert await statuses(server, url, None) == [200]
    assert [one.id for one in await server.node.engines.stores.contents.of_owner(ada.user.id, None, 10)] == [id]


async def test_protection_refuses_the_old_address_and_signs_new_ones_for_followers(server: NativeServer) -> None:
    ada, fan, bo = [await server.join(name) for name in ("ada", "fan", "bo")]
    await fan.does("POST", f"/user/{ada.id}/follow")
    tweet = await tweeted(ada)
    plain = await shown_to(bo, tweet)
    await server.change(ada, protected=True)
    assert await statuses(server, plain, None, bo, fan, ada) == [404, 404, 200, 200]
    signed = await shown_to(fan, tweet)
    assert signed.startswith(plain + "?")
    assert await statuses(server, signed, None, bo) == [200, 200]
    served = await server.ask("GET", signed)
    assert (served.status_code, served.headers["cache-control"]) == (200, "private, no-store")
    await fan.does("DELETE", f"/user/{ada.id}/follow")
    assert await statuses(server, signed, None, fan) == [404, 404]
    await server.change(ada, protected=False)
    assert await statuses(server, plain, None, bo) == [200, 200]


async def test_an_address_signed_wrongly_for_another_or_no_longer_valid_is_a_strangers(server: NativeServer) -> None:
    ada, bo = await server.join("ada", protected=True), await server.join("bo")
    tweet = await tweeted(ada)
    id = ContentId(tweet["content"][0]["content_id"])
    engines = server.node.engines
    now_ms = engines.clock.now_ms()

    def address(viewer: UserId, expires_ms: int, signed_for: UserId | None = None, key: bytes | None = None) -> str:
        signature = sign(id, signed_for or viewer, expires_ms, key or engines.signing_key)
        return f"/content/{id}?viewer={viewer}&expires={expires_ms}&signature={signature}"

    good = address(ada.user.id, now_ms + HOUR_MS)
    assert await statuses(server, good, None) == [200]
    for bad in (
        address(bo.user.id, now_ms + HOUR_MS),
        address(ada.user.id, now_ms + HOUR_MS, signed_for=bo.user.id),
        address(ada.user.id, now_ms - 1),
        address(ada.user.id, now_ms + 49 * HOUR_MS),
        address(ada.user.id, now_ms + HOUR_MS, key=b"x" * 32),
        good[:-1],
        good.replace(f"expires={now_ms + HOUR_MS}", f"expires={now_ms + HOUR_MS + 1}"),
        good.partition("&signature")[0],
        good[:-64],
        good[:-64] + "é" * 64,
    ):
        assert await statuses(server, bad, None) == [404]
    for unreadable in (good.replace("viewer=", "viewer=-"), good.replace("expires=", "expires=x"), good + "0"):
        assert (await server.ask("GET", unreadable)).status_code == 422


async def test_a_block_refuses_the_blocked_by_token_and_by_signed_address_and_no_stranger(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    await bo.does("POST", f"/user/{ada.id}/follow")
    tweet = await tweeted(ada)
    plain = await shown_to(bo, tweet)
    signed = signed_for(bo, tweet["content"][0]["content_id"])
    assert await statuses(server, signed, None) == [200]
    await ada.does("POST", f"/user/{bo.id}/block")
    assert await statuses(server, plain, bo, None, ada) == [404, 200, 200]
    assert await statuses(server, signed, None, bo) == [404, 404]
    await ada.does("DELETE", f"/user/{bo.id}/block")
    await bo.does("POST", f"/user/{ada.id}/block")
    assert await statuses(server, plain, bo) == [404]


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("unlisted", {"fan": 200, "bo": 200, "stranger": 200}),
        ("followers", {"fan": 200, "bo": 404, "stranger": 404}),
        ("mentioned", {"fan": 404, "bo": 404, "stranger": 404}),
    ],
)
async def test_the_audience_of_the_tweet_is_its_contents(
    server: NativeServer, audience: str, expected: dict[str, int]
) -> None:
    ada, fan, bo, named = [await server.join(name) for name in ("ada", "fan", "bo", "named")]
    await fan.does("POST", f"/user/{ada.id}/follow")
    made = await content(ada)
    tweet = await ada.tweet("for @named", content_ids=[made["content_id"]], audience=audience)
    found = await statuses(server, made["url"], fan, bo, None)
    assert dict(zip(("fan", "bo", "stranger"), found, strict=True)) == expected
    assert await statuses(server, made["url"], ada, named) == [200, 200]
    address = await shown_to(named, tweet)
    assert ("signature=" in address) == (audience != "unlisted")
    assert await statuses(server, address, None) == [200]


async def test_a_profiles_picture_is_as_public_as_the_profile(server: NativeServer) -> None:
    ada, bo, eve = await server.join("ada", protected=True), await server.join("bo"), await server.join("eve")
    made = await content(ada)
    changed = await server.ask("PATCH", f"/user/{ada.id}", ada, json={"avatar_content_id": made["content_id"]})
    assert changed.status_code == 200, changed.text
    avatar = (await bo.get(f"/user/{ada.id}")).json()["avatar_url"]
    assert (await server.get(avatar)).status_code == 200
    await ada.does("POST", f"/user/{eve.id}/block")
    assert await statuses(server, made["url"], bo, None, eve) == [200, 200, 404]
    changed = await server.ask("PATCH", f"/user/{ada.id}", ada, json={"avatar_content_id": None})
    assert changed.status_code == 200, changed.text
    assert await statuses(server, made["url"], bo, None, ada) == [404, 404, 200]


async def test_of_a_deleted_account_nothing_is_served(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    tweet = await tweeted(ada)
    picture = await content(ada)
    await server.change(ada, avatar=ContentId(picture["content_id"]))
    plain = await shown_to(bo, tweet)
    assert await statuses(server, picture["url"], None) == [200]
    waiting = signed_for(ada, (await content(ada))["content_id"])
    assert await statuses(server, waiting, None) == [200]
    await server.change(ada, deleted=True)
    assert await statuses(server, waiting, None) == [404]
    assert await statuses(server, plain, None, bo) == [404, 404]
    assert await statuses(server, picture["url"], None, bo) == [404, 404]


async def test_where_strangers_may_not_read_a_signed_address_is_what_they_need(tmp_path: Path) -> None:
    async with native_server(tmp_path, Options(replace(UNLIMITED, public_read=False))) as server:
        ada, bo = await server.join("ada"), await server.join("bo")
        tweet = await tweeted(ada)
        plain = await shown_to(bo, tweet)
        assert await statuses(server, plain, None, bo) == [401, 200]
        assert (await bo.get(plain)).headers["cache-control"] == "private, no-store"
        signed = signed_for(bo, tweet["content"][0]["content_id"])
        assert await statuses(server, signed, None) == [200]
        await ada.does("POST", f"/user/{bo.id}/block")
        assert await statuses(server, signed, None) == [404]
        assert problem(await server.get("/content/" + "0" * 32)) == (401, "not-signed-in")


async def test_a_content_is_in_one_tweet_and_in_its_owners_alone(server: NativeServer) -> None:
    ada, bo = await server.join("ada"), await server.join("bo")
    made = await content(ada)
    ids = {"message": "x", "content_ids": [made["content_id"]]}
    assert problem(await bo.post("/tweet", ids)) == (422, "invalid")
    await ada.tweet("x", content_ids=[made["content_id"]])
    assert problem(await ada.post("/tweet", ids)) == (422, "invalid")


async def test_what_the_caller_has_already_is_not_sent_again(server: NativeServer) -> None:
    ada = await server.join("ada")
    url = await shown_to(ada, await tweeted(ada))
    whole = await server.get(url)
    etag = whole.headers["etag"]
    assert etag == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    for header in (etag, f'W/{etag}, "other"', "*"):
        known = await server.ask("GET", url, headers={"If-None-Match": header, "Range": "bytes=0-1"})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert (await server.ask("GET", url, headers={"If-None-Match": '"other"'})).content == whole.content
    head = await server.ask("HEAD", url)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


NUMBERS = st.integers(0, 4_000) | st.integers(0, 10**17)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=NUMBERS | st.none(), last=NUMBERS | st.none())
async def test_a_range_is_the_slice_of_the_bytes(server: NativeServer, first: int | None, last: int | None) -> None:
    ada = await _once(server)
    url = "/content/" + (await server.node.engines.stores.contents.of_owner(ada.user.id, None, 1))[0].id
    whole = (await ada.get(url)).content
    asked = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    answer = await server.ask("GET", url, ada, headers={"Range": asked})
    if first is None:
        expected = None if last is None else whole[-last:] if last else b""
    else:
        expected = None if last is not None and last < first else whole[first : None if last is None else last + 1]
    if expected is None:
        assert (answer.status_code, answer.content) == (200, whole)
    elif not expected:
        assert answer.headers["content-range"] == f"bytes */{len(whole)}"
        assert problem(answer) == (416, "range-not-satisfiable")
    else:
        start = len(whole) - len(expected) if first is None else first
        assert (answer.status_code, answer.content) == (206, expected)
        assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
        assert answer.headers["content-length"] == str(len(expected))


async def _once(server: NativeServer) -> Person:
    """One person with one content on this server, for all examples."""
    known = await server.node.views.users.by_name("ada")
    if known is None:
        ada = await server.join("ada")
        await content(ada)
        return ada
    session, token = server.new_session(known.id)
    await server.node.engines.stores.sessions.add_session(session)
    return Person(server, known, token)


async def test_a_range_of_other_bytes_than_the_caller_has_is_answered_with_all(server: NativeServer) -> None:
    ada = await server.join("ada")
    url = await shown_to(ada, await tweeted(ada))
    etag = (await server.get(url)).headers["etag"]
    same = await server.ask("GET", url, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = await server.ask("GET", url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)


async def test_abandoned_contents_go_and_their_addresses_with_them(server: NativeServer) -> None:
    ada = await server.join("ada")
    made, kept = await content(ada), await shown_to(ada, await tweeted(ada))
    engines = server.node.engines
    later = replace(engines, clock=LaterClock(engines.clock.now_ms() + 25 * HOUR_MS))
    assert await clean_contents(later, server.node.settings)() == 1
    assert await statuses(server, made["url"], ada) == [404]
    assert await statuses(server, kept, None) == [200]
    assert len(await engines.stores.contents.of_owner(ada.user.id, None, 10)) == 1
