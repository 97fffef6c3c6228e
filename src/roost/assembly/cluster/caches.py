"""The caches of a process of a cluster: its own, over those that all share in Redis."""

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from roost.adapters.cache.layered import LayeredReadThrough
from roost.adapters.cache.redis_followers import RedisFollowers
from roost.adapters.cache.redis_values import RedisValues
from roost.adapters.redis_bytes import RedisBytes
from roost.adapters.redis_link import RedisLink
from roost.adapters.tweet_rows import decode_tweet, encode_tweet
from roost.assembly.settings import Settings
from roost.assembly.views import Caches
from roost.domain.ids import TweetId, UserId
from roost.domain.tweet import Tweet
from roost.domain.user import User
from roost.ports.cache import Load, TimelineCache
from roost.ports.clock import Clock, Randomness
from roost.views.relations import CachedFollowers

HOMES, TWEETS, USERS, FOLLOWERS = "home:", "tweet:", "user:", "followers:"
"""What keys in Redis begin with."""


class SharedCaches(Caches):
    """`is_current` says whether what others changed has come here. `homes`, if given, are those of all edges over
    those of this one; they are made with `near_homes`.
    """

    def __init__(
        self,
        settings: Settings,
        link: RedisLink,
        clock: Clock,
        randomness: Randomness,
        is_current: Callable[[], bool],
        homes: Callable[[TimelineCache], TimelineCache] = lambda near: near,
    ) -> None:
        super().__init__(settings, clock.monotonic_s)

        def kept(prefix: str) -> RedisBytes:
            return RedisBytes(link, prefix, randomness, clock.monotonic_s, settings.cache_ttl_s)

        tweets: RedisValues[TweetId, Tweet] = RedisValues(kept(TWEETS), encode_tweet, decode_tweet)
        users: RedisValues[UserId, User] = RedisValues(
            kept(USERS), msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(User).decode
        )
        self.tweets = LayeredReadThrough(self.tweets, is_current, tweets)
        self.users = LayeredReadThrough(self.users, is_current, users)
        self.followers = LayeredReadThrough(self.followers, is_current, _Followers(RedisFollowers(kept(FOLLOWERS))))
        self.contents = LayeredReadThrough(self.contents, is_current)
        self.sessions = LayeredReadThrough(self.sessions, is_current)
        self.relations = LayeredReadThrough(self.relations, is_current)
        self.homes = homes(self.near_homes)


class _Followers:
    """Followers of authors as this process keeps them, over the ids that are in Redis."""

    def __init__(self, shared: RedisFollowers) -> None:
        self._shared = shared

    async def get_many(
        self, keys: Collection[UserId], load: Load[UserId, CachedFollowers]
    ) -> Mapping[UserId, CachedFollowers]:
        async def ids_of(author: UserId) -> Sequence[UserId] | None:
            loaded = (await load([author]))[author]
            return [id for page in loaded.pages for id in page] if loaded.complete else None

        found = {}
        for author in keys:
            ids = await self._shared.of(author, ids_of)
            found[author] = CachedFollowers((), complete=False) if ids is None else CachedFollowers.of(ids)
        return found

    async def put_many(self, values: Mapping[UserId, CachedFollowers]) -> None:
        await self.forget_many(list(values))

    async def forget_many(self, keys: Collection[UserId]) -> None:
        for author in keys:
            await self._shared.forget(author)
