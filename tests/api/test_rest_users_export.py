"""GET /export: all that is one's own, and nothing of others but who they are."""

import io
import json
import re
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.commands.register_user import Registered
from roost.domain.content import Blob, Content, MediaType
from roost.domain.errors import Overloaded
from roost.domain.events import TweetDeleted, TweetPosted
from roost.domain.ids import ContentId, UserId, Version
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import Tweet
from roost.edge.native.endpoint import Call, Stream
from roost.edge.native.export import EXPORTS_MAX
from roost.edge.times import rfc3339
from roost.ports.content_bytes import READ_CHUNK_BYTES_MAX
from roost.ports.likes import Like
from roost.queries.export import ROWS_A_PAGE, ExportedFile, ExportedTable

QUOTA = 1 << 30
TABLES = {
    *("profile", "account", "sessions", "tweets", "likes", "following", "requested", "blocks", "mutes"),
    *("followers", "follow_requests", "content"),
}


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def post(server: AccountServer, author: UserId, message: str, **more: object) -> Tweet:
    engines = server.node.engines
    tweet = Tweet(engines.ids.next_tweet_id(author), author, message, engines.ids.next_version(), **more)  # type: ignore[arg-type]  # as the test says
    await engines.stores.tweets.add(tweet, None, [TweetPosted.of(tweet)])
    return tweet


async def relate(server: AccountServer, kind: RelationKind, subject: UserId, object: UserId) -> None:
    ids = server.node.engines.ids
    await server.node.engines.stores.relations.add(Relation(kind, subject, object, ids.next_version()), 1_000)


async def upload(server: AccountServer, file: Path, owner: UserId) -> Content:
    stored = await server.node.engines.content_bytes.put(file)
    blob = Blob(stored.digest, stored.byte_size, MediaType.JPEG)
    pending = Content(ContentId("c" * 32), owner, server.clock.now_ms(), "a cat", 100, Version(1))
    content = pending.completed(blob, blob, width=1, height=1, duration_ms=None, version=Version(2))
    await server.node.engines.stores.contents.add(content, QUOTA)
    return content


