"""Promotion and demotion where the view lags behind the table, as it does between a change and its announcement."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from contract.store_adapters import ANA, BEN, CEM, DEE, Stores, memory_stores
from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.events import CelebrityChanged, Counted
from roost.domain.ids import UserId, Version
from roost.domain.user import UserCounts
from roost.views.celebrities import CelebrityView
from unit.test_rebuilds import celebrate, states

MERGED, RETURNING = CelebrityState
THRESHOLD, ROOM = 10, 9
MANY, FEW = UserCounts(followers=THRESHOLD), UserCounts(followers=1)


@pytest.fixture
def stores() -> Stores:
    return memory_stores()


def counted(counts: UserCounts, *users: UserId) -> Counted:
    return Counted((), tuple((user, counts) for user in users), Version(9))


async def test_no_more_rows_than_the_bound_when_many_rise_in_one_fact(stores: Stores) -> None:
    reaction = await celebrate(stores, THRESHOLD, count_max=2)
    await reaction(counted(MANY, ANA, BEN, CEM, DEE))
    assert await states(stores) == {ANA: MERGED, BEN: MERGED}


async def test_who_rises_again_before_he_is_dismissed_stays(stores: Stores) -> None:
    await stores.celebrities.put(Celebrity(ANA, RETURNING, Version(1)))
    reaction = await celebrate(stores, THRESHOLD, ROOM)
    dismissed = reaction.celebrities.rows[ANA]
    await reaction(counted(MANY, ANA))
    reaction.celebrities.rows[ANA] = dismissed  # the view has not heard of it yet
    await reaction(CelebrityChanged(ANA, Version(1)))
    assert await states(stores) == {ANA: MERGED}


async def test_who_falls_returns_first_and_leaves_then(stores: Stores) -> None:
    await stores.celebrities.put(Celebrity(ANA, MERGED, Version(1)))
    reaction = await celebrate(stores, THRESHOLD, ROOM)
    await reaction(counted(FEW, ANA))
    assert await states(stores) == {ANA: RETURNING}
    await reaction.celebrities.load()
    await reaction(CelebrityChanged(ANA, reaction.celebrities.rows[ANA].version))
    assert await states(stores) == {}


@dataclass
class SlowTable:
    """Answers each look when it is let, with the rows of the moment when it was asked."""

    rows: dict[UserId, Celebrity] = field(default_factory=dict)
    looks: list[asyncio.Event] = field(default_factory=list)

    async def all(self) -> Mapping[UserId, Celebrity]:
        rows, let = dict(self.rows), asyncio.Event()
        self.looks.append(let)
        await let.wait()
        return rows


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_loads_at_once_the_later_look_is_kept(order: tuple[int, int]) -> None:
    table = SlowTable()
    view = CelebrityView(table)  # type: ignore[arg-type]  # all it asks for
    async with asyncio.TaskGroup() as tasks:
        loads = [tasks.create_task(view.load())]
        await asyncio.sleep(0)
        table.rows[ANA] = Celebrity(ANA, MERGED, Version(1))
        loads.append(tasks.create_task(view.load()))
        await asyncio.sleep(0)
        for nth in order:
            table.looks[nth].set()
            await loads[nth]
    assert set(view.rows) == {ANA}
