"""Timelines: what a user posted, and what he and the followed posted.

edge.native.app -> Timelines -> queries.user_timeline, queries.home_timeline -> rendering
"""

from dataclasses import dataclass
from enum import StrEnum

from roost.domain.errors import Forbidden, NotFound
from roost.domain.timeline import Page
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import (
    AFTER,
    BEFORE,
    LIMIT,
    USER_ID,
    Answer,
    Call,
    Described,
    Endpoint,
    SignedIn,
    choice_in_query,
    page_of,
)
from roost.edge.native.hot import HotTimelines
from roost.edge.rendering import TweetRenderer
from roost.queries.home_timeline import HomeTimeline
from roost.queries.user_timeline import TimelineFilter, UserTimeline


class Which(StrEnum):
    """Which timeline of a user is wanted."""

    USER = "user"
    HOME = "home"


WHICH = choice_in_query("timeline", "the user's own, or the home timeline of the token's owner", Which, Which.USER)
FILTER = choice_in_query("filter", "which tweets of the user timeline are wanted", TimelineFilter, TimelineFilter.NONE)


@dataclass(frozen=True, slots=True)
class Timelines:
    user_timeline: UserTimeline
    home_timeline: HomeTimeline
    renderer: TweetRenderer
    hot: HotTimelines | None = None

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/user/timeline/{userId}",
                self._read,
                "Read a timeline, newest first",
                {200: Described("a page of tweets", shapes.TweetPage)},
                SignedIn.OPTIONAL,
                (USER_ID, WHICH, FILTER, LIMIT, BEFORE, AFTER),
                refusals=(NotFound, Forbidden),
            )
        ]

    async def _read(self, call: Call[None]) -> Answer:
        owner, viewer, page = call.value(USER_ID), call.viewer, page_of(call)
        if call.value(WHICH) is Which.HOME:
            if call.user != owner:
                raise Forbidden("a home timeline is its owner's only")
            found = await self.home_timeline(owner, page)
            await self._settle(call, page)
        else:
            found = await self.user_timeline(owner, viewer, page, call.value(FILTER))
        return pages.tweet_page(await self.renderer.page(found.tweets, viewer), found.before, found.after)

    async def _settle(self, call: Call[None], page: Page) -> None:
        """Let the next reads of this home's newest page be hot."""
        if self.hot is None or page.before is not None or page.after is not None:
            return
        authorization = call.header("authorization") or ""
        if call.session is not None and authorization[:7].lower() == "bearer ":  # not a cookie's session
            await self.hot.learn(authorization, call.session)
