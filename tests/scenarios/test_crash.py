"""kill -9 at any moment loses no acknowledged tweet, follow, like or delete, and doubles none.

ROOST_CRASH_KILLS asks for more of them; `python benchmarks/crash.py --kills 50` writes down the figures too.
"""

import os
from pathlib import Path
from random import Random

import pytest

from scenarios.crash.oracle import Fact
from scenarios.crash.rounds import Town, crash_again_and_again
from scenarios.crash.server import MortalServer

KILLS = int(os.environ.get("ROOST_CRASH_KILLS", "5"))  # noqa: TID251 - a setting of the tests, not of the product
SEED = 20


@pytest.mark.parametrize("workers", [1, 3])
async def test_what_was_acknowledged_is_there_once_after_every_crash(tmp_path: Path, workers: int) -> None:
    outcome = await crash_again_and_again(tmp_path, KILLS, SEED, {"ROOST_WORKERS": str(workers)})
    print(outcome.figures)  # noqa: T201 - shown by pytest -rP, and when it fails
    assert not outcome.complaints, "\n".join(outcome.complaints)
    assert outcome.lost == outcome.doubled == 0
    assert outcome.kills >= KILLS
    assert outcome.acknowledged > 20 * KILLS
    assert outcome.in_flight > 0  # else no kill met anything


async def test_the_comparison_notices_what_is_lost_doubled_or_brought_back(tmp_path: Path) -> None:
    server = MortalServer(tmp_path / "data")
    town = Town(server, Random(SEED))
    try:
        await town.settle()
        await town.live_and_die()
        await town.come_back()
        assert not town.outcome.complaints, town.outcome.complaints
        lost, doubled, unliked, told = town.oracle.shown_originals()[-4:]
        fan = next(iter(town.actors.values()))
        await town.actors[lost.author].client.rest("DELETE", f"/tweet/{lost.id}")
        await town.actors[doubled.author].client.post({"message": doubled.message, "ref": "another"})
        await fan.set(unliked.likes.setdefault(fan.name, Fact()), True, f"/tweet/{unliked.id}/like")
        await fan.client.rest("DELETE", f"/tweet/{unliked.id}/like")
        await town.actors[told.author].delete(told)
        told.deleted = Fact()  # as if the delete had been lost on the way
        before = await town.checks.before_retries()
        assert any("missing" in one and lost.author in one for one in before)
        assert any("twice" in one and doubled.author in one for one in before)
        assert any("missing" in one and told.author in one for one in before)
        town.checks.patience_s = 1.0  # it will not come right
        after = await town.checks.after_retries(lambda posts, _: posts)
        for what in ("likes and retweets of", "home of", "hashtag of", "search of"):
            assert any(one.startswith(what) for one in after), what
    finally:
        await server.kill()
        await town.leave()
