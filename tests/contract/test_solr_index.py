"""What only Solr shows: what is left on its disk, several writers, nodes that are gone, late or slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from contract.index_adapters import DEADLINE_MS, NOW_MS, StandingClock, solr_indexes
from contract.own_server import HOST, free_port
from contract.solr_server import solr_server
from contract.test_tweet_index import ANA, found, tags_of, tweet
from roost.adapters.index.solr.collection import Layout
from roost.adapters.index.solr.http import REQUESTS_MAX, SolrNodes
from roost.adapters.index.solr.tweets import SolrTweetIndex
from roost.adapters.index.solr.users import SolrUserIndex
from roost.domain.errors import DependencyDown, Draining, Overloaded
from roost.domain.ids import Position, TweetId, UserId, Version, compose_id, shard_of
from roost.domain.search.people import IndexedUser, parse_user_prefix
from roost.ports.index import TweetBatch, UserBatch

LAYOUT = Layout(prefix="contract")


@asynccontextmanager
async def another_client(*nodes: str, read_deadline_ms: int = DEADLINE_MS) -> AsyncIterator[SolrTweetIndex]:
    """The same collection as another node of roost has it."""
    client = SolrNodes(nodes or [solr_server().url], read_deadline_ms=read_deadline_ms)
    try:
        yield SolrTweetIndex(client, LAYOUT)
    finally:
        await client.close()


async def test_everything_is_there_for_another_client(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as first, another_client() as second:
        await first.tweets.remove([tweet(2).tweet_id])
        await first.tweets.apply(TweetBatch(added=(tweet(1, "#word"),)), Position("7"))
        await (await second.open()).add([tweet(1, "#word"), tweet(2, "#word")])
        assert await second.applied() == "7"
        assert await found(second, "word") == [1]
        assert await tags_of(second) == [("word", 1)]


async def test_writers_that_meet_keep_the_greatest_version_and_every_removal(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes, another_client() as other:
        writes = []
        for version in range(1, 9):
            batch = TweetBatch(added=tuple(tweet(n, f"v{version}", version=Version(version)) for n in range(20)))
            writes += [indexes.tweets.apply(batch), other.apply(batch)]
        writes.append(other.remove([tweet(n).tweet_id for n in range(10)]))
        await asyncio.gather(*reversed(writes))
        assert await found(indexes.tweets, "v8") == list(range(19, 9, -1))
        assert await found(indexes.tweets, "-v8") == []


async def test_nothing_of_a_removed_tweet_stays_on_the_disk(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes:
        await indexes.tweets.add([tweet(1, "abracadabra #simsalabim"), tweet(2, "hocuspocus")])
        await indexes.tweets.remove([tweet(1).tweet_id])
        assert {"abracadabra", "hocuspocus"} <= words_on_disk()
        await indexes.tweets.forget_removed()
        assert words_on_disk() == {"hocuspocus"}
        assert await found(indexes.tweets, "hocuspocus") == [2]
        await indexes.tweets.add([tweet(1, "abracadabra", version=Version(9))])
        assert await found(indexes.tweets, "abracadabra") == []


def words_on_disk() -> set[str]:
    files = [path for path in solr_server().home.rglob("*") if path.is_file()]
    data = b"".join(path.read_bytes() for path in files)
    return {word for word in ("abracadabra", "simsalabim", "hocuspocus") if word.encode() in data}


async def test_signs_of_the_query_language_are_words_or_nothing(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes:
        await indexes.tweets.add([tweet(1, "a OR b"), tweet(2, "words:x _query_ {!join}")])
        assert await found(indexes.tweets, "OR") == [1]
        assert await found(indexes.tweets, '_query_ "{!join}" words:x') == [2]
        assert await found(indexes.tweets, "a* -b~") == []
        await indexes.users.put([IndexedUser(UserId(1), "o'neil\\", 'x"y', 1), IndexedUser(UserId(2), "other", "", 1)])
        for prefix in ("o'n", "o'neil", 'x"y', "x y"):
            assert await indexes.users.search(parse_user_prefix(prefix), 9) in ([], [1]), prefix


async def test_the_last_of_equal_versions_is_kept_when_the_clock_stands(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes:
        for followers in range(1, 6):
            other = IndexedUser(UserId(2), "anna", "", 3)
            await indexes.users.apply(UserBatch(put=(IndexedUser(UserId(1), "anne", "", followers), other)))
        assert await indexes.users.search(parse_user_prefix("an"), 9) == [1, 2]


async def test_a_node_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    gone = f"http://{HOST}:{free_port()}/solr"
    async with solr_indexes(tmp_path) as indexes, another_client(gone, solr_server().url) as index:
        await index.add([tweet(1, "word")])
        assert await asyncio.gather(*(found(index, "word") for _ in range(20))) == [[1]] * 20
        assert await found(indexes.tweets, "word") == [1]


async def test_without_a_node_the_index_is_down() -> None:
    async with another_client(f"http://{HOST}:{free_port()}/solr") as index:
        for act in (index.applied(), index.add([tweet(1)]), index.clear(), index.open(), index.trends(1, 1)):
            with pytest.raises(DependencyDown, match="does not answer"):
                await act


async def test_a_server_that_stands_still_is_overloaded_at_the_deadline(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes, another_client(read_deadline_ms=100) as impatient:
        await indexes.tweets.add([tweet(1, "word")])
        server = solr_server().process
        server.freeze()
        try:
            with pytest.raises(Overloaded, match="longer than"):
                await found(impatient, "word")
        finally:
            server.thaw()
        assert await found(indexes.tweets, "word") == [1]


async def test_no_more_than_a_bound_wait(tmp_path: Path) -> None:
    async with solr_indexes(tmp_path) as indexes:
        asked = [indexes.tweets.applied() for _ in range(REQUESTS_MAX + 5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(answer, Overloaded) for answer in answers) == 5
        assert await indexes.tweets.applied() is None


async def test_what_is_closed_drains() -> None:
    nodes = SolrNodes([f"http://{HOST}:{free_port()}/solr"])
    await nodes.close()
    await nodes.close()
    with pytest.raises(Draining):
        await SolrTweetIndex(nodes, LAYOUT).add([tweet(1)])
    with pytest.raises(Draining):
        await SolrUserIndex(nodes, LAYOUT, StandingClock()).search(parse_user_prefix("a"), 1)


async def test_shards_answer_as_one(tmp_path: Path) -> None:
    # Authors of both shards; a tweet's id carries the shard of its author, here too.
    users = [UserId(user) for user in range(1, 301)]
    tweets = [tweet(n, "#tag #odd" if user % 2 else "#tag", user) for n, user in enumerate(users)]
    ids = [TweetId(compose_id(NOW_MS + n, shard_of(one.author_id), node=1)) for n, one in enumerate(tweets)]
    routed = [replace(one, tweet_id=id) for one, id in zip(tweets, ids, strict=True)]
    client = SolrNodes([solr_server().url], read_deadline_ms=DEADLINE_MS)
    try:
        index = await SolrTweetIndex(client, Layout(prefix="sharded", shards=2)).open()
        await index.clear()
        await index.apply(TweetBatch(added=tuple(routed)), Position("3"))
        await index.set_author_public(ANA, public=False, version=Version(2))
        assert await tags_of(index) == [("tag", 299), ("odd", 149)]
        page = await index.hashtag("tag", None, 300)
        assert page == sorted((one.tweet_id for one in routed), reverse=True)
        await index.remove(page[:100])
        assert await index.hashtag("tag", None, 300) == page[100:]
        await index.forget_removed()
        assert await index.applied() == "3"
    finally:
        await client.close()
