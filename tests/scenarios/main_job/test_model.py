"""The reference itself, against answers worked out by hand, and the comparison against liars."""

from collections.abc import Callable
from typing import TypeVar

import msgspec
import pytest

from roost_loadgen.address import Address
from roost_loadgen.client import Account, Client
from roost_loadgen.patience import Patience
from roost_loadgen.plan import Plan, PlannedFollow, PlannedTweet
from roost_loadgen.wire import Author, ServerMessage, Tweet
from scenarios.main_job.checks import Checks
from scenarios.main_job.listeners import Listener
from scenarios.main_job.model import Model
from scenarios.main_job.queries import queries
from scenarios.main_job.reading import PAGE, Reader
from scenarios.main_job.scanning import hashtags, mentions, phrase, words
from scenarios.main_job.size import Size

T = TypeVar("T")

# u0 is followed by u1 and u2, u1 by u2; nobody follows u2, who posts once.
_FOLLOWS = (PlannedFollow(1, 0), PlannedFollow(2, 0), PlannedFollow(2, 1))
_PLAN = Plan(
    ("u0", "u1", "u2"),
    _FOLLOWS,
    tuple(PlannedTweet(author, message) for author, message in ((0, "one"), (1, "two"), (2, "three"), (0, "four"))),
)
_MODEL = Model(_PLAN, [10, 20, 30, 40])
_ACCOUNTS = [Account(name, "", f"10{rank}", "") for rank, name in enumerate(_PLAN.usernames)]


def test_a_user_timeline_is_what_the_user_posted_newest_first() -> None:
    assert [_MODEL.user_timeline(user) for user in range(3)] == [[40, 10], [20], [30]]


def test_a_home_timeline_is_ones_own_and_the_followed_newest_first() -> None:
    assert [_MODEL.home_timeline(user) for user in range(3)] == [[40, 10], [40, 20, 10], [40, 30, 20, 10]]
    assert [_MODEL.home_length(user) for user in range(3)] == [2, 3, 4]


def test_counts_are_tweets_followers_followed() -> None:
    assert [_MODEL.counts(user) for user in range(3)] == [(2, 2, 0), (1, 1, 1), (1, 0, 2)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Don't STOP #Love_it!", ("don", "t", "stop", "love_it")),
        ("Café ﬁne", ("cafe", "fine")),
        ("hi \U0001f600 there\ufe0f", ("hi", "\U0001f600", "there")),
        ("abc日本", ("abc", "日", "本")),
    ],
)
def test_words_are_runs_of_letters_and_digits_without_case_and_accents(message: str, expected: tuple[str]) -> None:
    assert words(message) == expected


def test_a_phrase_is_words_in_a_row() -> None:
    assert phrase("new york")("u0", "I love New York!")
    assert not phrase("new york")("u0", "New in York")
    assert not phrase("new york")("u0", "new yorker")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("#One #two_2 #3 x#no &#39; &#amp", {"one", "two_2"}),
        ("##both #a#b (#c)", {"both", "c"}),
        ("see http://x.com/#frag #yes", {"yes"}),
    ],
)
def test_hashtags_begin_a_word_and_hold_a_letter(message: str, expected: set[str]) -> None:
    assert hashtags(message) == expected


def test_mentions_begin_a_word() -> None:
    assert mentions("@A .@b_1: x@c RT@d @e@f") == {"a", "b_1", "d"}


def test_the_queries_of_a_plan_cover_words_phrases_tags_names_and_negation() -> None:
    text = "alpha beta gamma delta #tag{0} @u1 word{0} more{0} #often"
    tweets = tuple(PlannedTweet(number % 3, text.format(number)) for number in range(40))
    paths = [query.path for query in queries(Plan(_PLAN.usernames, (), tweets), seed=1)]
    assert len(paths) >= 24
    for part in ("q=%22", "q=%23", "/hashtag/", "q=%40u1", "q=from%3A", "%20-"):
        assert any(part in path for path in paths), part


