"""Read lists around tweets: who liked or retweeted one, what quotes it, and what a user liked.

edge.native.tweets -> TweetLists -> LikeStore, TweetStore (rows), Sight (visible)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roost.domain.errors import Forbidden
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.visibility import Place, may_see_tweets_of
from roost.ports.likes import Like, LikeStore
from roost.ports.tweets import TweetStore
from roost.views.lists import ListPage, Rows, fill_list
from roost.views.relations import RelationView
from roost.views.sight import Seen, Sight
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class TweetLists:
    """All raise NotFound where the tweet may not be seen. What is asked of a retweet is answered of the original.

    Likers and retweeters are those whose tweets the viewer may see: what a protected user liked is as private.
    """

    tweets: TweetStore
    likes: LikeStore
    users: UserView
    relations: RelationView
    sight: Sight

    async def likers(self, id: TweetId, viewer: UserId | None, limit: int, before: int | None) -> ListPage[UserId]:
        """Who likes it, the newest like first."""
        original = await self._original(id, viewer)
        relations = await self.relations.of(viewer)

        async def see(likes: Sequence[Like]) -> list[UserId | None]:
            users = await self.users.get_many([like.user_id for like in likes])
            visible = {id for id, user in users.items() if may_see_tweets_of(user, relations)}
            return [like.user_id if like.user_id in visible else None for like in likes]

        rows = Rows(
            lambda cursor, size: self.likes.of_tweet(original, _version(cursor), size), see, lambda like: like.version
        )
        return await fill_list(rows, before, limit)

    async def retweeters(self, id: TweetId, viewer: UserId | None, limit: int, before: int | None) -> ListPage[UserId]:
        """Who retweets it, the newest retweet first."""
        original = await self._original(id, viewer)

        async def see(ids: Sequence[TweetId]) -> list[UserId | None]:
            seen = await self._seen(ids, viewer)
            return [seen[id].author.id if id in seen else None for id in ids]

        rows = Rows(
            lambda cursor, size: self.tweets.retweets_of(original, _tweet(cursor), size), see, lambda tweet: tweet
        )
        return await fill_list(rows, before, limit)

    async def quotes(self, id: TweetId, viewer: UserId | None, limit: int, before: int | None) -> ListPage[Seen]:
        """What quotes it, newest first."""
        original = await self._original(id, viewer)
        rows: Rows[TweetId, Seen] = Rows(
            lambda cursor, size: self.tweets.quotes_of(original, _tweet(cursor), size),
            lambda ids: self._seen_or_none(ids, viewer),
            lambda tweet: tweet,
        )
        return await fill_list(rows, before, limit)

    async def liked(self, user: UserId, viewer: UserId, limit: int, before: int | None) -> ListPage[Seen]:
        """What the user liked, the newest like first. Raises Forbidden for anybody but himself."""
        if user != viewer:
            raise Forbidden("what others like is theirs to know")

        async def see(likes: Sequence[Like]) -> list[Seen | None]:
            return await self._seen_or_none([like.tweet_id for like in likes], viewer)

        rows = Rows(
            lambda cursor, size: self.likes.by_user(user, _version(cursor), size), see, lambda like: like.version
        )
        return await fill_list(rows, before, limit)

    async def _original(self, id: TweetId, viewer: UserId | None) -> TweetId:
        seen = await self.sight.one(id, viewer)
        if seen.tweet.retweet_of is None:
            return id
        return (await self.sight.one(seen.tweet.retweet_of, viewer)).tweet.id

    async def _seen(self, ids: Sequence[TweetId], viewer: UserId | None) -> Mapping[TweetId, Seen]:
        return {seen.tweet.id: seen for seen in await self.sight.of(ids, viewer, Place.LISTED)}

    async def _seen_or_none(self, ids: Sequence[TweetId], viewer: UserId | None) -> list[Seen | None]:
        seen = await self._seen(ids, viewer)
        return [seen.get(id) for id in ids]


def _version(cursor: int | None) -> Version | None:
    return None if cursor is None else Version(cursor)


def _tweet(cursor: int | None) -> TweetId | None:
    return None if cursor is None else TweetId(cursor)
