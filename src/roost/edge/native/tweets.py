"""Tweets: post, read, delete, like; threads, and the lists around a tweet.

edge.native.app -> Tweets -> commands.post_tweet, delete_tweet, like_tweet; queries.thread, tweet_lists
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roost.commands.delete_tweet import DeleteTweet
from roost.commands.like_tweet import LikeTweet, UnlikeTweet
from roost.commands.post_tweet import PostTweet
from roost.domain.errors import Forbidden, Gone, Invalid, NotFound, NotSignedIn, RefReused
from roost.domain.ids import TweetId, UserId
from roost.domain.tweet import REF_LENGTH_MAX
from roost.edge.drafts import DraftBody, draft_of
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import (
    BEFORE,
    CURSOR,
    LIMIT,
    NO_CONTENT,
    POSITION_HEADER,
    TWEET_ID,
    USER_ID,
    Answer,
    Call,
    Described,
    Endpoint,
    Handler,
    Parameter,
    SignedIn,
    header_text,
    id_in_query,
)
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.queries.thread import Hidden, Thread
from roost.queries.tweet_lists import TweetLists
from roost.queries.user_profile import UserProfiles
from roost.views.lists import ListPage
from roost.views.sight import Seen, Sight
from roost.views.users import UserView

IDEMPOTENCY_KEY = header_text("Idempotency-Key", "the `ref` of the tweet: the same posts once in 24 h", REF_LENGTH_MAX)
AFTER_REPLY = id_in_query("after", "where to go on: only replies newer than this one", TweetId)

TWEET = Described("the tweet", shapes.TweetShape)
TWEETS = Described("a page of tweets", shapes.TweetPage)
USERS = Described("a page of users", shapes.UserPage)
DONE = Described("done, or so already")


@dataclass(frozen=True, slots=True)
class Tweets:
    post: PostTweet
    delete: DeleteTweet
    like: LikeTweet
    unlike: UnlikeTweet
    thread: Thread
    lists: TweetLists
    profiles: UserProfiles
    users: UserView
    sight: Sight
    renderer: TweetRenderer
    addresses: ContentAddresses

    def endpoints(self) -> list[Endpoint]:
        return [*self._posting(), *self._liking(), *self._reading(), *self._listing()]

    def _posting(self) -> list[Endpoint]:
        post = Endpoint(
            "POST",
            "/tweet",
            self._post,
            "Post a tweet, reply, retweet or quote",
            {201: Described("stored durably", shapes.TweetShape, headers=(POSITION_HEADER,))},
            parameters=(IDEMPOTENCY_KEY,),
            body=DraftBody,
            rate_limit="post",
            refusals=(Invalid, NotFound, Forbidden, RefReused, Gone),
        )
        delete = Endpoint(
            "DELETE",
            "/tweet/{tweetId}",
            self._delete,
            "Delete one's own tweet; deleting a retweet undoes it",
            {204: DONE},
            parameters=(TWEET_ID,),
            refusals=(NotFound, Forbidden),
        )
        return [post, delete]

    def _liking(self) -> list[Endpoint]:
        path = "/tweet/{tweetId}/like"
        like = Endpoint(
            "POST",
            path,
            self._like,
            "Like a tweet",
            {204: DONE},
            SignedIn.REQUIRED,
            (TWEET_ID,),
            rate_limit="follow",
            refusals=(NotFound,),
        )
        unlike = Endpoint(
            "DELETE",
            path,
            self._unlike,
            "Take a like back",
            {204: DONE},
            SignedIn.REQUIRED,
            (TWEET_ID,),
            refusals=(NotFound,),
        )
        return [like, unlike]

    def _reading(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/tweet/{tweetId}",
                self._get,
                "Read a tweet",
                {200: TWEET},
                SignedIn.OPTIONAL,
                (TWEET_ID,),
                refusals=(NotFound,),
            ),
            Endpoint(
                "GET",
                "/tweet/{tweetId}/thread",
                self._thread,
                "Read what a tweet answers and what answers it",
                {200: Described("the thread", shapes.ThreadShape)},
                SignedIn.OPTIONAL,
                (TWEET_ID, LIMIT, AFTER_REPLY),
                refusals=(NotFound,),
            ),
        ]

    def _listing(self) -> list[Endpoint]:
        def listed(name: str, handler: Handler, summary: str, answers: Described, cursor: Parameter[Any]) -> Endpoint:
            path, parameters = f"/tweet/{{tweetId}}/{name}", (TWEET_ID, LIMIT, cursor)
            return Endpoint(
                "GET", path, handler, summary, {200: answers}, SignedIn.OPTIONAL, parameters, refusals=(NotFound,)
            )

        liked = Endpoint(
            "GET",
            "/user/{userId}/likes",
            self._liked,
            "What one likes oneself",
            {200: TWEETS},
            SignedIn.REQUIRED,
            (USER_ID, LIMIT, CURSOR),
            refusals=(Forbidden,),
        )
        return [
            listed("likes", self._likes, "Who likes a tweet", USERS, CURSOR),
            listed("retweets", self._retweets, "Who retweets it", USERS, CURSOR),
            listed("quotes", self._quotes, "What quotes a tweet", TWEETS, BEFORE),
            liked,
        ]

    async def _post(self, call: Call[DraftBody]) -> Answer:
        acknowledged = await self.post(call.user, draft_of(call.body, call.value(IDEMPOTENCY_KEY)))
        position = acknowledged.position
        headers = () if position is None else ((POSITION_HEADER, str(position)),)
        return Answer(201, await self.renderer.one(acknowledged.seen, call.user), headers)

    async def _delete(self, call: Call[None]) -> Answer:
        user = await self.users.get(call.user)
        if user is None or user.deleted:
            raise NotSignedIn
        await self.delete(user, call.value(TWEET_ID))
        return NO_CONTENT

    async def _like(self, call: Call[None]) -> Answer:
        await self.like(call.user, call.value(TWEET_ID))
        return NO_CONTENT

    async def _unlike(self, call: Call[None]) -> Answer:
        await self.unlike(call.user, call.value(TWEET_ID))
        return NO_CONTENT

    async def _get(self, call: Call[None]) -> Answer:
        seen = await self.sight.one(call.value(TWEET_ID), call.viewer)
        return Answer(200, await self.renderer.one(seen, call.viewer))

    async def _thread(self, call: Call[None]) -> Answer:
        viewer = call.viewer
        found = await self.thread(call.value(TWEET_ID), viewer, call.value(LIMIT), call.value(AFTER_REPLY))
        visible = [one for one in found.ancestors if isinstance(one, Seen)]
        rendered = await self.renderer.page([*visible, found.tweet, *found.replies], viewer)
        above = iter(rendered[: len(visible)])
        tweet, *replies = rendered[len(visible) :]
        ancestors = [
            pages.hidden_tweet(one.tweet_id) if isinstance(one, Hidden) else next(above) for one in found.ancestors
        ]
        return pages.thread(ancestors, tweet, replies, found.after)

    async def _likes(self, call: Call[None]) -> Answer:
        return await self._users(call, await self.lists.likers(*_listed(call)))

    async def _retweets(self, call: Call[None]) -> Answer:
        return await self._users(call, await self.lists.retweeters(*_listed(call)))

    async def _quotes(self, call: Call[None]) -> Answer:
        page = await self.lists.quotes(call.value(TWEET_ID), call.viewer, call.value(LIMIT), call.value(BEFORE))
        return await self._tweets(call, page)

    async def _liked(self, call: Call[None]) -> Answer:
        page = await self.lists.liked(call.value(USER_ID), call.user, call.value(LIMIT), call.value(CURSOR))
        return await self._tweets(call, page)

    async def _users(self, call: Call[Any], page: ListPage[UserId]) -> Answer:
        profiles = await self.profiles.many(page.items, call.viewer)
        return pages.user_page(profiles, page.before, self.addresses)

    async def _tweets(self, call: Call[Any], page: ListPage[Seen]) -> Answer:
        rendered: Sequence[bytes] = await self.renderer.page(page.items, call.viewer)
        return pages.tweet_page(rendered, page.before, None)


def _listed(call: Call[Any]) -> tuple[TweetId, UserId | None, int, int | None]:
    return call.value(TWEET_ID), call.viewer, call.value(LIMIT), call.value(CURSOR)
