"""Whether this node may believe its caches: only while the log's heartbeat reaches it."""

from collections.abc import Callable
from dataclasses import dataclass

from roost.ports.clock import Clock

BEAT_EVERY_S = 0.5
STALE_MS = 2_000
"""Without a heartbeat for so long, a deletion, block or dead token may not have come here."""


@dataclass(frozen=True, slots=True)
class Trust:
    """`heard_ms` is when the newest record of the log was put there of which all that came before has been read."""

    clock: Clock
    heard_ms: Callable[[], int]

    def __call__(self) -> bool:
        return self.clock.now_ms() - self.heard_ms() <= STALE_MS
