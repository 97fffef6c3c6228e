"""The TweetIndex contract, over every adapter."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.index_adapters import INDEXES, NOW_MS
from roost.domain.ids import (
    ID_MAX,
    Position,
    TweetId,
    UserId,
    Version,
    compose_id,
    first_id_at,
)
from roost.domain.search.document import IndexedTweet
from roost.domain.search.grammar import parse_query
from roost.ports.index import RESULTS_MAX, TweetBatch, TweetIndex

ANA, BEN, CY = UserId(1), UserId(2), UserId(3)
NAMES = {"ana": ANA, "ben": BEN, "cy": CY}


@pytest.fixture(params=INDEXES)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TweetIndex]:
    async with INDEXES[request.param](tmp_path) as indexes:
        yield indexes.tweets


def tweet(number: int, text: str = "", author: UserId = ANA, **more: Any) -> IndexedTweet:
    """The tweet of the `number`-th millisecond of the hour; its hashtags are those in the text."""
    id = TweetId(compose_id(NOW_MS + number, 0, 0))
    tags = tuple(word[1:] for word in text.split() if word.startswith("#"))
    blank = IndexedTweet(id, author, text, tags, version=Version(1))
    return replace(blank, **more)


async def found(index: TweetIndex, query: str, before: TweetId | None = None, limit: int = 100) -> list[int]:
    """The numbers of the tweets found."""
    resolved = parse_query(query).resolve(NAMES)
    return numbers(await index.search(resolved, before, limit))


def numbers(ids: list[TweetId]) -> list[int]:
    return [(id - first_id_at(NOW_MS)) >> 22 for id in ids]


async def tags_of(index: TweetIndex, now_ms: int = NOW_MS) -> list[tuple[str, int]]:
    return [(trend.tag, trend.count) for trend in await index.trends(now_ms, 100)]


# What matches


async def test_a_tweet_is_found_by_each_of_its_words_as_soon_as_it_is_added(
    index: TweetIndex,
) -> None:
    await index.add([tweet(1, "The quick, brown fox")])
    for word in ("the", "QUICK", "brown", "Fox"):
        assert await found(index, word) == [1], word
    assert await found(index, "quic") == []


async def test_all_terms_are_required(index: TweetIndex) -> None:
    await index.add([tweet(1, "red green"), tweet(2, "green blue"), tweet(3, "red blue green")])
    assert await found(index, "green red") == [3, 1]
    assert await found(index, "green red blue") == [3]


async def test_accents_and_case_make_no_difference(index: TweetIndex) -> None:
    await index.add([tweet(1, "un café noir"), tweet(2, "CAFE"), tweet(3, "cafés")])
    assert await found(index, "cafe") == await found(index, "Café") == [2, 1]


async def test_a_phrase_needs_its_words_in_a_row(index: TweetIndex) -> None:
    await index.add([tweet(1, "new york"), tweet(2, "york new"), tweet(3, "new old york")])
    assert await found(index, '"new york"') == [1]
    assert await found(index, "new-york") == [1]


async def test_a_phrase_does_not_reach_from_the_words_into_other_facts(index: TweetIndex) -> None:
    await index.add([tweet(1, "hello", has_link=True, lang="en")])
    for query in ('"hello is tweet"', '"is:tweet"', '"has link"', '"lang en"', '"from 1"'):
        assert await found(index, query) == [], query


async def test_a_hashtag_is_found_with_and_without_its_sign(index: TweetIndex) -> None:
    await index.add([tweet(1, "I like #Rust"), tweet(2, "rust on the car")])
    assert await found(index, "rust") == [2, 1]
    assert await found(index, "#rust") == await found(index, "#RUST") == [1]


async def test_every_substring_finds_a_text_without_spaces(index: TweetIndex) -> None:
    run = "東京都の天気は晴れです"
    await index.add([tweet(1, f"今日、{run}！"), tweet(2, "京東"), tweet(3, "ภาษาไทย"), tweet(4, "서울에서")])
    for start in range(len(run)):
        for end in range(start + 1, len(run) + 1):
            assert 1 in await found(index, run[start:end]), run[start:end]
    assert await found(index, "東京") == [1]
    assert await found(index, "ไทย") == [3]
    assert await found(index, "서울") == [4]


async def test_a_negated_term_leaves_out_what_it_matches(index: TweetIndex) -> None:
    await index.add([tweet(1, "cat dog"), tweet(2, "cat"), tweet(3, "bird", BEN)])
    assert await found(index, "cat -dog") == [2]
    assert await found(index, "-cat") == [3]
    assert await found(index, "-from:ana") == [3]
    assert await found(index, '-"cat dog" -bird') == [2]


async def test_people_are_found_by_what_they_have_to_do_with_a_tweet(index: TweetIndex) -> None:
    await index.add(
        [
            tweet(1, "by ana"),
            tweet(2, "to ana", BEN, reply_to_author=ANA),
            tweet(3, "@ana hi", CY, mentions=(ANA, BEN)),
        ]
    )
    assert await found(index, "from:ana") == [1]
    assert await found(index, "to:ana") == [2]
    assert await found(index, "@ana") == [3]
    assert await found(index, "@Ben from:CY") == [3]


async def test_a_name_of_nobody_finds_nothing_and_excludes_nothing(index: TweetIndex) -> None:
    await index.add([tweet(1, "hello")])
    assert await found(index, "hello from:nobody") == []
    assert await found(index, "hello -from:nobody -@nobody") == [1]


async def test_dates_bound_the_tweets_until_being_exclusive(index: TweetIndex) -> None:
    def at(ms: int) -> IndexedTweet:
        return replace(tweet(0, "day"), tweet_id=TweetId(compose_id(ms, 4095, 1023)))

    new_year = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    eve, dawn = at(new_year - 1), at(new_year)
    await index.add([eve, dawn])

    async def ids(query: str) -> list[TweetId]:
        return await index.search(parse_query(query).resolve({}), None, 10)

    assert await ids("since:2026-01-01") == await ids("-until:2026-01-01") == [dawn.tweet_id]
    assert await ids("until:2026-01-01") == await ids("-since:2026-01-01") == [eve.tweet_id]
    assert await ids("since:0001-01-01 until:9999-12-31") == [dawn.tweet_id, eve.tweet_id]
    assert await ids("until:2005-01-01") == await ids("since:2100-01-01") == []


async def test_traits_and_languages_are_found(index: TweetIndex) -> None:
    await index.add(
        [
            tweet(1, "a", has_media=True, lang="pt-BR"),
            tweet(2, "a", has_link=True, lang="en"),
            tweet(3, "a", reply_to_author=BEN, lang="not a language"),
        ]
    )
    assert await found(index, "has:media") == await found(index, "lang:pt") == [1]
    assert await found(index, "lang:pt_br") == [1]
    assert await found(index, "has:link lang:en") == [2]
    assert await found(index, "is:reply") == [3]
    assert await found(index, "a -is:reply -lang:en") == [1]


async def test_retweets_are_found_only_when_asked_for(index: TweetIndex) -> None:
    await index.add([tweet(1, "#news"), tweet(2, "#news", BEN, is_retweet=True)])
    assert await found(index, "news") == await found(index, "#news -is:retweet") == [1]
    assert await found(index, "is:retweet") == await found(index, "news is:retweet") == [2]
    assert await found(index, "is:retweet -from:ben") == []
    assert numbers(await index.hashtag("news", None, 10)) == [1]


async def test_a_hashtag_page_regards_no_case_and_no_bare_word(index: TweetIndex) -> None:
    await index.add([tweet(1, "#Élan"), tweet(2, "élan"), tweet(3, "#élan"), tweet(4, "#elan")])
    assert numbers(await index.hashtag("ÉLAN", None, 10)) == [3, 1]
    assert numbers(await index.hashtag("#élan", None, 10)) == [3, 1]
    assert await index.hashtag('no" OR tag', None, 10) == await index.hashtag("", None, 10) == []


# Pages


async def test_results_are_newest_first_whatever_order_they_were_added_in(
    index: TweetIndex,
) -> None:
    for number in (5, 1, 3, 2, 4):
        await index.add([tweet(number, "word")])
    assert await found(index, "word") == [5, 4, 3, 2, 1]


async def test_a_page_is_strictly_older_than_its_cursor(index: TweetIndex) -> None:
    await index.add([tweet(number, "#word") for number in range(1, 8)])
    assert await found(index, "word", tweet(5).tweet_id, limit=2) == [4, 3]
    assert await found(index, "-x", tweet(3).tweet_id) == [2, 1]
    assert numbers(await index.hashtag("word", tweet(3).tweet_id, 1)) == [2]
    assert await found(index, "word", TweetId(0)) == []


async def test_the_greatest_id_is_found_and_is_a_cursor(index: TweetIndex) -> None:
    await index.add([replace(tweet(1, "word"), tweet_id=TweetId(ID_MAX))])
    query = parse_query("word").resolve({})
    assert await index.search(query, None, 1) == [ID_MAX]
    assert await index.search(query, TweetId(ID_MAX), 1) == []


@pytest.mark.parametrize("limit", [0, -1, RESULTS_MAX + 1])
async def test_a_limit_outside_of_its_bounds_is_a_mistake(index: TweetIndex, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        await found(index, "word", limit=limit)
    with pytest.raises(ValueError, match="limit"):
        await index.hashtag("word", None, limit)
    with pytest.raises(ValueError, match="limit"):
        await index.trends(NOW_MS, limit)


# Repetition and order of changes


async def test_adding_again_changes_nothing(index: TweetIndex) -> None:
    await index.add([tweet(1, "#word"), tweet(1, "#word")])
    await index.add([tweet(1, "#word")])
    assert await found(index, "word") == [1]
    assert await tags_of(index) == [("word", 1)]


async def test_the_greater_version_is_kept_whatever_comes_first(index: TweetIndex) -> None:
    old, new = tweet(1, "#old"), tweet(1, "#new", version=Version(2))
    for order in ([old, new], [new, old]):
        await index.clear()
        for one in order:
            await index.add([one])
        assert await found(index, "old") == []
        assert await found(index, "#new") == [1]
        assert await tags_of(index) == [("new", 1)]
    await index.clear()
    await index.add([new, old])
    assert await found(index, "-x") == await found(index, "new") == [1]


async def test_a_removed_tweet_is_found_by_nothing(index: TweetIndex) -> None:
    await index.add([tweet(1, "#word here"), tweet(2, "#word")])
    await index.remove([tweet(1).tweet_id])
    await index.remove([tweet(1).tweet_id])
    assert await found(index, "word") == await found(index, "-x") == [2]
    assert await found(index, "here") == []
    assert numbers(await index.hashtag("word", None, 10)) == [2]


async def test_a_removed_tweet_stays_removed_whatever_comes_later(index: TweetIndex) -> None:
    await index.remove([tweet(1).tweet_id])
    await index.add([tweet(1, "#late", version=Version(9))])
    both = TweetBatch(added=(tweet(2, "#late"),), removed=(tweet(2).tweet_id,))
    await index.apply(both)
    assert await found(index, "-x") == []
    assert await tags_of(index) == []


async def test_a_position_is_kept_with_its_changes(index: TweetIndex) -> None:
    assert await index.applied() is None
    await index.apply(TweetBatch(added=(tweet(1, "a"),)), Position("7"))
    await index.add([tweet(2, "a")])
    assert await index.applied() == "7"
    await index.apply(TweetBatch(), Position("9"))
    assert await index.applied() == "9"


async def test_clearing_forgets_everything(index: TweetIndex) -> None:
    await index.apply(TweetBatch(added=(tweet(1, "#a"), tweet(3, "#b"))), Position("7"))
    await index.remove([tweet(2).tweet_id])
    await index.set_author_public(ANA, public=False, version=Version(9))
    await index.clear()
    assert await index.applied() is None
    assert await found(index, "-x") == []
    assert await tags_of(index) == []
    await index.add([tweet(1, "#a"), tweet(2, "#a", BEN)])
    assert await found(index, "a") == [2, 1]
    assert await tags_of(index) == [("a", 2)]


async def test_more_than_a_batch_is_added_and_removed(index: TweetIndex) -> None:
    many = [tweet(number, "many") for number in range(6_000)]
    await index.add(many)
    assert len(await found(index, "many", limit=RESULTS_MAX)) == RESULTS_MAX
    assert await found(index, "many", many[1].tweet_id) == [0]
    await index.remove([one.tweet_id for one in many])
    assert await found(index, "many") == []
