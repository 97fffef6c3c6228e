"""Read a user timeline: what one user posted.

edge.native.timelines -> UserTimeline -> UserTimelines (candidates), Sight (visible)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from roost.domain.errors import Forbidden, NotFound
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import Page
from roost.domain.tweet import Tweet
from roost.domain.visibility import Place, may_see_tweets_of
from roost.views.pages import SeenPage, fill_page
from roost.views.relations import RelationView
from roost.views.sight import Seen, Sight
from roost.views.timelines import UserTimelines
from roost.views.users import UserView


class TimelineFilter(StrEnum):
    """Which of the user's tweets are wanted."""

    NONE = "none"
    REPLIES = "replies"
    MEDIA = "media"


_KEEPS: dict[TimelineFilter, Callable[[Tweet], bool]] = {
    TimelineFilter.NONE: lambda _: True,
    TimelineFilter.REPLIES: lambda tweet: tweet.reply_to is not None,
    TimelineFilter.MEDIA: lambda tweet: bool(tweet.content),
}


@dataclass(frozen=True, slots=True)
class UserTimeline:
    timelines: UserTimelines
    users: UserView
    relations: RelationView
    sight: Sight

    async def __call__(
        self, owner: UserId, viewer: UserId | None, page: Page, wanted: TimelineFilter = TimelineFilter.NONE
    ) -> SeenPage:
        """Raises NotFound for a user who is not there, Forbidden for one whose tweets the viewer may not see."""
        user = await self.users.get(owner)
        if user is None or user.deleted:
            raise NotFound(f"no user {owner}")
        if not may_see_tweets_of(user, await self.relations.of(viewer)):
            raise Forbidden(f"the tweets of user {owner} are not for you")
        keeps = _KEEPS[wanted]

        async def see(ids: Sequence[TweetId]) -> list[Seen]:
            seen = await self.sight.of(ids, viewer, Place.LISTED)
            return [one for one in seen if keeps(one.tweet)]

        return await fill_page(page, await self.timelines.candidates(owner), see)
