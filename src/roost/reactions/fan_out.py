"""Push each new tweet onto its followers' warm home timelines.

EventLog -> FanOut -> FollowerView, TimelineCache -> queries.home_timeline

Fair: a fan-out takes at most FOLLOWERS_A_TURN followers at a time; what is left goes back on the log, behind
what others posted meanwhile, so that an author with millions delays nobody.
"""

from dataclasses import dataclass

from roost.domain.events import Event, FanOutRest, TweetPosted
from roost.domain.ids import TweetId, UserId
from roost.ports.cache import TimelineCache
from roost.ports.log import EventLog
from roost.views.celebrities import CelebrityView
from roost.views.relations import NOBODY, FollowerView

FOLLOWERS_A_TURN = 4_000
"""1 to 4 ms of pushing: the longest that one tweet holds the loop, and that others' tweets wait for it. Each turn costs
a write to the log: some 250 of them for a million followers.
"""


@dataclass(slots=True)
class FanOut:
    """Safe to repeat: pushing twice changes nothing. `delivered` counts pushes onto warm timelines.

    `node` tells apart those that each fill timelines of their own: each goes on with the rests that it left itself.
    """

    followers: FollowerView
    homes: TimelineCache
    celebrities: CelebrityView
    log: EventLog
    delivered: int = 0
    node: int = 0

    async def __call__(self, event: Event) -> None:
        if isinstance(event, TweetPosted):
            # Whether he is a celebrity now counts too: a demotion rebuilds homes only of what was posted before it.
            if event.fan_out or self.celebrities.is_fanned_out(event.author_id):
                await self._push(event.tweet_id, event.author_id, NOBODY)
        elif isinstance(event, FanOutRest) and event.node == self.node:
            await self._push(event.tweet_id, event.author_id, event.after_follower)

    async def _push(self, tweet: TweetId, author: UserId, after: UserId) -> None:
        page = await self.followers.page(author, after, FOLLOWERS_A_TURN)
        self.delivered += await self.homes.push(tweet, page)
        if len(page) == FOLLOWERS_A_TURN:
            await self.log.append([FanOutRest(tweet, author, page[-1], self.node)])
