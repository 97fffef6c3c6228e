"""Keep this node's own views true: what a fact changes is set or forgotten here, before anybody waits on it.

EventLog -> Refresh -> caches, timelines. Every node reads every fact for this.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from roost.domain.events import (
    CelebrityChanged,
    Counted,
    Event,
    LikeChanged,
    RelationChanged,
    SessionsEnded,
    TimelinesForgotten,
    TweetDeleted,
    TweetPosted,
    UserChanged,
)
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.relation import RelationKind, Relations
from roost.domain.tweet import Tweet, TweetCounts
from roost.domain.user import User, UserCounts
from roost.ports.cache import ReadThrough, TimelineCache
from roost.views.celebrities import CelebrityView
from roost.views.relations import CachedFollowers
from roost.views.sessions import SessionView
from roost.views.timelines import Segment
from roost.views.viewer_acts import ViewerActs


@dataclass(slots=True)
class Refresh:
    """One fact at a time. Repeated and late facts only make a view read its row again."""

    tweets: ReadThrough[TweetId, Tweet]
    tweet_counts: ReadThrough[TweetId, TweetCounts]
    users: ReadThrough[UserId, User]
    user_counts: ReadThrough[UserId, UserCounts]
    relations: ReadThrough[UserId, Relations]
    followers: ReadThrough[UserId, CachedFollowers]
    homes: TimelineCache
    home_segments: ReadThrough[UserId, Segment]
    user_timelines: TimelineCache
    user_segments: ReadThrough[UserId, Segment]
    celebrities: CelebrityView
    sessions: SessionView
    acts: ViewerActs
    _counted: Version = Version(0)
    _by_kind: dict[type[Event], Callable[..., Awaitable[None]]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_kind = {
            TweetPosted: self._tweet_posted,
            TweetDeleted: self._tweet_deleted,
            RelationChanged: self._relation_changed,
            LikeChanged: self._like_changed,
            UserChanged: self._user_changed,
            SessionsEnded: self._sessions_ended,
            CelebrityChanged: self._celebrity_changed,
            Counted: self._counted_anew,
            TimelinesForgotten: self._timelines_forgotten,
        }

    async def __call__(self, event: Event) -> None:
        react = self._by_kind.get(type(event))
        if react is not None:
            await react(event)

    async def _tweet_posted(self, event: TweetPosted) -> None:
        # The author sees it at once; followers are the business of fan_out.
        await self.user_timelines.push(event.tweet_id, (event.author_id,))
        await self.homes.push(event.tweet_id, (event.author_id,))
        if event.retweet_of is not None:
            await self.acts.forget(event.author_id)

    async def _tweet_deleted(self, event: TweetDeleted) -> None:
        await self.tweets.forget(event.tweet_id)
        if event.retweet_of is not None:
            await self.acts.forget(event.author_id)

    async def _relation_changed(self, event: RelationChanged) -> None:
        for user in (event.subject, event.object):
            await self.relations.forget(user)
        if event.kind == RelationKind.FOLLOW:
            await self.followers.forget(event.object)
            # What the followed posted belongs in its places: the home is rebuilt when it is read.
            await self.homes.forget(event.subject)
            await self.home_segments.forget(event.subject)

    async def _like_changed(self, event: LikeChanged) -> None:
        await self.acts.forget(event.user_id)

    async def _user_changed(self, event: UserChanged) -> None:
        await self.users.forget(event.user_id)

    async def _sessions_ended(self, event: SessionsEnded) -> None:
        await self.sessions.forget(event.session_ids)

    async def _celebrity_changed(self, event: CelebrityChanged) -> None:
        celebrity = event.user_id
        was_merged = not self.celebrities.is_fanned_out(celebrity)
        await self.celebrities.load()
        if was_merged and self.celebrities.is_fanned_out(celebrity):
            # The homes of followers lack what was only merged: they are rebuilt with it before the merging ends.
            await self.homes.forget_where(lambda owner: self._may_follow(owner, celebrity))

    def _may_follow(self, owner: UserId, celebrity: UserId) -> bool:
        relations = self.relations.peek(owner)
        return relations is None or celebrity in relations.follows

    async def _timelines_forgotten(self, event: TimelinesForgotten) -> None:
        await self.homes.clear()
        await self.home_segments.clear()
        await self.user_timelines.clear()
        await self.user_segments.clear()

    async def _counted_anew(self, event: Counted) -> None:
        if event.version < self._counted:  # told late: what is kept is newer, or is read again
            for tweet, _ in event.tweets:
                await self.tweet_counts.forget(tweet)
            for user, _ in event.users:
                await self.user_counts.forget(user)
            return
        self._counted = event.version
        for tweet, tweet_counts in event.tweets:
            await self.tweet_counts.put(tweet, tweet_counts)
        for user, user_counts in event.users:
            await self.user_counts.put(user, user_counts)
