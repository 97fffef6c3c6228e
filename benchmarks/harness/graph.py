"""The real follow graph, where its data is there, else a made-up one of the same size and shape."""

import csv
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path

from harness.town import Person, Plan, messages, shared_data

USERS, FOLLOWS = 13_688, 68_328


def plan(tweets: int) -> Plan:
    """People are ranked by followers; authors are drawn by a Zipf law over the rank."""
    kind = "graph" if _file().exists() else "made-up-graph"
    users, _ = edges()
    return Plan(
        f"{kind}-{tweets}",
        users,
        lambda: edges()[1],
        lambda: zip(zipf(users, tweets, seed=1), messages(), strict=False),
    )


@cache
def edges() -> tuple[int, list[tuple[int, int]]]:
    """How many users, and follower and followed of each follow, by rank."""
    if not _file().exists():
        draw = random.Random(1)
        pairs = {(draw.randrange(USERS), followed) for followed in zipf(USERS, FOLLOWS, seed=2)}
        return USERS, [(one, other) for one, other in pairs if one != other]
    with _file().open(newline="", encoding="utf-8") as file:
        rows = [(row["follower"], row["followed"]) for row in csv.DictReader(file)]
    followers = Counter(followed for _, followed in rows)
    names = sorted({name for row in rows for name in row}, key=lambda name: (-followers[name], int(name)))
    rank = {name: index for index, name in enumerate(names)}
    return len(names), [(rank[one], rank[other]) for one, other in rows]


def zipf(users: int, count: int, seed: int) -> Iterator[int]:
    """Ranks drawn by a Zipf law of exponent 1."""
    draw, shares = random.Random(seed), list(accumulate(1 / (rank + 1) for rank in range(users)))
    for _ in range(count):
        yield min(bisect_right(shares, draw.random() * shares[-1]), users - 1)


def mean_followers(people: Sequence[Person]) -> float:
    """Of a tweet's author, as authors are drawn."""
    followers = Counter(followed for _, followed in edges()[1])
    weights = [1 / (rank + 1) for rank in range(len(people))]
    return sum(followers[rank] * weight for rank, weight in enumerate(weights)) / sum(weights)


def _file() -> Path:
    return shared_data() / "follow-graph" / "edges.csv"
