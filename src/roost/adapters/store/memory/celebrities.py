"""The celebrity table in a dictionary."""

from collections.abc import Callable, Mapping, Sequence

from roost.domain.celebrity import Celebrity
from roost.domain.events import CelebrityChanged, Event
from roost.domain.ids import Position, UserId, Version


class MemoryCelebrityStore:
    def __init__(self, leave: Callable[[Sequence[Event]], Position]) -> None:
        self._leave = leave
        self._rows: dict[UserId, Celebrity] = {}

    async def all(self) -> Mapping[UserId, Celebrity]:
        return dict(self._rows)

    async def put(self, celebrity: Celebrity) -> Position | None:
        kept = self._rows.get(celebrity.user_id)
        if kept is not None and kept.version >= celebrity.version:
            return None
        self._rows[celebrity.user_id] = celebrity
        return self._leave([CelebrityChanged(celebrity.user_id, celebrity.version)])

    async def remove(self, user_id: UserId, version: Version) -> Position | None:
        kept = self._rows.get(user_id)
        if kept is None or kept.version >= version:
            return None
        del self._rows[user_id]
        return self._leave([CelebrityChanged(user_id, version)])
