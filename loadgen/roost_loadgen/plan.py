"""What a load will do, decided before anything is sent: the same input and seed, the same plan.

- Users are those of the graph, most followed first (equals by number), named `u` and their number.
- Follows are the graph's, in its order, where both ends are among the users.
- Each line of the tweets file draws an author by a Zipf law (exponent 1) over the users' rank, and
  then, for each `@user` in it, one of those whom the author follows; an author who follows nobody
  names anybody else of the plan (alone in the plan: himself). A line that does not fit into a tweet
  afterwards, or is blank, is left out; its draws are used up all the same.
- Only `@user` itself is a placeholder: `@username` stays.

All draws are `random()` of Python's generator, whose sequence for a seed is guaranteed to stay.
"""

import random
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from roost_loadgen.faults import BadInput
from roost_loadgen.graph import Graph, numbered_lines, read_graph
from roost_loadgen.weight import is_postable

_PLACEHOLDER = re.compile(r"@user(?![A-Za-z0-9_])")


@dataclass(frozen=True, slots=True)
class PlannedFollow:
    """Both ends by their rank, which counts from 0."""

    follower: int
    followed: int


@dataclass(frozen=True, slots=True)
class PlannedTweet:
    """The author by rank, and the message."""

    author: int
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to be made. Users are known by rank: an index into `usernames`."""

    usernames: tuple[str, ...]
    follows: tuple[PlannedFollow, ...]
    tweets: tuple[PlannedTweet, ...]

    def following(self) -> list[list[int]]:
        """For each user those whom he follows, in the order of the follows."""
        following: list[list[int]] = [[] for _ in self.usernames]
        for follow in self.follows:
            following[follow.follower].append(follow.followed)
        return following


def read_plan(graph_path: Path, tweets_path: Path, *, users_max: int | None, tweets_max: int | None, seed: int) -> Plan:
    """The plan for two files; `None` takes all users or all tweets."""
    lines = (line for _, line in numbered_lines(tweets_path))
    return make_plan(read_graph(graph_path), lines, users_max=users_max, tweets_max=tweets_max, seed=seed)


def make_plan(graph: Graph, lines: Iterable[str], *, users_max: int | None, tweets_max: int | None, seed: int) -> Plan:
    """The plan for a graph and the lines of a tweets file."""
    for name, bound in (("users", users_max), ("tweets-max", tweets_max)):
        if bound is not None and bound < (name == "users"):
            raise BadInput(f"--{name} is {bound}: too few")
    users = graph.users_by_followers()[:users_max]
    rank = {user: index for index, user in enumerate(users)}
    follows = tuple(
        PlannedFollow(rank[follow.follower], rank[follow.followed])
        for follow in graph.follows
        if follow.follower in rank and follow.followed in rank
    )
    untold = Plan(tuple(f"u{user}" for user in users), follows, ())
    return Plan(untold.usernames, follows, tuple(_tweets(untold, lines, tweets_max, seed)))


def _tweets(plan: Plan, lines: Iterable[str], tweets_max: int | None, seed: int) -> Iterable[PlannedTweet]:
    draw = _Draw(plan, seed)
    count = 0
    for line in lines:
        if tweets_max is not None and count >= tweets_max:
            return
        author = draw.author()
        message = _PLACEHOLDER.sub(lambda _, who=author: "@" + draw.mentioned(who), line.strip())  # type: ignore[misc]  # mypy does not infer a lambda's default
        if message and is_postable(message):
            count += 1
            yield PlannedTweet(author, message)


class _Draw:
    """The draws of one plan, in their order."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._usernames = plan.usernames
        self._following = plan.following()
        self._random = random.Random(seed)  # noqa: S311  reproducible on purpose
        self._shares = list(accumulate(1 / (rank + 1) for rank in range(len(plan.usernames))))

    def author(self) -> int:
        return min(
            bisect_right(self._shares, self._random.random() * self._shares[-1]),
            len(self._shares) - 1,
        )

    def mentioned(self, author: int) -> str:
        following = self._following[author]
        if following:
            return self._usernames[following[int(self._random.random() * len(following))]]
        # Anybody but the author: the ranks above his move down by one.
        others = len(self._usernames) - 1
        drawn = int(self._random.random() * others)
        return self._usernames[drawn if drawn < author or not others else drawn + 1]
