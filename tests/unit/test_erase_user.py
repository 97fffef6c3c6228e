"""What a deleted user leaves behind is erased, in bounded turns, however often it is begun anew."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server, start_eraser
from roost.assembly.accounts import erase_user
from roost.commands.register_user import Registered
from roost.domain.content import Blob, Content, Digest, MediaType
from roost.domain.errors import DependencyDown
from roost.domain.events import TweetDeleted, TweetPosted, UserDeleted
from roost.domain.ids import ContentId, Position, TweetId, UserId, Version
from roost.domain.notification import Notification, NotificationKind
from roost.domain.relation import Relation, RelationKind
from roost.domain.tweet import Tweet
from roost.ports.content_bytes import UPLOAD_MS_MAX
from roost.ports.likes import Like
from roost.reactions.erase_user import ROWS_A_TURN

EVERYTHING = 1_000_000
HOUR_MS = 3_600_000


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    """Its eraser runs when a test starts it."""
    async with account_server(tmp_path, Wanted(request.param, erasing=False)) as started:
        yield started


async def post(server: AccountServer, author: UserId, message: str = "hi", **more: object) -> Tweet:
    engines = server.node.engines
    tweet = Tweet(engines.ids.next_tweet_id(author), author, message, engines.ids.next_version(), **more)  # type: ignore[arg-type]  # as the test says
    await engines.stores.tweets.add(tweet, None, [TweetPosted.of(tweet)])
    return tweet


async def like(server: AccountServer, user: UserId, tweet: Tweet) -> None:
    engines = server.node.engines
    await engines.stores.likes.add(Like(user, tweet.id, tweet.author, engines.ids.next_version()))


async def relate(server: AccountServer, kind: RelationKind, subject: UserId, object: UserId) -> None:
    engines = server.node.engines
    await engines.stores.relations.add(Relation(kind, subject, object, engines.ids.next_version()), EVERYTHING)


async def upload(server: AccountServer, folder: Path, id: str, owner: UserId, data: bytes) -> Content:
    file = folder / id
    file.write_bytes(data)
    stored = await server.node.engines.content_bytes.put(file)
    blob = Blob(stored.digest, stored.byte_size, MediaType.PNG)
    pending = Content(ContentId(id * 32), owner, server.clock.now_ms(), "", 100, Version(1))
    content = pending.completed(blob, blob, width=1, height=1, duration_ms=None, version=Version(2))
    await server.node.engines.stores.contents.add(content, EVERYTHING)
    return content


async def left_of(server: AccountServer, user: UserId) -> list[object]:
    """All rows that still say something of the user."""
    stores = server.node.engines.stores
    rows: list[object] = [
        *await stores.tweets.by_authors([user], None, None, 1_000),
        *await stores.likes.by_user(user, None, 1_000),
        *await stores.contents.of_owner(user, None, 1_000),
        *await stores.notifications.page(user, None, 1_000),
        *await stores.sessions.sessions_of(user),
    ]
    for kind in RelationKind:
        rows += await stores.relations.of_subject(kind, user, None, 1_000)
        rows += await stores.relations.of_object(kind, user, None, 1_000)
    account, profile = await stores.accounts.account(user), (await stores.accounts.users([user]))[user]
    return [*rows, *([account] if account else []), *filter(None, (profile.display_name, profile.bio, profile.avatar))]


async def a_life(server: AccountServer, folder: Path, tweets: int) -> tuple[Registered, Registered, Content]:
    """Ada, with something of every kind, and Bo, whom she knows."""
    ada, bo = await server.register("ada"), await server.register("bo")
    content = await upload(server, folder, "a", ada.user.id, b"of ada")
    theirs = await post(server, bo.user.id, "by bo")
    await post(server, ada.user.id, content=(content.id,))
    for number in range(tweets - 1):
        await post(server, ada.user.id, f"number {number}")
    for kind in RelationKind:
        if kind is not RelationKind.REQUEST:
            await relate(server, kind, ada.user.id, UserId(7_000))
    await relate(server, RelationKind.FOLLOW, bo.user.id, ada.user.id)
    await relate(server, RelationKind.REQUEST, UserId(7_001), ada.user.id)
    await like(server, ada.user.id, theirs)
    told = Notification(5, ada.user.id, NotificationKind.LIKE, bo.user.id, theirs.id)
    await server.node.engines.stores.notifications.add([told])
    return ada, bo, content


async def delete(server: AccountServer, user: Registered) -> None:
    await server.routes.users.delete(user.user.id, PASSWORD)


async def facts(server: AccountServer) -> list[object]:
    logged = await server.node.engines.log.read(Position("0"), EVERYTHING)
    assert logged is not None
    return [each.event for each in logged]


async def test_nothing_is_left_but_the_name(server: AccountServer, tmp_path: Path) -> None:
    ada, bo, _ = await a_life(server, tmp_path, tweets=3)
    await delete(server, ada)
    assert len(await left_of(server, ada.user.id)) > 10
    start_eraser(server.node)
    await server.settled()
    assert await left_of(server, ada.user.id) == []
    assert (await server.user(ada.user.id)).username == "ada"
    await server.register("eve", "ada@example.org")
    assert len(await left_of(server, bo.user.id)) == 4  # his tweet, session, account and name


async def test_a_long_life_is_erased_in_bounded_turns_that_let_others_in_between(
    server: AccountServer, tmp_path: Path
) -> None:
    count = ROWS_A_TURN * 2 + 10
    ada, bo, _ = await a_life(server, tmp_path, count)
    await delete(server, ada)
    erase, asked = erase_user(server.node), UserDeleted(ada.user.id, (await server.user(ada.user.id)).version)
    turns = 0
    while await server.node.engines.stores.tweets.by_authors([ada.user.id], None, None, 1):
        before = sum(isinstance(fact, TweetDeleted) for fact in await facts(server))
        again = (await facts(server)).count(asked)
        await erase(asked)
        after = await facts(server)
        assert sum(isinstance(fact, TweetDeleted) for fact in after) - before <= ROWS_A_TURN
        turns += 1
        left = await server.node.engines.stores.tweets.by_authors([ada.user.id], None, None, 1)
        assert after.count(asked) - again == (1 if left else 0)
    assert turns == 3
    assert not (await server.user(bo.user.id)).deleted


async def test_an_erasure_that_is_cut_short_anywhere_is_completed_when_it_is_told_again(
    server: AccountServer, tmp_path: Path
) -> None:
    ada, _, _ = await a_life(server, tmp_path, tweets=4)
    await delete(server, ada)
    asked = UserDeleted(ada.user.id, (await server.user(ada.user.id)).version)
    whole = erase_user(server.node)

    class Down:
        """A store that is not there: whatever is asked of it fails."""

        def __getattr__(self, name: str) -> object:
            raise DependencyDown(name)

    for port in ("tweets", "likes", "relations", "contents", "notifications", "accounts"):
        with pytest.raises(DependencyDown):
            await replace(whole, **{port: Down()})(asked)  # type: ignore[arg-type]  # no store at all, on purpose
    await whole(asked)
    await whole(asked)
    assert await left_of(server, ada.user.id) == []


async def test_bytes_that_nobody_else_has_go_and_shared_ones_stay(server: AccountServer, tmp_path: Path) -> None:
    ada, bo, own = await a_life(server, tmp_path, tweets=1)
    shared = await upload(server, tmp_path, "b", ada.user.id, b"of both")
    await upload(server, tmp_path, "c", bo.user.id, b"of both")
    storage = server.node.engines.content_bytes
    server.clock.advance(UPLOAD_MS_MAX + HOUR_MS)
    await delete(server, ada)
    start_eraser(server.node)
    await server.settled()
    assert own.original is not None
    assert shared.original is not None
    assert await storage.size(own.original.digest) is None
    assert await storage.size(shared.original.digest) is not None


async def test_bytes_so_young_that_an_upload_may_be_putting_them_stay(server: AccountServer, tmp_path: Path) -> None:
    ada, _, own = await a_life(server, tmp_path, tweets=1)
    await delete(server, ada)
    start_eraser(server.node)
    await server.settled()
    assert own.original is not None
    assert await server.node.engines.content_bytes.size(own.original.digest) is not None
    assert await left_of(server, ada.user.id) == []


async def test_what_was_under_way_when_its_author_went_goes_too(server: AccountServer, tmp_path: Path) -> None:
    ada, bo, _ = await a_life(server, tmp_path, tweets=1)
    start_eraser(server.node)
    await delete(server, ada)
    await server.settled()
    theirs = await post(server, bo.user.id)
    await post(server, ada.user.id, "late")
    await like(server, ada.user.id, theirs)
    await relate(server, RelationKind.FOLLOW, ada.user.id, bo.user.id)
    await relate(server, RelationKind.FOLLOW, bo.user.id, ada.user.id)
    await server.settled()
    assert await left_of(server, ada.user.id) == []
    assert len(await server.node.engines.stores.tweets.by_authors([bo.user.id], None, None, 10)) == 2


async def test_what_is_told_to_the_erased_by_a_reaction_that_lags_goes_too(
    server: AccountServer, tmp_path: Path
) -> None:
    ada, bo, _ = await a_life(server, tmp_path, tweets=1)
    start_eraser(server.node)
    await delete(server, ada)
    await server.settled()
    told = Notification(6, ada.user.id, NotificationKind.FOLLOW, bo.user.id)
    await server.node.engines.stores.notifications.add([told])
    await server.settled()
    assert await left_of(server, ada.user.id) == []


async def test_nobody_is_erased_who_was_not_deleted(server: AccountServer, tmp_path: Path) -> None:
    ada, _, _ = await a_life(server, tmp_path, tweets=2)
    await server.settled()
    before = await left_of(server, ada.user.id)
    await erase_user(server.node)(UserDeleted(ada.user.id, Version(1)))
    await erase_user(server.node)(UserDeleted(UserId(404), Version(1)))
    assert await left_of(server, ada.user.id) == before


async def test_what_was_said_is_blanked_once_the_index_has_dropped_it(server: AccountServer) -> None:
    ada = await server.register("ada")
    tweet = await post(server, ada.user.id, "a secret")
    await delete(server, ada)
    start_eraser(server.node)
    await server.settled()
    kept = (await server.node.engines.stores.tweets.get_many([TweetId(tweet.id)]))[tweet.id]
    assert (kept.deleted, kept.message) == (True, "")


async def test_the_digest_of_a_pending_upload_is_no_obstacle(server: AccountServer) -> None:
    ada = await server.register("ada")
    pending = Content(ContentId("e" * 32), ada.user.id, server.clock.now_ms(), "", 100, Version(1))
    await server.node.engines.stores.contents.add(pending, EVERYTHING)
    await delete(server, ada)
    await erase_user(server.node)(UserDeleted(ada.user.id, Version(1)))
    assert await left_of(server, ada.user.id) == []
    assert await server.node.engines.content_bytes.size(Digest("e" * 64)) is None
