"""Each tweet once, and those of one author in order, from a log that promises neither.

edge.live.room -> InOrder.due -> UserTimelines
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from roost.domain.ids import TweetId, UserId
from roost.views.timelines import UserTimelines

AUTHORS_MAX = 50_000
PUSHED_MAX = 100_000
CATCH_UP_MAX = 200
"""Tweets of one author that are pushed at once because their facts come late."""


@dataclass(slots=True)
class InOrder:
    """For each author a mark: the greatest id that was pushed. A fact beyond the mark brings along what its author
    posted between, since the store has it already; the facts of those come later and find them pushed.

    `born` is the id before which nothing is pushed: what was posted before this process listened.
    """

    timelines: UserTimelines
    born: TweetId
    _marks: OrderedDict[UserId, TweetId] = field(default_factory=OrderedDict)
    _pushed: OrderedDict[TweetId, None] = field(default_factory=OrderedDict)

    async def due(self, author: UserId, id: TweetId) -> list[TweetId]:
        """The ids to push now because of a fact about `id`, in order; empty for a repeated fact.

        Asking again answers the same until `told` says that they were.
        """
        if id in self._pushed:
            return []
        mark = self._marks.get(author, self.born)
        ids = [id]
        if id > mark:
            between = await self.timelines.newer(author, mark, CATCH_UP_MAX)
            ids = [one for one in reversed(between) if one < id and one not in self._pushed]
            ids.append(id)
        return ids

    def told(self, author: UserId, id: TweetId) -> None:
        """It is pushed to all who listen, if anybody does."""
        mark = self._marks.pop(author, self.born)
        self._marks[author] = max(mark, id)
        self._pushed[id] = None
        self._trim()

    def _trim(self) -> None:
        while len(self._pushed) > PUSHED_MAX:
            self._pushed.popitem(last=False)
        while len(self._marks) > AUTHORS_MAX:
            _, mark = self._marks.popitem(last=False)
            self.born = max(self.born, mark)
