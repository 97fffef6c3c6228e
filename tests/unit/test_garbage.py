"""The collector, kept short: survivors are frozen, cycles that come apart later are found all the same."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from roost.assembly import garbage
from roost.assembly.garbage import Garbage


@pytest.fixture
def collector() -> Iterator[Garbage]:
    thresholds, callbacks = gc.get_threshold(), gc.callbacks.copy()
    installed = Garbage()
    installed.install()
    try:
        yield installed
    finally:
        gc.callbacks[:] = callbacks
        gc.set_threshold(*thresholds)
        gc.unfreeze()


class Ring:
    """An object in a cycle."""

    def __init__(self) -> None:
        self.itself: Ring | None = self


@pytest.mark.usefixtures("collector")
def test_what_survives_a_full_collection_is_not_looked_at_again() -> None:
    kept = [Ring() for _ in range(100)]
    before = gc.get_freeze_count()
    gc.collect()
    assert gc.get_freeze_count() >= before + len(kept)
    assert not any(one in gc.get_objects(generation) for generation in range(3) for one in kept[:3])


@pytest.mark.usefixtures("collector")
def test_young_cycles_and_frozen_objects_that_nobody_refers_to_are_freed_at_once() -> None:
    young = weakref.ref(Ring())
    frozen = Ring()
    gc.collect()
    assert young() is None
    old = weakref.ref(frozen)
    frozen.itself = None
    del frozen
    assert old() is None


async def test_frozen_cycles_are_freed_once_what_is_kept_has_doubled(
    collector: Garbage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Ring()
    gc.collect()
    leaked = weakref.ref(ring)
    del ring
    gc.collect()
    await collector.collect_all_if_doubled()
    assert leaked() is not None
    monkeypatch.setattr(garbage, "GROWN_BY_MIN", -2 * gc.get_freeze_count())
    await collector.collect_all_if_doubled()
    assert leaked() is None
