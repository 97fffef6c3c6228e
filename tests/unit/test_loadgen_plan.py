"""The load generator's plan: ranks, follows, draws and the lines that fit."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_loadgen.faults import BadInput
from roost_loadgen.graph import Follow, Graph, read_graph
from roost_loadgen.plan import Plan, PlannedFollow, make_plan, read_plan
from roost_loadgen.weight import is_postable

# 7 has three followers, 3 and 5 have one each, 9 none.
_GRAPH = Graph((Follow(7, 3), Follow(5, 9), Follow(7, 5), Follow(3, 9), Follow(7, 9)))


def _plan(lines: list[str], users_max: int | None = None, seed: int = 1) -> Plan:
    return make_plan(_GRAPH, lines, users_max=users_max, tweets_max=None, seed=seed)


def test_users_are_ranked_by_followers_and_equals_by_number() -> None:
    assert _plan([]).usernames == ("u7", "u3", "u5", "u9")


def test_follows_keep_the_order_of_the_file_and_both_ends_among_the_users() -> None:
    assert _plan([], users_max=3).follows == (PlannedFollow(1, 0), PlannedFollow(2, 0))


def test_the_same_seed_makes_the_same_plan_and_another_seed_another() -> None:
    lines = [f"@user says {number}" for number in range(50)]
    assert _plan(lines) == _plan(lines)
    assert _plan(lines).tweets != _plan(lines, seed=2).tweets


def test_a_placeholder_becomes_somebody_whom_the_author_follows() -> None:
    plan = _plan(["@user and .@user: hello"] * 200)
    following = plan.following()
    for tweet in plan.tweets:
        first, second = (word.strip(".@:") for word in tweet.message.split(" and "))
        names = {first, second.split(":")[0].removeprefix("@")}
        allowed = following[tweet.author] or set(range(len(plan.usernames))) - {tweet.author}
        assert names <= {plan.usernames[user] for user in allowed}


def test_a_longer_name_is_no_placeholder() -> None:
    assert _plan(["@username and @user_x"]).tweets[0].message == "@username and @user_x"


def test_a_line_that_does_not_fit_or_is_blank_is_left_out_and_uses_its_draw() -> None:
    whole = _plan(["first", "a" * 280, "last"])
    without = _plan(["first", "a" * 281, "last"])
    assert [tweet.message for tweet in without.tweets] == ["first", "last"]
    assert without.tweets[1] == whole.tweets[2]
    assert _plan(["first", "  ", "last"]).tweets == without.tweets


def test_authors_follow_a_zipf_law_over_the_rank() -> None:
    authors = Counter(tweet.author for tweet in _plan(["x"] * 25_000).tweets)
    # 1 + 1/2 + 1/3 + 1/4 = 25/12, so the shares of 25,000 are these.
    for rank, expected in enumerate((12_000, 6_000, 4_000, 3_000)):
        assert abs(authors[rank] - expected) < 400  # five deviations


def test_no_more_tweets_than_asked_for_are_planned() -> None:
    assert len(make_plan(_GRAPH, ["x"] * 9, users_max=None, tweets_max=4, seed=1).tweets) == 4


@given(st.lists(st.text(), max_size=20), st.integers(1, 4), st.integers())
def test_every_planned_message_is_postable(lines: list[str], users: int, seed: int) -> None:
    plan = _plan([line + " @user" for line in lines], users, seed)
    assert all(is_postable(tweet.message) and tweet.message.strip() for tweet in plan.tweets)
    assert all(0 <= tweet.author < users for tweet in plan.tweets)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("a,b\n", "1: the first line must be"),
        ("", "1: the first line must be"),
        ("followed,follower\n", "no follows"),
        ("followed,follower\n1,2\n1;2\n", "3: `1;2` has 1 fields"),
        ("followed,follower\n1,2,3\n", "2: `1,2,3` has 3 fields"),
        ("followed,follower\n1,x\n", "2: `x` is not a number"),
        ("followed,follower\n1,-2\n", "2: `-2` is not a number"),
        (f"followed,follower\n1,{10**14}\n", "is not a number of at most 14 digits"),
    ],
)
def test_a_bad_line_of_the_graph_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "graph.csv"
    path.write_text(content)
    with pytest.raises(BadInput, match=complaint):
        read_graph(path)


def test_repeated_follows_and_follows_of_oneself_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "graph.csv"
    path.write_bytes(b"followed,follower\r\n1,2\r\n1,2\r\n2,2\r\n\r\n")
    assert read_graph(path).follows == (Follow(1, 2),)


def test_missing_and_undecodable_files_are_named(tmp_path: Path) -> None:
    graph = tmp_path / "graph.csv"
    graph.write_text("followed,follower\n1,2\n")
    tweets = tmp_path / "tweets.txt"
    with pytest.raises(BadInput, match=r"tweets\.txt: No such file"):
        read_plan(graph, tweets, users_max=None, tweets_max=None, seed=1)
    tweets.write_bytes(b"fine\n\xff\n")
    with pytest.raises(BadInput, match=r"tweets\.txt:2: not UTF-8"):
        read_plan(graph, tweets, users_max=None, tweets_max=None, seed=1)


def test_bounds_that_make_no_load_are_refused() -> None:
    with pytest.raises(BadInput, match="--users is 0"):
        _plan([], users_max=0)
