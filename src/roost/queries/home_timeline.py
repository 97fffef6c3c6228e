"""Read a home timeline: what the user and the followed posted.

edge.native.timelines -> HomeTimeline -> HomeTimelines (candidates), Sight (visible)
"""

from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.domain.timeline import Page
from roost.domain.visibility import Place
from roost.views.pages import SeenPage, fill_page
from roost.views.sight import Sight
from roost.views.timelines import HomeTimelines


@dataclass(frozen=True, slots=True)
class HomeTimeline:
    timelines: HomeTimelines
    sight: Sight

    async def __call__(self, owner: UserId, page: Page) -> SeenPage:
        candidates = await self.timelines.candidates(owner)
        return await fill_page(page, candidates, lambda ids: self.sight.of(ids, owner, Place.HOME))
