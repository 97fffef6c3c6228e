"""The hub's clock: whoever is owed something gets it, whenever the debt arises."""

from dataclasses import dataclass, field

import pytest

from roost.edge.live.hub import Debtor, Hub
from roost.edge.live.limits import Limits

LIMITS = Limits(tick_ms=4, slices=4)


@dataclass
class Flushed:
    """Counts how often it was flushed."""

    slice: int
    count: int = field(default=0)

    def flush_due(self) -> None:
        self.count += 1

    def abort(self) -> None:
        raise AssertionError("nothing is wrong here")


@pytest.mark.parametrize("turns", range(2 * LIMITS.slices + 2))
@pytest.mark.parametrize("owed", range(LIMITS.slices))
async def test_a_debt_is_paid_however_long_the_clock_has_found_nothing_to_do(turns: int, owed: int) -> None:
    hub = Hub(LIMITS)
    early, late = Flushed(0), Flushed(owed)
    hub.owes(early)
    while not early.count:
        hub._tick()  # noqa: SLF001 - turn by turn, which no clock would do
    for _ in range(turns):
        hub._tick()  # noqa: SLF001
    debtor: Debtor = late
    hub.owes(debtor)
    for _ in range(2 * LIMITS.slices):
        if hub.is_ticking:
            hub._tick()  # noqa: SLF001
    assert late.count == 1
    await hub.shutdown()