# The comparison must notice each way of answering wrongly.

_LONG = Plan(("u0",), (), tuple(PlannedTweet(0, f"m{number}") for number in range(250)))
_LONG_MODEL = Model(_LONG, list(range(1000, 1250)))
Answer = Callable[[list[int], str | None], tuple[list[int], str | None]]


class _Pages(Client):
    """Answers pages out of a list, as `twist` changes them."""

    def __init__(self, twist: Answer, message: str = "m{}", author: str = "100") -> None:
        super().__init__(Address.parse("http://127.0.0.1:1"), patience=Patience())
        self._twist = twist
        self._message = message
        self._author = author

    async def get(self, path: str, decode: Callable[[bytes], T], account: Account | None) -> T:
        cursor = dict(part.split("=") for part in path.partition("?")[2].split("&"))
        below, above = int(cursor.get("before", 9999)), int(cursor.get("after", 0))
        ids = [id for id in reversed(range(1000, 1250)) if above < id < below]
        page = ids[-PAGE:] if "after" in cursor else ids[:PAGE]
        page, before = self._twist(page, str(page[-1]) if len(ids) > PAGE else None)
        tweets = [Tweet(str(id), self._message.format(id - 1000), Author(self._author)) for id in page]
        return decode(msgspec.json.encode({"tweets": tweets, "before": before}))


def _checks(client: Client) -> Checks:
    reader = Reader(client, [_ACCOUNTS[0]], [set()])
    return Checks(reader, _LONG_MODEL, Size(users_max=1, tweets_max=250, to_the_end=1), settled_s_max=0)


async def test_right_pages_are_not_complained_about() -> None:
    assert await _checks(_Pages(lambda page, before: (page, before))).complaints_of_timelines() == []


_LIES: dict[str, Answer] = {
    "one is missing": lambda page, before: (page[:50] + page[51:], before),
    "one comes twice": lambda page, before: ([*page[:50], page[49], *page[50:]], before),
    "two are swapped": lambda page, before: ([page[1], page[0], *page[2:]], before),
    "a stranger is among them": lambda page, before: ([9000, *page[1:]], before),
    "it ends too early": lambda page, _: (page, None),
    "it never ends": lambda page, _: (page, str(page[-1])),
    "it skips at the cursor": lambda page, before: (page, str(int(before) - 1) if before else None),
}


@pytest.mark.parametrize("lie", _LIES.values(), ids=_LIES.keys())
async def test_pages_that_lie_are_complained_about(lie: Answer) -> None:
    assert await _checks(_Pages(lie)).complaints_of_timelines()


@pytest.mark.parametrize("client", [_Pages(lambda *page: page, message="x{}"), _Pages(lambda *page: page, author="5")])
async def test_another_text_or_author_is_complained_about(client: Client) -> None:
    assert await _checks(client).complaints_of_timelines()


def _heard(ids: list[int], *others: str) -> str:
    listener = Listener(user=2)
    for id in ids:
        listener.receive(ServerMessage("tweet", channel="home", tweet=Tweet(str(id), "", Author(""))))
    for other in others:
        listener.receive(ServerMessage(other))
    return "; ".join(listener.complaints(_MODEL, _ACCOUNTS))


def test_a_listener_knows_what_he_should_have_heard() -> None:
    lost_socket = _heard([10, 30, 20, 40])  # authors may overtake one another
    assert lost_socket == "u2 lost the socket: None"
    assert "missed 1 of 4, first 20" in _heard([10, 30, 40])
    assert "1 tweets twice" in _heard([10, 20, 30, 40, 40])
    assert "1 tweets of strangers, first 50" in _heard([10, 20, 30, 40, 50])
    assert "got 10 after 40 of the same author" in _heard([20, 30, 40, 10])
    assert "an unexpected gap" in _heard([10, 20, 30, 40], "gap", "notification")
