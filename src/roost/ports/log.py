"""The spine: the record of facts between those who write and those who react.

At least once, and in no order across users; after an outage not even within one. Stores leave their events in
the outbox within the durable write; how they come from there onto the log is between those two adapters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from roost.domain.events import Event
from roost.domain.ids import Position, UserId

BATCH_MAX = 512


@dataclass(frozen=True, slots=True)
class Logged:
    """An event with its place. A reader that was given it goes on after `position` and has missed nothing: where a
    log gives events out of order, the position covers no event that is still to come. `at_ms` is when it was put on
    the log, Unix time.
    """

    position: Position
    event: Event
    at_ms: int = 0


class Subscription(Protocol):
    """One reader's way along the log."""

    async def batch(self) -> Sequence[Logged]:
        """The next events, 1..BATCH_MAX of them; waits until there are some. Empty only once the log is closed."""
        ...

    async def confirm(self, position: Position) -> None:
        """All up to here was dealt with: a group goes on after it, even after a crash.

        May be written late, never early.
        """


class EventLog(Protocol):
    async def append(self, events: Sequence[Event]) -> Position:
        """Add facts that no store writes (what is left of a fan-out); durable on return."""
        ...

    async def end(self) -> Position:
        """After all that is on the log now."""
        ...

    def subscribe(self, group: str) -> Subscription:
        """As a member of a group whose members share the work; a new group begins at the oldest kept event."""
        ...

    def tail(self, after: Position) -> Subscription:
        """All events after a position, for this reader alone."""
        ...

    async def read(self, after: Position, limit: int) -> Sequence[Logged] | None:
        """What came after a position, without waiting; None where the log no longer reaches back to it, or the
        position is none of this log's.
        """
        ...

    def is_reached(self, position: Position, by: Position) -> bool:
        """Whether a reader that is at `by` has seen `position`. Raises Invalid where either is malformed."""
        ...

    async def lag(self) -> dict[str, int]:
        """Events not yet confirmed, by group."""
        ...

    async def drop_before(self, at_ms: int) -> int:
        """Drop events older than that which every group has confirmed, but never the newest; how many went. A log
        that drops by itself has nothing to do.
        """
        ...


class NodeProgress(Protocol):
    """How far this node's own views follow the log."""

    async def reached(self, position: Position) -> bool:
        """Wait, within a bound, until this node's views have applied that position; whether they have.

        Then whoever wrote it sees it here. A write that is not reached in time stands all the same. Raises Invalid
        for a position that is none.
        """
        ...


class OwnWrites(Protocol):
    """What users wrote through other nodes, where nodes can tell one another at once."""

    def unseen(self, user: UserId) -> Position | None:
        """What this node's views must have reached for the user to see all own writes; None where they have. Costs
        no more than a look, and may name a write of somebody else's that came later.
        """
        ...
