"""Node numbers, which make the ids of a process its own: leased, since processes come and go."""

from dataclasses import dataclass
from typing import Protocol

RENEW_EVERY_S = 5.0
USABLE_S = 15.0
"""Since its last renewal its holder may use a number for so long."""
RELET_MS = 600_000
"""And so long after it the number is nobody else's, whatever the holder's clock says."""
CLOCK_OFF_MS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class NodeLease:
    """`floor_ms` is the newest millisecond that an earlier holder may have minted in."""

    number: int
    floor_ms: int


class NodeLeases(Protocol):
    """All raise Unavailable where the store does not answer."""

    async def take(self, holder: str) -> NodeLease:
        """A number that nobody else has. Raises Overloaded where all are taken."""
        ...

    async def renew(self, number: int, holder: str, last_ms: int) -> bool:
        """Keep it; `last_ms` is the newest millisecond minted. False where it is somebody else's by now."""
        ...

    async def release(self, number: int, holder: str, last_ms: int) -> None:
        """Give it back: it may be let at once."""
        ...

    async def now_ms(self) -> int:
        """What the store's clock says, Unix time."""
        ...
