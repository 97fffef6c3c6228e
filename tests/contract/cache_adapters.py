"""Every adapter of the caches under contract. A new adapter is one new line in each table."""

from collections.abc import Callable, Mapping

from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.ports.cache import ReadThrough, TimelineCache

MonotonicS = Callable[[], float]
MakeReadThrough = Callable[[int, float, MonotonicS, Callable[[str], int]], ReadThrough[str, str]]
"""Bound in weight, time-to-live, clock, and what an entry weighs."""
MakeTimelines = Callable[[int, int, float, MonotonicS], TimelineCache]
"""Bound in ids a timeline, in owners, time-to-live, clock."""

READ_THROUGHS: Mapping[str, MakeReadThrough] = {"memory": MemoryReadThrough}
TIMELINES: Mapping[str, MakeTimelines] = {"memory": MemoryTimelines}
