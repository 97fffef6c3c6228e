"""The AccountStore contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from contract.account_store_adapters import ANA, BEN, CEM, STORES, Stores, account, in_sqlite, session, user
from roost.domain.errors import AlreadyTaken, NotFound
from roost.domain.events import SessionsEnded, UserChanged, UserDeleted
from roost.domain.ids import ContentId, UserId, Version
from roost.domain.user import OneTimeToken, TokenPurpose

CREATED = UserChanged(ANA, Version(1))


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


async def register(stores: Stores, id: UserId, name: str) -> None:
    await stores.accounts.create(user(id, name), account(id, f"{name}@example.org"), session(f"s of {name}", id), [])


async def test_a_new_user_is_found_by_id_name_address_and_token(stores: Stores) -> None:
    await stores.accounts.create(user(), account(), session(), [CREATED])
    assert await stores.accounts.users([ANA, BEN]) == {ANA: user()}
    assert await stores.accounts.ids_by_name(["ana", "ben"]) == {"ana": ANA}
    assert await stores.accounts.user_id_by_email("ana@example.org") == ANA
    assert await stores.accounts.account(ANA) == account()
    assert await stores.sessions.session_by_token(session().token_hash) == session()
    assert stores.left() == [CREATED]


async def test_a_user_may_begin_without_a_session(stores: Stores) -> None:
    await stores.accounts.create(user(), account(), None, [])
    assert await stores.sessions.sessions_of(ANA) == []


async def test_a_name_is_taken_without_regard_to_case_and_nothing_is_kept(stores: Stores) -> None:
    await stores.accounts.create(user(), account(), None, [])
    with pytest.raises(AlreadyTaken) as refused:
        await stores.accounts.create(user(BEN, "ANA"), account(BEN, "b@x.org"), session("s2", BEN), [CREATED])
    assert refused.value.field == "username"
    assert await nothing_kept_of_ben(stores)


async def test_an_address_is_taken_and_nothing_is_kept(stores: Stores) -> None:
    await stores.accounts.create(user(), account(), None, [])
    with pytest.raises(AlreadyTaken) as refused:
        await stores.accounts.create(user(BEN, "ben"), account(BEN, "Ana@example.org"), session("s2", BEN), [CREATED])
    assert refused.value.field == "email"
    assert await nothing_kept_of_ben(stores)
    assert await stores.accounts.ids_by_name(["ben"]) == {}


async def nothing_kept_of_ben(stores: Stores) -> bool:
    return (
        await stores.accounts.users([BEN]) == {}
        and await stores.accounts.account(BEN) is None
        and await stores.accounts.user_id_by_email("b@x.org") is None
        and await stores.sessions.session_by_token(session("s2").token_hash) is None
        and stores.left() == []
    )


@pytest.mark.parametrize("contested", ["username", "email"])
async def test_a_race_for_a_name_or_an_address_has_one_winner(stores: Stores, contested: str) -> None:
    async def enter(number: int) -> UserId:
        id = UserId(500 + number)
        name = "same" if contested == "username" else f"u{number}"
        email = "same@x.org" if contested == "email" else f"u{number}@x.org"
        await stores.accounts.create(user(id, name), account(id, email), None, [UserChanged(id, Version(1))])
        return id

    outcomes = await asyncio.gather(*(enter(number) for number in range(8)), return_exceptions=True)
    winners = [outcome for outcome in outcomes if isinstance(outcome, int)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, AlreadyTaken)]
    assert (len(winners), {loser.field for loser in losers}, len(losers)) == (1, {contested}, 7)
    assert list(await stores.accounts.users([UserId(500 + number) for number in range(8)])) == winners
    assert stores.left() == [UserChanged(winners[0], Version(1))]


async def test_two_processes_that_race_for_a_name_have_one_winner(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        rivals = [(await stack.enter_async_context(in_sqlite(tmp_path))).accounts for _ in range(2)]
        entries = [
            rivals[number % 2].create(
                user(UserId(500 + number), "same"), account(UserId(500 + number), f"u{number}@x.org"), None, []
            )
            for number in range(8)
        ]
        outcomes = await asyncio.gather(*entries, return_exceptions=True)
        assert sum(isinstance(outcome, AlreadyTaken) for outcome in outcomes) == 7
        assert await rivals[0].ids_by_name(["same"]) == await rivals[1].ids_by_name(["same"]) != {}


async def test_what_was_kept_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    async with in_sqlite(tmp_path) as before:
        await before.accounts.create(user(), account(), session(), [CREATED])
    async with in_sqlite(tmp_path) as after:
        assert await after.accounts.users([ANA]) == {ANA: user()}
        assert await after.sessions.sessions_of(ANA) == [session()]
        assert after.left() == [CREATED]


async def test_a_user_is_replaced_by_a_greater_version_only(stores: Stores) -> None:
    await stores.accounts.create(user(version=5), account(), None, [])
    newer = replace(user(version=6), bio="newer", avatar=ContentId("c1"), protected=True, operator=True)
    changed = UserChanged(ANA, Version(6))
    assert await stores.accounts.save_user(newer, [changed]) is not None
    for version in (6, 5):
        assert await stores.accounts.save_user(replace(user(version=version), bio="late"), [CREATED]) is None
    assert await stores.accounts.users([ANA]) == {ANA: newer}
    assert stores.left() == [changed]


async def test_a_change_of_what_was_read_stands_only_if_nobody_changed_it_since(stores: Stores) -> None:
    await stores.accounts.create(user(version=5), account(), None, [])
    first, second = replace(user(version=6), bio="first"), replace(user(version=7), bio="second")
    assert await stores.accounts.save_user(first, [], over=Version(5)) is not None
    assert await stores.accounts.save_user(second, [CREATED], over=Version(5)) is None
    assert await stores.accounts.users([ANA]) == {ANA: first}
    assert stores.left() == []
    assert await stores.accounts.save_user(second, [], over=Version(6)) is not None


async def test_a_user_who_was_never_created_is_not_saved(stores: Stores) -> None:
    assert await stores.accounts.save_user(user(version=9), [CREATED]) is None
    assert await stores.accounts.users([ANA]) == {}
    assert stores.left() == []


async def test_no_account_no_name_and_no_address_answer_none(stores: Stores) -> None:
    assert await stores.accounts.account(ANA) is None
    assert await stores.accounts.user_id_by_email("ana@example.org") is None
    assert await stores.accounts.users([]) == {}
    assert await stores.accounts.ids_by_name([]) == {}


@pytest.mark.parametrize("text", ["\ud800", "ana\x00", "' OR 1=1 --", "a" * 10_000, "%", ""])
async def test_hostile_text_finds_nobody(stores: Stores, text: str) -> None:
    await register(stores, ANA, "ana")
    assert text not in await stores.accounts.ids_by_name([text])
    assert await stores.accounts.user_id_by_email(text) is None


async def test_a_changed_address_is_confirmed_and_frees_the_old_one(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.change_email(ANA, "New@example.org", "new@example.org")
    changed = await stores.accounts.account(ANA)
    assert changed is not None
    assert (changed.email, changed.email_key, changed.email_confirmed) == ("New@example.org", "new@example.org", True)
    assert await stores.accounts.user_id_by_email("ana@example.org") is None
    await stores.accounts.create(user(BEN, "ben"), account(BEN, "ana@example.org"), None, [])


async def test_an_address_of_another_is_not_taken_over(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await register(stores, BEN, "ben")
    with pytest.raises(AlreadyTaken) as refused:
        await stores.accounts.change_email(ANA, "ben@example.org", "ben@example.org")
    assert refused.value.field == "email"
    assert await stores.accounts.account(ANA) == account()
    assert await stores.accounts.user_id_by_email("ben@example.org") == BEN


async def test_ones_own_address_may_change_its_case(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.change_email(ANA, "ANA@example.org", "ana@example.org")
    assert await stores.accounts.user_id_by_email("ana@example.org") == ANA


async def test_an_address_is_confirmed_only_while_it_is_the_kept_one(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    assert not await stores.accounts.confirm_email(ANA, "other@example.org")
    assert await stores.accounts.account(ANA) == account()
    assert await stores.accounts.confirm_email(ANA, "ana@example.org")
    assert await stores.accounts.account(ANA) == replace(account(), email_confirmed=True)
    assert not await stores.accounts.confirm_email(CEM, "ana@example.org")


async def test_a_new_password_ends_all_sessions_but_the_kept_one(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await register(stores, BEN, "ben")
    await stores.sessions.add_session(session("here"))
    await stores.sessions.add_session(session("there"))
    await stores.accounts.change_password(ANA, "another hash", "here", Version(2))
    changed = await stores.accounts.account(ANA)
    assert changed is not None
    assert changed.password_hash == "another hash"
    assert await stores.sessions.sessions_of(ANA) == [session("here")]
    assert await stores.sessions.sessions_of(BEN) != []
    (ended,) = stores.left()
    assert isinstance(ended, SessionsEnded)
    assert (ended.user_id, set(ended.session_ids)) == (ANA, {"s of ana", "there"})


async def test_a_reset_password_ends_all_sessions(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.change_password(ANA, "another hash", None, Version(2))
    assert await stores.sessions.sessions_of(ANA) == []
    assert stores.left() == [SessionsEnded(ANA, ("s of ana",))]


async def test_a_new_password_voids_the_tokens_that_could_undo_it_and_no_others(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await register(stores, BEN, "ben")
    for owner in (ANA, BEN):
        for purpose in TokenPurpose:
            text = f"{purpose} of {owner}".encode()
            await stores.tokens.add_token(OneTimeToken(text, purpose, owner, "ana@example.org", 9_000))
    await stores.accounts.change_password(ANA, "another hash", None, Version(2))

    async def holds(purpose: TokenPurpose, owner: UserId) -> bool:
        return await stores.tokens.take_token(f"{purpose} of {owner}".encode(), purpose) is not None

    assert not await holds(TokenPurpose.CHANGE_EMAIL, ANA)
    assert not await holds(TokenPurpose.RESET_PASSWORD, ANA)
    assert await holds(TokenPurpose.CONFIRM_EMAIL, ANA)
    assert all([await holds(purpose, BEN) for purpose in TokenPurpose])


async def test_a_hash_is_renewed_only_in_place_of_the_one_it_was_made_from(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.replace_password_hash(ANA, "an older hash", "stale")
    assert await stores.accounts.account(ANA) == account()
    await stores.accounts.replace_password_hash(ANA, "hash of a password", "dearer")
    assert await stores.accounts.account(ANA) == replace(account(), password_hash="dearer")
    assert await stores.sessions.sessions_of(ANA) != []


async def test_a_deleted_user_is_marked_and_signed_out(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.delete_user(ANA, Version(7))
    assert await stores.accounts.users([ANA]) == {ANA: replace(user(version=7), deleted=True)}
    assert await stores.accounts.ids_by_name(["ana"]) == {"ana": ANA}
    assert await stores.sessions.sessions_of(ANA) == []
    assert stores.left() == [
        UserChanged(ANA, Version(7)),
        UserDeleted(ANA, Version(7)),
        SessionsEnded(ANA, ("s of ana",)),
    ]


async def test_a_deletion_may_be_repeated_also_after_the_erasure(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.delete_user(ANA, Version(7))
    await stores.accounts.delete_user(ANA, Version(7))
    await stores.accounts.erase_account(ANA)
    await stores.accounts.delete_user(ANA, Version(6))
    assert (await stores.accounts.users([ANA]))[ANA].deleted
    assert (await stores.accounts.users([ANA]))[ANA].version == 7
    assert stores.left().count(UserDeleted(ANA, Version(7))) == 3


async def test_a_change_that_began_before_the_deletion_does_not_undo_it(stores: Stores) -> None:
    await register(stores, ANA, "ana")
    await stores.accounts.delete_user(ANA, Version(7))
    assert await stores.accounts.save_user(user(version=8), [CREATED]) is None
    assert (await stores.accounts.users([ANA]))[ANA].deleted


async def test_nobody_cannot_be_deleted_or_erased(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.accounts.delete_user(ANA, Version(7))
    with pytest.raises(NotFound):
        await stores.accounts.erase_account(ANA)
    assert stores.left() == []


async def test_an_erased_account_leaves_nothing_but_the_name(stores: Stores) -> None:
    await stores.accounts.create(replace(user(), avatar=ContentId("c1")), account(), session(), [])
    await stores.tokens.add_token(OneTimeToken(b"t", TokenPurpose.RESET_PASSWORD, ANA, "ana@example.org", 9_000))
    await stores.accounts.delete_user(ANA, Version(7))
    await stores.accounts.erase_account(ANA)
    await stores.accounts.erase_account(ANA)
    assert await stores.accounts.account(ANA) is None
    assert await stores.accounts.user_id_by_email("ana@example.org") is None
    assert await stores.tokens.take_token(b"t", TokenPurpose.RESET_PASSWORD) is None
    assert await stores.sessions.session_by_token(session().token_hash) is None
    blank = (await stores.accounts.users([ANA]))[ANA]
    assert (blank.username, blank.display_name, blank.bio, blank.avatar, blank.deleted) == ("ana", "", "", None, True)
    with pytest.raises(AlreadyTaken):
        await stores.accounts.create(user(BEN, "Ana"), account(BEN, "b@x.org"), None, [])
    await stores.accounts.create(user(CEM, "cem"), account(CEM, "ana@example.org"), None, [])


async def test_all_users_are_walked_in_rising_order(stores: Stores) -> None:
    for id in (7, 3, 9, 5):
        await register(stores, UserId(id), f"u{id}")
    assert await stores.accounts.user_ids(UserId(0), 3) == [3, 5, 7]
    assert await stores.accounts.user_ids(UserId(5), 3) == [7, 9]
    assert await stores.accounts.user_ids(UserId(9), 3) == []


async def test_a_long_walk_is_whole(stores: Stores) -> None:
    creations = [
        stores.accounts.create(user(UserId(id), f"u{id}"), account(UserId(id), f"u{id}@x.org"), None, [])
        for id in range(1, 1_201)
    ]
    await asyncio.gather(*creations)
    assert await stores.accounts.user_ids(UserId(10), 1_000) == list(range(11, 1_011))
    assert len(await stores.accounts.users([UserId(id) for id in range(1, 1_001)])) == 1_000
