"""The celebrity table: few rows, whole on every node."""

from collections.abc import Mapping
from typing import Protocol

from roost.domain.celebrity import Celebrity
from roost.domain.ids import Position, UserId, Version


class CelebrityStore(Protocol):
    """Changes are announced as CelebrityChanged in the same durable write."""

    async def all(self) -> Mapping[UserId, Celebrity]: ...

    async def put(self, celebrity: Celebrity) -> Position | None:
        """Keep the row if its version is the greater one; None when it is not."""
        ...

    async def remove(self, user_id: UserId, version: Version) -> Position | None:
        """Drop the row if its version is below `version`."""
        ...
