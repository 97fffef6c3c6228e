"""What a viewer gets to see of some tweets: bodies, authors and nested tweets loaded, the rules applied.

Every path on which a tweet leaves the server goes through `Sight.of`: timelines, threads, search, lists, push.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from roost.domain.errors import NotFound
from roost.domain.ids import TweetId, UserId
from roost.domain.relation import Relations
from roost.domain.tweet import Tweet
from roost.domain.user import User
from roost.domain.visibility import Place, home_includes, may_see, may_see_nested
from roost.views.relations import RelationView
from roost.views.tweets import TweetView
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class Seen:
    """A tweet that the viewer may see. `nested` is the original of a retweet or quote, where he may see it too."""

    tweet: Tweet
    author: User
    nested: Tweet | None = None
    nested_author: User | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Some tweets, those nested in them, and the authors of both."""

    tweets: Mapping[TweetId, Tweet]
    nested: Mapping[TweetId, Tweet]
    users: Mapping[UserId, User]

    def seen_by(self, id: TweetId, viewer: Relations, place: Place) -> Seen | None:
        """The tweet as this viewer sees it there, None where he does not."""
        tweet = self.tweets.get(id)
        return None if tweet is None else see(tweet, self.nested, self.users, viewer, place)


@dataclass(frozen=True, slots=True)
class Sight:
    tweets: TweetView
    users: UserView
    relations: RelationView

    async def of(self, ids: Sequence[TweetId], viewer: UserId | None, place: Place) -> list[Seen]:
        """The visible among `ids`, in their order."""
        loaded = await self.load(ids)
        relations = await self.relations.of(viewer)  # last: what changed while the rest was loaded counts
        seen = (loaded.seen_by(id, relations, place) for id in ids)
        return [one for one in seen if one is not None]

    async def load(self, ids: Collection[TweetId]) -> "Loaded":
        """All that must be known of these tweets to tell what any viewer sees of them."""
        tweets = await self.tweets.get_many(ids)
        nested = await self._nested(tweets.values())
        return Loaded(tweets, nested, await self.users.get_many(_authors(tweets.values(), nested.values())))

    async def one(self, id: TweetId, viewer: UserId | None) -> Seen:
        """One tweet by its id. Raises NotFound alike for what is absent, deleted or not to be seen."""
        seen = await self.of([id], viewer, Place.DIRECT)
        if not seen:
            raise NotFound(f"no tweet {id}")
        return seen[0]

    async def _nested(self, tweets: Iterable[Tweet]) -> Mapping[TweetId, Tweet]:
        ids = {tweet.nested for tweet in tweets} - {None}
        return await self.tweets.get_many([id for id in ids if id is not None]) if ids else {}


def _authors(*groups: Collection[Tweet]) -> set[UserId]:
    return {tweet.author for group in groups for tweet in group}


def see(
    tweet: Tweet,
    nested: Mapping[TweetId, Tweet],
    users: Mapping[UserId, User],
    viewer: Relations,
    place: Place,
) -> Seen | None:
    """The tweet as this viewer sees it there, None where he does not."""
    author = users.get(tweet.author)
    if author is None or not may_see(tweet, author, viewer, place):
        return None
    if place is Place.HOME and not home_includes(tweet, viewer):
        return None
    if tweet.nested is None:
        return Seen(tweet, author)
    inner = nested.get(tweet.nested)
    inner_author = None if inner is None else users.get(inner.author)
    if inner is not None and inner_author is not None and may_see_nested(tweet, inner, inner_author, viewer, place):
        return Seen(tweet, author, inner, inner_author)
    if tweet.quote_of is not None:
        return Seen(tweet, author)
    # A retweet of what may not be seen is left out, but one's own stays as long as the original and its author exist.
    exists = inner is not None and not inner.deleted and inner_author is not None and not inner_author.deleted
    return Seen(tweet, author) if exists and tweet.author == viewer.viewer else None
