"""Promote users to celebrities and back, by their counted followers.

EventLog (Counted) -> Celebrate -> CelebrityStore -> reactions.refresh, commands.post_tweet

Promotion: the row comes first, so that every reader merges before any author stops pushing. Demotion: pushing
starts first (RETURNING), then the followers' homes are forgotten, so that they are rebuilt with all that was only
merged, and last the row goes.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass

from roost.domain.celebrity import Celebrity, CelebrityState, should_demote, should_promote
from roost.domain.events import CelebrityChanged, Counted, Event
from roost.domain.ids import UserId, Version
from roost.ports.accounts import AccountStore
from roost.ports.cache import TimelineCache
from roost.ports.celebrities import CelebrityStore
from roost.ports.ids import IdSource
from roost.views.celebrities import CelebrityView
from roost.views.relations import FollowerView

REBUILD_BATCH = 500
"""Users judged in one step."""


@dataclass(frozen=True, slots=True)
class Celebrate:
    """At most `count_max` rows: further users stay fanned out until the threshold is raised."""

    store: CelebrityStore
    celebrities: CelebrityView
    followers: FollowerView
    homes: TimelineCache
    ids: IdSource
    threshold: int
    count_max: int

    async def __call__(self, event: Event) -> None:
        if isinstance(event, Counted):
            for user, counts in event.users:
                await self.judge(user, counts.followers)
        elif isinstance(event, CelebrityChanged):
            row = self.celebrities.rows.get(event.user_id)
            if row is not None and row.state is CelebrityState.RETURNING:
                await self._retire(row)

    async def judge(self, user: UserId, followers: int) -> None:
        """Promote or demote one user, where the count of followers says so."""
        row = self.celebrities.rows.get(user)
        promoted = row is not None and row.state is CelebrityState.MERGED
        if not promoted and should_promote(followers, self.threshold):
            if row is not None or len(self.celebrities.rows) < self.count_max:
                await self._put(user, CelebrityState.MERGED)
                await self.celebrities.load()  # the bound on rows looks at those just put
        elif promoted and should_demote(followers, self.threshold):
            await self._put(user, CelebrityState.RETURNING)

    async def rebuild(self, accounts: AccountStore) -> AsyncIterator[int]:
        """Judge all users by their rows of followers: first those who are celebrities, then who may become one, the
        most followed first.

        Yields how many are done, after each step. Facts may be dealt with between steps, not within one.
        """
        for row in list(self.celebrities.rows.values()):
            followers = (await self._follower_counts([row.user_id]))[row.user_id]
            if row.state is CelebrityState.MERGED or should_promote(followers, self.threshold):
                await self.judge(row.user_id, followers)
            else:
                await self._retire(row)
        await self.celebrities.load()
        done, user = 0, UserId(0)
        rising: dict[UserId, int] = {}
        while users := await accounts.user_ids(user, REBUILD_BATCH):
            counts = await self._follower_counts(users)
            rising |= {id: followers for id, followers in counts.items() if should_promote(followers, self.threshold)}
            rising = dict(sorted(rising.items(), key=lambda each: -each[1])[: self.count_max])
            user, done = users[-1], done + len(users)
            yield done
        for id, followers in rising.items():
            await self.judge(id, followers)

    async def _follower_counts(self, users: Collection[UserId]) -> Mapping[UserId, int]:
        return await self.followers.store.follower_counts(users)

    async def _put(self, user: UserId, state: CelebrityState) -> None:
        await self.store.put(Celebrity(user, state, self.ids.next_version()))

    async def _retire(self, row: Celebrity) -> None:
        async for page in self.followers.pages(row.user_id):
            for follower in page:
                await self.homes.forget(follower)
        await self.store.remove(row.user_id, Version(row.version + 1))  # this row, and none that was put since
