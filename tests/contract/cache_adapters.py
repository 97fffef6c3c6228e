"""Every adapter of the caches under contract. A new adapter is one new line in each table."""

from collections.abc import Callable, Mapping
from functools import partial

from contract import redis_servers
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.adapters.cache.redis_timelines import RedisTimelines
from roost.adapters.cache.seeded_timelines import SeededTimelines
from roost.ports.cache import ReadThrough, TimelineCache

MonotonicS = Callable[[], float]
MakeReadThrough = Callable[[int, float, MonotonicS, Callable[[str], int]], ReadThrough[str, str]]
"""Bound in weight, time-to-live, clock, and what an entry weighs."""
MakeTimelines = Callable[[int, int, float, MonotonicS], TimelineCache]
"""Bound in ids a timeline, in owners, time-to-live, clock."""


class AllIsPushed(RedisTimelines):
    """Whoever looks may seed: nothing here was pushed but through the edge under test."""

    async def pushed_until(self) -> int | None:
        return 1 << 50


def _seeded(kind: str, length_max: int, owners_max: int, ttl_s: float, monotonic_s: MonotonicS) -> SeededTimelines:
    near = MemoryTimelines(length_max, owners_max, ttl_s, monotonic_s)
    link, prefix = redis_servers.link(kind), redis_servers.fresh_prefix()
    far = AllIsPushed(link, prefix, length_max, redis_servers.RANDOMNESS, monotonic_s)
    return SeededTimelines(near, far, lambda: int(monotonic_s() * 1000))


READ_THROUGHS: Mapping[str, MakeReadThrough] = {"memory": MemoryReadThrough}
TIMELINES: Mapping[str, MakeTimelines] = {
    "memory": MemoryTimelines,
    "seeded-redis-single": partial(_seeded, "redis-single"),
    "seeded-redis-cluster": partial(_seeded, "redis-cluster"),
}
