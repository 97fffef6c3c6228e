"""When a process refuses at once: its loop runs late, by its own work, for longer than a hiccup."""

import asyncio

import pytest

from roost.domain.errors import Overloaded
from roost.edge.overload import IN_FLIGHT_OF_KIND_MAX, LATE_S_MAX, TICK_S, TICKS_LATE_MAX, InFlight, LateLoop


def late(loop: LateLoop, times: int, own_share: float = 1.0) -> LateLoop:
    for _ in range(times):
        loop.observe(LATE_S_MAX * 2, own_share)
    return loop


def test_a_loop_that_is_late_again_and_again_refuses() -> None:
    with pytest.raises(Overloaded):
        late(LateLoop(), TICKS_LATE_MAX).check()


def test_a_hiccup_refuses_nobody() -> None:
    late(LateLoop(), TICKS_LATE_MAX - 1).check()


def test_one_tick_on_time_lets_everybody_in_again() -> None:
    loop = late(LateLoop(), TICKS_LATE_MAX + 5)
    loop.observe(0.0, 1.0)
    loop.check()


def test_a_machine_that_is_busy_elsewhere_is_no_reason_to_refuse() -> None:
    late(LateLoop(), TICKS_LATE_MAX + 5, own_share=0.3).check()


def test_ticks_tell_work_of_the_loop_from_work_of_others() -> None:
    working, waiting = LateLoop(), LateLoop()
    now_s = 0.0
    for turn in range(1, 6):
        now_s += TICK_S + 2 * LATE_S_MAX
        working.tick(now_s, worked_s=0.9 * now_s)
        waiting.tick(now_s, worked_s=0.1 * now_s)
        assert waiting.ticks_late == 0
        assert working.ticks_late >= turn - 1
    with pytest.raises(Overloaded):
        working.check()
    assert working.refused == 1


async def test_a_loop_that_is_on_time_is_not_late() -> None:
    loop = LateLoop()
    loop.start()
    await asyncio.sleep(0)
    loop.stop()
    loop.check()
    assert loop.refused == 0


def test_of_a_kind_only_so_many_are_in_at_a_time() -> None:
    crowd = InFlight({"post": 2})
    with crowd.one("post"), crowd.one("post"), crowd.one("read"), crowd.one(None):
        with pytest.raises(Overloaded), crowd.one("post"):
            pass
        assert crowd.refused == 1


def test_who_fails_gives_the_place_back() -> None:
    crowd = InFlight({"post": 1})
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"), crowd.one("post"):
            raise ValueError("bad")
    assert crowd.refused == 0


def test_posts_and_searches_have_a_bound() -> None:
    assert set(IN_FLIGHT_OF_KIND_MAX) == {"post", "search"}
