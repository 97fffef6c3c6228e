"""The celebrity table, whole in this process: at most some thousand rows."""

from collections.abc import Collection
from dataclasses import dataclass, field

from roost.domain.celebrity import Celebrity, CelebrityState
from roost.domain.ids import UserId
from roost.domain.relation import Relations
from roost.ports.celebrities import CelebrityStore


@dataclass(slots=True)
class CelebrityView:
    store: CelebrityStore
    rows: dict[UserId, Celebrity] = field(default_factory=dict)
    _begun: int = 0
    _kept: int = 0

    async def load(self) -> None:
        """Read the table: at start, and after each change of it. Of loads that overlap the one begun last is kept."""
        self._begun += 1
        mine = self._begun
        rows = dict(await self.store.all())
        if mine > self._kept:
            self.rows, self._kept = rows, mine

    def is_fanned_out(self, author: UserId) -> bool:
        """Whether a tweet of this author is pushed to followers."""
        row = self.rows.get(author)
        return row is None or row.state is CelebrityState.RETURNING

    def merged_for(self, viewer: Relations) -> Collection[UserId]:
        """The followed authors whose tweets are merged when the viewer's home is read."""
        if len(self.rows) < len(viewer.follows):
            return [author for author in self.rows if author in viewer.follows]
        return [author for author in viewer.follows if author in self.rows]
