"""Every other index against a look at every tweet: random changes and queries, and real tweets."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.index_adapters import INDEXES, NOW_MS, MakeIndexes, memory_indexes, solr_indexes, sqlite_indexes
from contract.test_tweet_index import found, tweet
from roost.domain.errors import Invalid
from roost.domain.ids import TweetId, UserId, Version, compose_id
from roost.domain.search.document import IndexedTweet
from roost.domain.search.grammar import parse_query
from roost.domain.search.trending import HOUR_MS
from roost.ports.index import AuthorPublic, TweetBatch, TweetIndex

SHARED = Path(os.environ.get("ROOST_SHARED", Path(__file__).parents[2] / ".." / "shared"))  # noqa: TID251  where test data lies is no setting of the server
TWEETS = SHARED / "data" / "tweets"
LANGUAGES = ("english", "arabic", "hindi", "french", "german", "italian", "portuguese", "spanish")
LINES_A_LANGUAGE = 250
PROBES = 40
PAGE = 500
COMPARED = [name for name in INDEXES if name != "memory"]
SOLR_EXAMPLES_MAX = 12
"""A change costs Solr a commit of 10 ms and more: examples of five changes each take a second."""

MADE_UP = (
    "東京スカイツリーの夜景がとてもきれいでした",
    "今日の東京は雨です。傘を忘れた…",
    "ラーメン食べたい！ #ラーメン",
    "上海的天气很好，我们去公园散步吧",
    "北京和上海之间的高铁很快",
    "한국어 서울에서 만나요",
    "हिन्दी में खोज #हिन्दी",
    "สวัสดีชาวโลก ภาษาไทย",
    "مَرْحَبًا بالعالم",
    "naïve Ærøskøbing ÅNGSTRÖM straße",
    "party 🎉🎉 👩‍💻 time",
)


async def compare(reference: TweetIndex, index: TweetIndex, query: str) -> int:
    """Every page of both indexes must be the same; the number of tweets."""
    resolved = parse_query(query).resolve({f"u{n}": UserId(n) for n in range(1, 5)})
    before: TweetId | None = None
    seen = 0
    while True:
        expected = await reference.search(resolved, before, PAGE)
        assert await index.search(resolved, before, PAGE) == expected, query
        seen += len(expected)
        if len(expected) < PAGE:
            return seen
        before = expected[-1]


WORDS = ("red", "Red", "bleu", "bleü", "#red", "#Bleu", "@u1", "東京", "京都", "🎉", "foo#red", "don't", "-", "!")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
USER_IDS = st.integers(1, 4).map(UserId)


def written(
    number: int, people: tuple[UserId, UserId | None], text: str, flags: list[bool], version: int
) -> IndexedTweet:
    author, reply = people
    is_retweet, has_media, has_link, public = flags
    return IndexedTweet(
        TweetId(compose_id(NOW_MS + number * 9 * HOUR_MS, 0, 0)),
        author,
        text,
        hashtags=tuple(re.findall(r"(?<!\w)#(\w+)", text)),
        mentions=(UserId(1),) if "@u1" in text else (),
        reply_to_author=reply,
        is_retweet=is_retweet,
        has_media=has_media,
        has_link=has_link,
        lang=("en", "pt-BR", "und")[number % 3],
        public=public,
        version=Version(version),
    )


DOCUMENTS = st.builds(
    written,
    st.integers(-6, 0),
    st.tuples(USER_IDS, st.none() | USER_IDS),
    TEXTS,
    st.tuples(*[st.booleans()] * 4).map(list),
    st.integers(1, 3),
)
BATCHES = st.builds(
    TweetBatch,
    st.lists(DOCUMENTS, max_size=8).map(tuple),
    st.lists(DOCUMENTS.map(lambda document: document.tweet_id), max_size=1).map(tuple),
    st.lists(st.builds(AuthorPublic, USER_IDS, st.booleans(), st.integers(1, 3).map(Version)), max_size=2).map(tuple),
)
TERMS = st.sampled_from(
    (*WORDS, '"red bleu"', "東", "東京都", "from:u1", "to:u2", "@u1", "@nobody", "has:media", "has:link", "is:reply",
     "is:retweet", "lang:en", "lang:pt", "since:2026-11-17", "until:2026-11-18", "red🎉", "xyz")
)  # fmt: skip
QUERIES = st.lists(st.tuples(st.sampled_from(("", "", "-")), TERMS).map("".join), min_size=1, max_size=3).map(" ".join)


CHANGES = st.lists(BATCHES, max_size=5)
SEARCHES = st.lists(QUERIES, min_size=1, max_size=8)


async def finds_what_a_look_at_every_tweet_finds(
    make: MakeIndexes, folder: Path, batches: list[TweetBatch], queries: list[str]
) -> None:
    async with memory_indexes(folder) as reference, make(folder) as compared:
        await compared.tweets.clear()
        for batch in batches:
            await reference.tweets.apply(batch)
            await compared.tweets.apply(batch)
            assert await compared.tweets.trends(NOW_MS, 100) == await reference.tweets.trends(NOW_MS, 100)
        for query in queries:
            try:
                await compare(reference.tweets, compared.tweets, query)
            except Invalid:
                assert not re.search(r"\w|🎉", query)
        for tag in ("red", "BLEU", "xyz"):
            expected = await reference.tweets.hashtag(tag, None, 50)
            assert await compared.tweets.hashtag(tag, None, 50) == expected


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=CHANGES, queries=SEARCHES)
async def test_sqlite_finds_what_a_look_at_every_tweet_finds(
    tmp_path: Path, batches: list[TweetBatch], queries: list[str]
) -> None:
    await finds_what_a_look_at_every_tweet_finds(sqlite_indexes, tmp_path, batches, queries)


@settings(max_examples=SOLR_EXAMPLES_MAX, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=CHANGES, queries=SEARCHES)
async def test_solr_finds_what_a_look_at_every_tweet_finds(
    tmp_path: Path, batches: list[TweetBatch], queries: list[str]
) -> None:
    await finds_what_a_look_at_every_tweet_finds(solr_indexes, tmp_path, batches, queries)


def real_tweets() -> list[IndexedTweet]:
    lines = list(MADE_UP)
    for language in LANGUAGES:
        with (TWEETS / f"{language}.txt").open(encoding="utf-8") as file:
            lines += [line.strip() for line, _ in zip(file, range(LINES_A_LANGUAGE), strict=False)]
    return [
        replace(tweet(number, line, UserId(number % 7)), hashtags=tuple(re.findall(r"#(\w+)", line)))
        for number, line in enumerate(lines)
    ]


@pytest.mark.parametrize("name", COMPARED)
async def test_real_tweets_of_many_languages_are_found_as_by_a_scan(tmp_path: Path, name: str) -> None:
    if not TWEETS.is_dir():
        pytest.skip("the shared tweets are not there")
    tweets = real_tweets()
    # Some tweets by each of their words, by a pair of them, and without their last word.
    probed = [*tweets[: len(MADE_UP)], *tweets[:: len(tweets) // PROBES]]
    queries = {word for one in probed for word in one.words.split()}
    queries |= {f'"{" ".join(one.words.split()[:2])}"' for one in probed}
    queries |= {f"{one.words.split()[0]} -{one.words.split()[-1]}" for one in probed}
    async with memory_indexes(tmp_path) as reference, INDEXES[name](tmp_path) as compared:
        await reference.tweets.add(tweets)
        await compared.tweets.add(tweets)
        for query in queries:
            seen = await compare(reference.tweets, compared.tweets, query)
            assert seen or " -" in query, query
        for tag in {tag for one in tweets for tag in one.tags}:
            expected = [one.tweet_id for one in reversed(tweets) if tag in one.tags]
            assert await compared.tweets.hashtag(tag, None, 2_000) == expected
        assert await compared.tweets.trends(NOW_MS, 100) == await reference.tweets.trends(NOW_MS, 100)


@pytest.mark.parametrize("name", COMPARED)
async def test_made_up_tweets_are_found_by_what_a_reader_would_type(tmp_path: Path, name: str) -> None:
    expected = {
        "東京": [1, 0], "スカイツリー": [0], "傘": [1], "上海": [4, 3], "北京 高铁": [4], "#ラーメン": [2],
        "ラーメン": [2], "서울": [5], "खोज": [6], "#हिन्दी": [6], "ภาษา": [7], "مرحبا": [8],
        "aeroskobing angstrom STRASSE": [9], "🎉": [10], "👩‍💻": [10], "京東": [],
    }  # fmt: skip
    async with INDEXES[name](tmp_path) as compared:
        await compared.tweets.add(
            [replace(tweet(n, text), hashtags=tuple(re.findall(r"#(\S+)", text))) for n, text in enumerate(MADE_UP)]
        )
        assert {query: await found(compared.tweets, query) for query in expected} == expected