async def exported(server: AccountServer, user: Registered) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The tables by name, and the other files."""
    response = await server.ask("GET", "/export", user.issued.token)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert f"roost-{user.user.username}.zip" in response.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    tables = {name.removesuffix(".json"): json.loads(data) for name, data in files.items() if name.endswith(".json")}
    return tables, {name: data for name, data in files.items() if not name.endswith(".json")}


async def test_an_export_holds_all_that_is_ones_own(server: AccountServer, tmp_path: Path) -> None:
    ada, bo = await server.register("ada"), await server.register("bo")
    picture = tmp_path / "cat.jpg"
    picture.write_bytes(b"\xff\xd8\xff cat" * 100)
    content = await upload(server, picture, ada.user.id)
    theirs = await post(server, bo.user.id, "by bo")
    mine = await post(server, ada.user.id, "look", content=(content.id,), lang="en")
    quote = await post(server, ada.user.id, "see", quote_of=theirs.id, quote_of_author=bo.user.id)
    await server.node.engines.stores.likes.add(Like(ada.user.id, theirs.id, bo.user.id, Version(2_000_000)))
    await relate(server, RelationKind.FOLLOW, ada.user.id, bo.user.id)
    await relate(server, RelationKind.FOLLOW, bo.user.id, ada.user.id)
    await relate(server, RelationKind.MUTE, ada.user.id, bo.user.id)
    tables, files = await exported(server, ada)
    assert set(tables) == TABLES
    assert tables["profile"][0]["username"] == "ada"
    assert tables["account"] == [{"email": "ada@example.org", "email_confirmed": False, "mobile": None}]
    assert [one["session_id"] for one in tables["sessions"]] == [ada.issued.session.session_id]
    assert [one["tweet_id"] for one in tables["tweets"]] == [str(quote.id), str(mine.id)]
    assert tables["tweets"][0]["quote_of_tweet_id"] == str(theirs.id)
    assert (tables["tweets"][1]["message"], tables["tweets"][1]["content_ids"]) == ("look", [content.id])
    assert [one["tweet_id"] for one in tables["likes"]] == [str(theirs.id)]
    for name in ("following", "followers", "mutes"):
        assert [(one["user_id"], one["username"]) for one in tables[name]] == [(str(bo.user.id), "bo")]
    assert tables["blocks"] == []
    (shown,) = tables["content"]
    assert files == {shown["file"]: picture.read_bytes()}
    assert shown["alt"] == "a cat"


async def test_times_are_written_as_everywhere(server: AccountServer) -> None:
    ada, bo = await server.register("ada"), await server.register("bo")
    tweet = await post(server, ada.user.id, "hi")
    await relate(server, RelationKind.FOLLOW, ada.user.id, bo.user.id)
    tables, _ = await exported(server, ada)
    assert tables["tweets"][0]["created_at"] == rfc3339(tweet.created_ms)
    assert tables["profile"][0]["created_at"] == rfc3339(ada.user.created_ms)
    timed = [value for rows in tables.values() for row in rows for name, value in row.items() if name in TIMES]
    assert len(timed) == 6
    assert all(RFC3339.fullmatch(value) for value in timed)


TIMES = {"created_at", "last_used_at", "expires_at", "since", "liked_at"}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_an_export_holds_no_secret_and_no_word_of_others(server: AccountServer) -> None:
    ada, bo, cy = [await server.register(name) for name in ("ada", "bo", "cy")]
    secret = await post(server, bo.user.id, "a secret of bo")
    await post(server, ada.user.id, "mine", quote_of=secret.id, quote_of_author=bo.user.id)
    await post(server, ada.user.id, "", retweet_of=secret.id, retweet_of_author=bo.user.id)
    gone = await post(server, ada.user.id, "I take this back")
    version = server.node.engines.ids.next_version()
    await server.node.engines.stores.tweets.delete(gone, version, [TweetDeleted(gone.id, ada.user.id, version)])
    await relate(server, RelationKind.BLOCK, ada.user.id, cy.user.id)
    await relate(server, RelationKind.BLOCK, cy.user.id, ada.user.id)
    await server.settled()
    tables, _ = await exported(server, ada)
    text = json.dumps(tables)
    account = await server.account(ada.user.id)
    assert account is not None
    hidden = ("a secret of bo", "bo@example.org", "I take this back", account.password_hash, ada.issued.token, PASSWORD)
    assert not [word for word in hidden if word in text]
    assert [(one["user_id"], one["username"]) for one in tables["blocks"]] == [(str(cy.user.id), None)]
    assert [one["retweet_of_tweet_id"] for one in tables["tweets"]] == [str(secret.id), None]


async def test_a_long_life_is_exported_whole_and_in_order(server: AccountServer) -> None:
    ada = await server.register("ada")
    count = ROWS_A_PAGE * 2 + 5
    tweets = [await post(server, ada.user.id, f"number {number}") for number in range(count)]
    for number in range(count):
        await relate(server, RelationKind.FOLLOW, ada.user.id, UserId(7_000 + number))
    tables, _ = await exported(server, ada)
    assert [one["message"] for one in tables["tweets"]] == [tweet.message for tweet in reversed(tweets)]
    assert [one["user_id"] for one in tables["following"]] == [str(7_000 + n) for n in reversed(range(count))]


async def test_an_export_is_made_in_small_pieces(server: AccountServer, tmp_path: Path) -> None:
    ada = await server.register("ada")
    film = tmp_path / "film"
    film.write_bytes(bytes(range(256)) * 4_096 * 8)
    await upload(server, film, ada.user.id)
    for number in range(ROWS_A_PAGE + 1):
        await post(server, ada.user.id, f"{number} {'x' * 270}")
    parts = await server.routes.exports.export(ada.user.id)
    pages, largest = 0, 0
    async for part in parts:
        if isinstance(part, ExportedTable):
            async for page in part.pages:
                pages += 1
                assert len(page) <= ROWS_A_PAGE
        else:
            assert isinstance(part, ExportedFile)
            async for chunk in part.chunks:
                largest = max(largest, len(chunk))
    assert pages == 6  # profile, account, session, content, and two of tweets
    assert 0 < largest <= READ_CHUNK_BYTES_MAX
    async with server.client.stream("GET", "/export", headers={"Authorization": f"Bearer {ada.issued.token}"}) as sent:
        whole = b"".join([chunk async for chunk in sent.aiter_raw()])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert archive.read(f"content/{'c' * 32}.jpeg") == film.read_bytes()


class NoBody:
    """The body of a GET."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration


async def test_an_abandoned_export_leaves_its_place_to_the_next(server: AccountServer) -> None:
    ada = await server.register("ada")
    exports = server.routes.exports
    handler = exports.endpoints()[0].handler
    call: Call[None] = Call(ada.issued.session, "", {}, None, {}, NoBody)
    begun = []
    for _ in range(EXPORTS_MAX):
        stream = await handler(call)
        assert isinstance(stream, Stream)
        assert isinstance(stream.chunks, AsyncGenerator)
        begun.append(stream.chunks)
        assert await anext(stream.chunks)
    with pytest.raises(Overloaded):
        await handler(call)
    for chunks in begun:
        await chunks.aclose()
    tables, _ = await exported(server, ada)
    assert set(tables) == TABLES


async def test_an_export_needs_a_session(server: AccountServer) -> None:
    assert (await server.ask("GET", "/export")).status_code == 401
