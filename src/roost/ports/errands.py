"""Small work that an answer need not wait for."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Errands(Protocol):
    def later(self, what: str, errand: Callable[[], Awaitable[None]]) -> bool:
        """Begin soon, beside the caller. False where too many wait: then it is never done.

        What it raises is logged under `what` and reaches nobody. Not durable, and not repeated: only for what its
        user can ask for again (a mail), or what comes again by itself.
        """
        ...
