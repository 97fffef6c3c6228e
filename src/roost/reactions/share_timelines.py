"""Keep the home timelines that all nodes share: what an edge begins a timeline from that it does not hold.

EventLog -> ShareTimelines -> shared timelines -> edges

Only facts of this reaction's own partitions come here, and each is dealt with before the next: so what was pushed up to
a moment can be told.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from roost.domain.celebrity import CelebrityState
from roost.domain.events import CelebrityChanged, Event, RelationChanged, TimelinesForgotten, TweetPosted
from roost.domain.relation import RelationKind
from roost.ports.cache import TimelineCache
from roost.views.celebrities import CelebrityView


@dataclass(frozen=True, slots=True)
class ShareTimelines:
    """Safe to repeat."""

    fan_out: Callable[[Event], Awaitable[None]]
    homes: TimelineCache
    celebrities: CelebrityView

    async def __call__(self, event: Event) -> None:
        match event:
            case TweetPosted():
                await self.homes.push(event.tweet_id, (event.author_id,))
                await self.fan_out(event)
            case RelationChanged() if event.kind == RelationKind.FOLLOW:
                await self.homes.forget(event.subject)
            case CelebrityChanged():
                row = self.celebrities.rows.get(event.user_id)
                if row is not None and row.state is CelebrityState.RETURNING:
                    # Followers' timelines lack what was only merged. Which those are is told nowhere.
                    await self.homes.clear()
            case TimelinesForgotten():
                await self.homes.clear()
            case _:
                pass
