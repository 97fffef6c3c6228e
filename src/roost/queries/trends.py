"""Read trends: the hashtags that rose most over the last hours.

edge.native.search -> Trends -> TweetIndex
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from roost.domain.search.trending import TRENDS_MAX, Trend
from roost.ports.clock import Clock
from roost.ports.index import TweetIndex

KEPT_S = 5.0
"""An answer serves all who ask within that time: a ranking reads hours of counts."""


@dataclass(slots=True)
class Trends:
    index: TweetIndex
    clock: Clock
    _ranked: Sequence[Trend] = ()
    _until_s: float = field(default=float("-inf"))

    async def __call__(self, limit: int) -> Sequence[Trend]:
        now_s = self.clock.monotonic_s()
        if now_s >= self._until_s:
            self._ranked = await self.index.trends(self.clock.now_ms(), TRENDS_MAX)
            self._until_s = now_s + KEPT_S
        return self._ranked[:limit]
