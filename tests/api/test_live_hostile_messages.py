"""Any text at all over a socket: answered by a problem or what was asked for, never closed, never a fault of ours."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.live_roost import Names, Person, Talk, live_roost

pytestmark = pytest.mark.asyncio(loop_scope="module")
EXAMPLES = 150
BURST = 8
"""Messages of one example, sent together."""
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # One socket for all examples is the point: what one message leaves behind must not spoil the next.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ids = st.one_of(st.integers(-2, 1 << 64).map(str), st.text(max_size=8), st.none(), st.integers(), st.floats())
junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
hostile_text = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="#@$.:/\u200d\u202e\ufe0f\U0001f468\u0301\u0000\t\n aé漢", max_size=300),
    st.sampled_from(["#" * 280, "@" * 280, "http://" * 40, "a." * 140, "x" * 281, "\u0000", "́" * 280, "🏳️‍🌈" * 140]),
)
fields = {
    "message": hostile_text | junk,
    "content_ids": st.lists(hostile_text | junk, max_size=6) | junk,
    "ReplyToTweetId": ids,
    "replyToTweetId": ids,
    "reply_to_tweet_id": ids,
    "QuoteTweetId": ids,
    "quoteTweetId": ids,
    "quote_tweet_id": ids,
    "time": hostile_text | st.datetimes().map(lambda at: at.isoformat() + "Z") | junk,
    "lang": hostile_text | junk,
    "audience": st.sampled_from(["public", "unlisted", "followers", "mentioned", "everybody", ""]) | junk,
    "type": st.sampled_from(["tweet", "ping", "resume", "subscribe", "unsubscribe", "hello", "ack"]) | junk,
    "cursor": hostile_text | st.integers(-5, 1 << 65).map(str) | junk,
    "channel": st.one_of(
        hostile_text,
        hostile_text.map("hashtag:{}".format),
        hostile_text.map("search:{}".format),
        st.text(alphabet='"-: from:to#@since:until:2020-01-1has:is:lang', max_size=60).map("search:{}".format),
        junk,
    ),
    "tweet": junk,
}
messages = st.one_of(
    st.fixed_dictionaries({}, optional=fields).map(json.dumps),
    junk.map(json.dumps),
    st.text(max_size=200),
    st.sampled_from(
        [
            "",
            "{",
            "[" * 5_000,
            '{"a":' * 5_000,
            '{"message":"\\ud800"}',
            '{"message":1e999}',
            '{"ref":"\\u0000"}',
            "\ufeff{}",
        ]
    ),
)
ANSWERS = {"ack", "error", "pong", "subscribed", "unsubscribed", "resumed", "gap"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Person]:
    async with live_roost(tmp_path_factory.mktemp("roost")) as roost:
        [person] = await Names(roost)("ada")
        yield person


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(ada: Person) -> AsyncIterator[Talk]:
    async with ada.socket() as talk:
        yield talk


@QUIET
@given(texts=st.lists(messages, min_size=1, max_size=BURST))
async def test_every_message_is_answered_and_the_socket_stays_open(talk: Talk, texts: list[str]) -> None:
    talk.got.clear()
    for text in texts:
        await talk.send(text)
    await talk.send({"type": "ping", "ref": "the last"})
    await talk.until(lambda frame: frame["type"] == "pong" and frame["ref"] == "the last")
    answers = [frame for frame in talk.got[:-1] if frame["type"] in ANSWERS]
    resumed_after_a_gap = sum(frame["type"] == "gap" for frame in answers)
    assert len(answers) - resumed_after_a_gap == len(texts)
    for frame in talk.kind("error"):
        problem = frame["problem"]
        assert 400 <= problem["status"] < 500, (texts, frame)
        assert problem["type"].startswith("/problems/")
        assert problem["detail"]


@QUIET
@given(query=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
async def test_any_query_at_the_door_is_answered(ada: Person, query: str) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in query.encode())
    async with ada.socket(f"?cursor={encoded}&ticket={encoded}&more={encoded}") as talk:
        frame = await talk.until(lambda frame: frame["type"] in ANSWERS)
        assert frame["type"] in {"gap", "resumed", "error"}
        if frame["type"] == "error":
            assert frame["problem"]["status"] == 422
