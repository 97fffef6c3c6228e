"""The SessionStore and OneTimeTokenStore contracts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.account_store_adapters import ANA, BEN, STORES, Stores, session
from roost.domain.events import SessionsEnded
from roost.domain.ids import UserId
from roost.domain.user import SESSIONS_MAX, OneTimeToken, TokenPurpose


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


def token(hash: bytes = b"t1", purpose: TokenPurpose = TokenPurpose.CONFIRM_EMAIL, owner: UserId = ANA) -> OneTimeToken:
    return OneTimeToken(hash, purpose, owner, "ana@example.org", expires_ms=1)


async def test_a_session_is_found_by_its_token_with_all_that_it_holds(stores: Stores) -> None:
    plain = replace(session("s2"), csrf_hash=None, client="")
    for each in (session(), plain):
        await stores.sessions.add_session(each)
    assert await stores.sessions.session_by_token(session().token_hash) == session()
    assert await stores.sessions.session_by_token(plain.token_hash) == plain
    assert await stores.sessions.session_by_token(b"unknown") is None


async def test_an_expired_session_is_still_answered(stores: Stores) -> None:
    expired = replace(session(), expires_ms=1)
    await stores.sessions.add_session(expired)
    assert await stores.sessions.session_by_token(expired.token_hash) == expired


async def test_sessions_of_a_user_come_newest_first(stores: Stores) -> None:
    for id, created_ms in (("b", 20), ("a", 10), ("c", 30)):
        await stores.sessions.add_session(session(id, created_ms=created_ms))
    await stores.sessions.add_session(session("other", BEN))
    assert [each.session_id for each in await stores.sessions.sessions_of(ANA)] == ["c", "b", "a"]


async def test_one_session_too_many_ends_the_longest_unused(stores: Stores) -> None:
    for number in range(SESSIONS_MAX):
        unused_since = 5 if number == 40 else 1_000 + number
        await stores.sessions.add_session(session(f"s{number}", created_ms=100 + number, last_used_ms=unused_since))
    await stores.sessions.add_session(session("other", BEN, last_used_ms=1))
    assert stores.left() == []
    await stores.sessions.add_session(session("new", created_ms=900, last_used_ms=4))
    assert stores.left() == [SessionsEnded(ANA, ("s40",))]
    kept = [each.session_id for each in await stores.sessions.sessions_of(ANA)]
    assert len(kept) == SESSIONS_MAX
    assert "s40" not in kept
    assert "new" in kept
    assert await stores.sessions.session_by_token(session("s40").token_hash) is None


async def test_use_is_noted_and_never_moves_backwards(stores: Stores) -> None:
    await stores.sessions.add_session(session())
    for last_used_ms in (5_000, 4_000):
        await stores.sessions.touch_session(session().token_hash, last_used_ms)
    assert await stores.sessions.session_by_token(session().token_hash) == session(last_used_ms=5_000)


async def test_use_does_not_bring_an_ended_session_back(stores: Stores) -> None:
    await stores.sessions.add_session(session())
    await stores.sessions.end_session(ANA, "s1")
    await stores.sessions.touch_session(session().token_hash, 5_000)
    assert await stores.sessions.session_by_token(session().token_hash) is None


async def test_ending_a_session_is_announced_once(stores: Stores) -> None:
    await stores.sessions.add_session(session("s1"))
    await stores.sessions.add_session(session("s2"))
    assert await stores.sessions.end_session(ANA, "s1") is not None
    assert await stores.sessions.end_session(ANA, "s1") is None
    assert stores.left() == [SessionsEnded(ANA, ("s1",))]
    assert await stores.sessions.sessions_of(ANA) == [session("s2")]


async def test_nobody_ends_anothers_session(stores: Stores) -> None:
    await stores.sessions.add_session(session())
    assert await stores.sessions.end_session(BEN, "s1") is None
    assert await stores.sessions.session_by_token(session().token_hash) == session()
    assert stores.left() == []


async def test_a_token_is_taken_once(stores: Stores) -> None:
    await stores.tokens.add_token(token())
    assert await stores.tokens.take_token(b"t1", TokenPurpose.CONFIRM_EMAIL) == token()
    assert await stores.tokens.take_token(b"t1", TokenPurpose.CONFIRM_EMAIL) is None


async def test_of_many_takers_one_gets_the_token(stores: Stores) -> None:
    await stores.tokens.add_token(token())
    takers = [stores.tokens.take_token(b"t1", TokenPurpose.CONFIRM_EMAIL) for _ in range(8)]
    assert sorted(taken is not None for taken in await asyncio.gather(*takers)) == [False] * 7 + [True]


async def test_a_token_serves_its_own_purpose_only_and_survives_the_wrong_one(stores: Stores) -> None:
    await stores.tokens.add_token(token())
    assert await stores.tokens.take_token(b"t1", TokenPurpose.RESET_PASSWORD) is None
    assert await stores.tokens.take_token(b"t1", TokenPurpose.CONFIRM_EMAIL) == token()


async def test_a_new_token_voids_the_earlier_of_that_user_and_purpose(stores: Stores) -> None:
    reset = token(b"t2", TokenPurpose.RESET_PASSWORD)
    others = token(b"t3", owner=BEN)
    for each in (token(b"t1"), reset, others, token(b"t4")):
        await stores.tokens.add_token(each)
    assert await stores.tokens.take_token(b"t1", TokenPurpose.CONFIRM_EMAIL) is None
    assert await stores.tokens.take_token(b"t2", TokenPurpose.RESET_PASSWORD) == reset
    assert await stores.tokens.take_token(b"t3", TokenPurpose.CONFIRM_EMAIL) == others
    assert await stores.tokens.take_token(b"t4", TokenPurpose.CONFIRM_EMAIL) == token(b"t4")
