"""How much of the real input a run takes, and how deep it looks afterwards."""

import os
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_SHARED = Path(os.environ.get("ROOST_SHARED", _ROOT.parent / "shared"))  # noqa: TID251  where test data lies is no setting of the server
GRAPH = _SHARED / "data/follow-graph/edges.csv"
TWEETS = _SHARED / "data/tweets/english.txt"


@dataclass(frozen=True, slots=True)
class Size:
    """All bounds of one run."""

    users_max: int | None
    tweets_max: int
    listeners: int = 200
    newest_max: int = 1_000  # of each timeline of every user
    to_the_end: int = 200  # users whose timelines are read to their ends
    upwards: int = 20  # of these, users whose timelines are also walked from the oldest up
    celebrity_threshold: int = 500  # followers, in the second run
    seed: int = 1


PART = Size(users_max=1_500, tweets_max=4_000, listeners=200, to_the_end=100, celebrity_threshold=100)
FULL = Size(users_max=None, tweets_max=100_000)
