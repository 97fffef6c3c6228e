"""The UserIndex contract, over every adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.index_adapters import INDEXES, MakeIndexes, memory_indexes, solr_indexes, sqlite_indexes
from roost.domain.ids import Position, UserId, Version
from roost.domain.search.people import IndexedUser, parse_user_prefix
from roost.ports.index import RESULTS_MAX, UserBatch, UserIndex


@pytest.fixture(params=INDEXES)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UserIndex]:
    async with INDEXES[request.param](tmp_path) as indexes:
        yield indexes.users


def user(id: int, name: str, display_name: str = "", followers: int = 0, version: int = 1) -> IndexedUser:
    return IndexedUser(UserId(id), name, display_name, followers, Version(version))


async def found(index: UserIndex, text: str, limit: int = 100) -> list[UserId]:
    return await index.search(parse_user_prefix(text), limit)


async def test_a_user_is_found_by_each_beginning_of_the_name(index: UserIndex) -> None:
    await index.put([user(1, "Ada_L"), user(2, "bo")])
    for end in range(1, 6):
        assert await found(index, "ada_l"[:end]) == [1]
        assert await found(index, "@ADA_L"[: end + 1]) == [1]
    assert await found(index, "da") == await found(index, "ada_lo") == []


async def test_a_user_is_found_by_the_display_name_from_each_of_its_words_on(
    index: UserIndex,
) -> None:
    await index.put([user(1, "x1", "Zoë van der Berg"), user(2, "x2", "山田太郎")])
    for text in ("zoe", "Zoë va", "van der", "DER BER", "berg", "b"):
        assert await found(index, text) == [1], text
    assert await found(index, "zoe berg") == await found(index, "erg") == []
    assert await found(index, "山") == await found(index, "山田") == await found(index, "太郎") == [2]


async def test_the_exact_name_comes_first_then_the_most_followed(index: UserIndex) -> None:
    await index.put(
        [
            user(1, "annabel", followers=50),
            user(2, "ann", followers=1),
            user(3, "other", "Ann Other", followers=70),
            user(4, "anna", followers=50),
        ]
    )
    assert await found(index, "ann") == [2, 3, 1, 4]
    assert await found(index, "ann", limit=2) == [2, 3]
    assert await found(index, "anna") == [4, 1]
    assert await found(index, "an") == [3, 1, 4, 2]


async def test_a_user_is_found_once_although_several_words_match(index: UserIndex) -> None:
    await index.put([user(1, "bob", "Bob Bobson Bob"), user(2, "bobby")])
    for text in ("b", "bob", "bobs"):
        assert (await found(index, text, limit=1)) == [1], text
    assert await found(index, "bob") == [1, 2]


async def test_the_greater_version_is_kept_and_the_same_one_replaced(index: UserIndex) -> None:
    await index.put([user(1, "new", "New", version=2)])
    await index.put([user(1, "old", "Old", version=1)])
    assert await found(index, "old") == []
    assert await found(index, "new") == [1]
    await index.put([user(2, "newer", followers=9), user(1, "new", "New", 10, version=2)])
    assert await found(index, "ne") == [1, 2]
    await index.put([user(2, "newer", followers=11)])
    assert await found(index, "ne") == [2, 1]


async def test_a_removed_user_stays_removed_whatever_comes_later(index: UserIndex) -> None:
    await index.put([user(1, "ada"), user(2, "adam")])
    await index.remove([UserId(1)])
    await index.put([user(1, "ada", version=9)])
    assert await found(index, "a") == await found(index, "ada") == [2]


async def test_a_position_is_kept_with_its_changes(index: UserIndex) -> None:
    assert await index.applied() is None
    await index.apply(UserBatch(put=(user(1, "ada"),)), Position("7"))
    await index.put([user(2, "bo")])
    assert await index.applied() == "7"


async def test_clearing_forgets_everything(index: UserIndex) -> None:
    await index.apply(UserBatch((user(1, "ada", version=5),), (UserId(2),)), Position("7"))
    await index.clear()
    assert await index.applied() is None
    assert await found(index, "a") == []
    await index.put([user(1, "al"), user(2, "bo")])
    assert await found(index, "al") == [1]
    assert await found(index, "b") == [2]


@pytest.mark.parametrize("limit", [0, RESULTS_MAX + 1])
async def test_a_limit_outside_of_its_bounds_is_a_mistake(index: UserIndex, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        await found(index, "ada", limit)


LETTERS = "abé_ 山-"
USERS = st.builds(
    user,
    st.integers(1, 6),
    st.text("abB_1", min_size=1, max_size=5),
    st.text(LETTERS, max_size=12),
    st.integers(0, 3),
    st.integers(1, 3),
)
BATCHES = st.builds(
    UserBatch,
    st.lists(USERS, max_size=6).map(tuple),
    st.lists(st.integers(1, 6).map(UserId), max_size=1).map(tuple),
)


CHANGES = st.lists(BATCHES, max_size=5)
PREFIXES = st.lists(st.text(LETTERS, max_size=6))
SOLR_EXAMPLES_MAX = 12
"""A change costs Solr a commit of 10 ms and more: examples of five changes each take a second."""


async def finds_what_a_look_at_every_user_finds(
    make: MakeIndexes, folder: Path, batches: list[UserBatch], prefixes: list[str]
) -> None:
    async with memory_indexes(folder) as reference, make(folder) as compared:
        await compared.users.clear()
        for batch in batches:
            await reference.users.apply(batch)
            await compared.users.apply(batch)
        for text in [*prefixes, "a", "b", "ab", "山", "a b"]:
            if text.strip(" -"):
                for limit in (1, 3, 100):
                    expected = await found(reference.users, text, limit)
                    assert await found(compared.users, text, limit) == expected, text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=CHANGES, prefixes=PREFIXES)
async def test_sqlite_finds_what_a_look_at_every_user_finds(
    tmp_path: Path, batches: list[UserBatch], prefixes: list[str]
) -> None:
    await finds_what_a_look_at_every_user_finds(sqlite_indexes, tmp_path, batches, prefixes)


@settings(max_examples=SOLR_EXAMPLES_MAX, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=CHANGES, prefixes=PREFIXES)
async def test_solr_finds_what_a_look_at_every_user_finds(
    tmp_path: Path, batches: list[UserBatch], prefixes: list[str]
) -> None:
    await finds_what_a_look_at_every_user_finds(solr_indexes, tmp_path, batches, prefixes)
