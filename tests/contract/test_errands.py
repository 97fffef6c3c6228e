"""The contract of errands, over their adapter."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from roost.adapters.errands import in_process
from roost.adapters.errands.in_process import InProcessErrands
from roost.domain.errors import DependencyDown


@pytest_asyncio.fixture
async def errands() -> AsyncIterator[InProcessErrands]:
    async with InProcessErrands(at_work_max=2, in_line_max=3) as opened:
        yield opened


class Work:
    """Errands that wait until they may go on, counted."""

    def __init__(self) -> None:
        self.begun = self.done = self.at_once = self.at_once_max = 0
        self.may_go_on = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await self.may_go_on.wait()
        self.at_once -= 1
        self.done += 1


async def test_an_errand_is_done_beside_its_caller(errands: InProcessErrands) -> None:
    work = Work()
    assert errands.later("work", work)
    assert work.begun == 0
    work.may_go_on.set()
    await errands.idle()
    assert work.done == 1


async def test_a_bounded_number_is_at_work_and_in_line_and_the_next_is_refused(errands: InProcessErrands) -> None:
    work = Work()
    with capture_logs() as logs:
        assert [errands.later("work", work) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [line["event"] for line in logs] == ["errand refused"] * 2
    for _ in range(10):
        await asyncio.sleep(0)  # rounds of the loop, more than any errand needs to begin
    assert work.begun == 2
    work.may_go_on.set()
    await errands.idle()
    assert (work.done, work.at_once_max) == (5, 2)
    assert errands.later("work", work)


@pytest.mark.parametrize(("error", "level"), [(DependencyDown("no mail"), "warning"), (ValueError("a fault"), "error")])
async def test_what_an_errand_raises_is_logged_and_holds_nobody_up(
    errands: InProcessErrands, error: Exception, level: str
) -> None:
    async def fail() -> None:
        raise error

    work = Work()
    work.may_go_on.set()
    with capture_logs() as logs:
        assert errands.later("a mail", fail)
        assert errands.later("work", work)
        await errands.idle()
    assert [(line["errand"], line["log_level"]) for line in logs] == [("a mail", level)]
    assert work.done == 1


async def test_what_is_begun_is_finished_before_the_end_and_nothing_new_is_taken() -> None:
    work = Work()
    async with InProcessErrands() as errands:
        assert errands.later("work", work)
        asyncio.get_running_loop().call_later(0.01, work.may_go_on.set)
    assert work.done == 1
    assert not errands.later("work", work)


async def test_what_does_not_end_in_time_is_dropped_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "CLOSE_WAIT_S_MAX", 0.02)
    work = Work()
    with capture_logs() as logs:
        async with InProcessErrands() as errands:
            assert errands.later("work", work)
    assert (work.begun, work.done) == (1, 0)
    assert [line["count"] for line in logs] == [1]
