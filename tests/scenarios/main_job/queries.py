"""Some dozens of searches over the loaded tweets, each beside what a scan must find for it."""

import random
from collections import Counter
from dataclasses import dataclass
from urllib.parse import quote

from roost_loadgen.plan import Plan
from scenarios.main_job.scanning import (
    Matches,
    by,
    every,
    hashtags,
    mentions,
    naming,
    phrase,
    tagged,
    without,
    words,
)

_WORDS, _PHRASES, _TAGS, _AUTHORS, _MENTIONED = 12, 10, 10, 5, 5


@dataclass(frozen=True, slots=True)
class Query:
    """A path that answers pages of tweets, and which tweets these must be."""

    path: str  # without cursor and limit
    matches: Matches


def queries(plan: Plan, seed: int) -> list[Query]:
    """Words and hashtags from the commonest to the rarest, phrases of real tweets, and combinations."""
    draw = random.Random(seed)
    messages = [tweet.message for tweet in plan.tweets]
    spread = _spread(Counter(word for message in messages for word in set(words(message))), _WORDS)
    tags = _spread(Counter(tag for message in messages for tag in hashtags(message)), _TAGS)
    names = set(plan.usernames)
    known = Counter(name for message in messages for name in mentions(message) if name in names)
    found = [_search(word, phrase(word)) for word in spread]
    found += [_search(f'"{run}"', phrase(run)) for run in _runs(messages, draw)]
    found += [_search(f"#{tag}", tagged(tag)) for tag in tags]
    found += [Query(f"/hashtag/{quote(tag)}", tagged(tag)) for tag in tags]
    found += [_search(f"@{name}", naming(name)) for name in _spread(known, _MENTIONED)]
    for rank in range(0, len(plan.usernames), max(1, len(plan.usernames) // _AUTHORS)):
        name = plan.usernames[rank]
        found += [_search(f"from:{name}", by(name))]
        found += [_search(f"from:{name} {spread[0]}", every(by(name), phrase(spread[0])))]
    found += _combined(spread, tags, plan.usernames[0])
    return found


def _combined(spread: list[str], tags: list[str], busiest: str) -> list[Query]:
    first, second, third = spread[:3]
    return [
        _search(f"{first} {second}", every(phrase(first), phrase(second))),
        _search(f"{first} -{second}", every(phrase(first), without(phrase(second)))),
        _search(f"{second} -from:{busiest}", every(phrase(second), without(by(busiest)))),
        _search(f"#{tags[0]} -{first}", every(tagged(tags[0]), without(phrase(first)))),
        _search(f"{first} -#{tags[0]}", every(phrase(first), without(tagged(tags[0])))),
        _search(
            f'{third} -"{first} {second}" from:{busiest}',
            every(phrase(third), without(phrase(f"{first} {second}")), by(busiest)),
        ),
        _search(first.upper(), phrase(first)),
        _search("nosuchwordanywhere", phrase("nosuchwordanywhere")),
    ]


def _search(q: str, matches: Matches) -> Query:
    return Query(f"/search?q={quote(q)}", matches)


def _spread(counted: Counter[str], size: int) -> list[str]:
    """Spellings in plain letters from all over the ranking, the commonest first, each rank twice as rare."""
    ranked = sorted(
        (word for word in counted if word.isascii() and word.isalnum()), key=lambda word: (-counted[word], word)
    )
    ranks = dict.fromkeys(min(round(len(ranked) ** (step / (size - 1))), len(ranked)) - 1 for step in range(size))
    return [ranked[rank] for rank in ranks]


def _runs(messages: list[str], draw: random.Random) -> list[str]:
    """Phrases of two to four words that stand in some message."""
    runs: list[str] = []
    while len(runs) < _PHRASES:
        some = words(draw.choice(messages))
        length = draw.randint(2, 4)
        at = draw.randrange(max(1, len(some) - length))
        run = " ".join(some[at : at + length])
        if len(some) >= length and run.isascii():
            runs.append(run)
    return runs
