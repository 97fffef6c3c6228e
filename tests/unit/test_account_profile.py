"""Profiles as their owners edit them, accounts as they are deleted, and what a confirmed address allows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from api.account_server import PASSWORD, STORES, AccountServer, Wanted, account_server
from roost.commands.update_profile import REQUESTS_A_WRITE, ProfileChanges
from roost.domain.content import Blob, Content, Digest, MediaType
from roost.domain.errors import Forbidden, Invalid, NotFound, NotSignedIn, Overloaded
from roost.domain.events import Event, UserChanged
from roost.domain.ids import ContentId, Position, UserId, Version
from roost.domain.relation import Relation, RelationKind
from roost.domain.tokens import hash_token
from roost.domain.user import User
from roost.ports.accounts import AccountStore
from roost.views.posting_right import PostingRight

QUOTA = 1 << 30


@pytest_asyncio.fixture(params=STORES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AccountServer]:
    async with account_server(tmp_path, Wanted(request.param)) as started:
        yield started


async def keep_content(
    server: AccountServer, id: str, owner: UserId, mime: MediaType = MediaType.PNG, *, ready: bool = True
) -> ContentId:
    content = Content(ContentId(id), owner, server.clock.now_ms(), "", 100, Version(1))
    if ready:
        blob = Blob(Digest(id[0] * 64), 10, mime)
        content = content.completed(blob, blob, width=1, height=1, duration_ms=None, version=Version(2))
    await server.node.engines.stores.contents.add(content, QUOTA)
    return content.id


async def test_what_is_named_changes_and_the_rest_stays(server: AccountServer) -> None:
    made = await server.register()
    picture = await keep_content(server, "a" * 32, made.user.id)
    update = server.routes.users.update
    await update(made.user.id, ProfileChanges(display_name=" Ada  Lovelace ", bio="counts"))
    await update(made.user.id, ProfileChanges(avatar=picture, protected=True))
    user = await server.user(made.user.id)
    assert (user.display_name, user.bio, user.avatar, user.protected) == ("Ada Lovelace", "counts", picture, True)
    assert user.version > made.user.version
    assert await server.node.views.users.get(made.user.id) == user
    await update(made.user.id, ProfileChanges(avatar=None))
    assert (await server.user(made.user.id)).avatar is None


async def test_only_protection_changes_what_others_see_of_the_tweets(server: AccountServer) -> None:
    made, log = await server.register(), server.node.engines.log
    begin = await log.end()
    for changes in (ProfileChanges(bio="counts"), ProfileChanges(protected=True), ProfileChanges(protected=False)):
        await server.routes.users.update(made.user.id, changes)
    logged = await log.read(begin, 10)
    assert logged is not None
    facts = [each.event for each in logged if isinstance(each.event, UserChanged)]
    assert [fact.sight for fact in facts] == [False, True, True]


async def test_changing_nothing_writes_nothing(server: AccountServer) -> None:
    made = await server.register()
    assert await server.routes.users.update(made.user.id, ProfileChanges(display_name="ada")) == made.user
    assert await server.user(made.user.id) == made.user


async def test_all_wrong_fields_of_a_profile_are_reported_at_once_and_nothing_is_changed(server: AccountServer) -> None:
    made = await server.register()
    changes = ProfileChanges(display_name="a\u202eb", bio="x" * 161, avatar=ContentId("nope"), protected=True)
    with pytest.raises(Invalid) as refused:
        await server.routes.users.update(made.user.id, changes)
    assert [one.field for one in refused.value.fields] == ["display_name", "bio", "avatar_content_id"]
    assert await server.user(made.user.id) == made.user


async def test_a_picture_is_an_image_of_ones_own_that_is_ready(server: AccountServer) -> None:
    ada, bo = await server.register("ada"), await server.register("bo")
    unfit = [
        await keep_content(server, "a" * 32, bo.user.id),
        await keep_content(server, "b" * 32, ada.user.id, ready=False),
        await keep_content(server, "c" * 32, ada.user.id, MediaType.MP4),
        ContentId("\ud800"),
    ]
    for id in unfit:
        with pytest.raises(Invalid):
            await server.routes.users.update(ada.user.id, ProfileChanges(avatar=id))


async def test_changes_at_once_all_stand(server: AccountServer) -> None:
    made = await server.register()
    update = server.routes.users.update
    await asyncio.gather(
        update(made.user.id, ProfileChanges(display_name="Ada")),
        update(made.user.id, ProfileChanges(bio="counts")),
        update(made.user.id, ProfileChanges(protected=True)),
    )
    user = await server.user(made.user.id)
    assert (user.display_name, user.bio, user.protected) == ("Ada", "counts", True)


async def test_a_row_that_others_keep_changing_is_overload_and_not_a_loop(tmp_path: Path) -> None:
    class Restless:
        """Somebody is always a little quicker."""

        def __init__(self, behind: AccountStore) -> None:
            self._behind = behind
            self.users = behind.users
            self.refused = 0

        async def save_user(self, user: User, events: list[Event], over: Version) -> Position | None:
            self.refused += 1
            return None

    async with account_server(tmp_path) as server:
        made = await server.register()
        restless = Restless(server.node.engines.stores.accounts)
        update = replace(server.routes.users.update, store=restless)  # type: ignore[arg-type]  # the part that is used
        with pytest.raises(Overloaded):
            await update(made.user.id, ProfileChanges(bio="counts"))
        assert restless.refused == 5


async def test_without_protection_everybody_who_waits_follows(server: AccountServer) -> None:
    made = await server.register()
    store, ids = server.node.engines.stores.relations, server.node.engines.ids
    await server.routes.users.update(made.user.id, ProfileChanges(protected=True))
    waiting = [UserId(1_000 + number) for number in range(REQUESTS_A_WRITE + 20)]
    for subject in waiting:
        await store.add(Relation(RelationKind.REQUEST, subject, made.user.id, ids.next_version()), 10)
    await server.routes.users.update(made.user.id, ProfileChanges(protected=False))
    assert await store.of_object(RelationKind.REQUEST, made.user.id, None, 1) == []
    assert await store.followers(made.user.id, UserId(0), 10_000) == waiting


async def test_asking_again_completes_an_acceptance_that_was_cut_short(server: AccountServer) -> None:
    made = await server.register()
    store, ids = server.node.engines.stores.relations, server.node.engines.ids
    await store.add(Relation(RelationKind.REQUEST, UserId(7), made.user.id, ids.next_version()), 10)
    await server.routes.users.update(made.user.id, ProfileChanges(bio="counts"))
    assert len(await store.of_object(RelationKind.REQUEST, made.user.id, None, 9)) == 1
    await server.routes.users.update(made.user.id, ProfileChanges(protected=False))
    assert await store.holds(RelationKind.FOLLOW, UserId(7), made.user.id) is not None


async def test_an_account_is_deleted_by_its_password_only(server: AccountServer) -> None:
    made = await server.register()
    with pytest.raises(Forbidden):
        await server.routes.users.delete(made.user.id, "a wrong phrase")
    assert not (await server.user(made.user.id)).deleted
    await server.routes.users.delete(made.user.id, PASSWORD)
    assert (await server.user(made.user.id)).deleted
    with pytest.raises(NotSignedIn):
        await server.node.views.sessions.by_token(hash_token(made.issued.token))
    with pytest.raises(NotFound):
        await server.routes.users.profiles.one(made.user.id, None)
    for act in (
        server.routes.users.delete(made.user.id, PASSWORD),
        server.routes.users.update(made.user.id, ProfileChanges(bio="back")),
    ):
        with pytest.raises(NotFound):
            await act


async def test_posting_may_need_a_confirmed_address(server: AccountServer) -> None:
    made = await server.register()
    store = server.node.engines.stores.accounts
    await PostingRight(store, require_confirmed_email=False).check(made.user.id)
    right = PostingRight(store, require_confirmed_email=True)
    with pytest.raises(Forbidden):
        await right.check(made.user.id)
    await server.routes.credentials.confirm_email(await server.mailed_token("ada@example.org"))
    await right.check(made.user.id)
    with pytest.raises(Forbidden):
        await right.check(UserId(7))
