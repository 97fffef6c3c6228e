"""Search tweets and users, and read the tweets of a hashtag.

edge.native.search -> Search -> TweetIndex, UserIndex (ids), Sight (visible)
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from roost.domain.errors import Invalid
from roost.domain.ids import TweetId, UserId
from roost.domain.search.grammar import parse_query
from roost.domain.search.people import parse_user_prefix
from roost.domain.search.words import tag_key
from roost.domain.tweet import Audience
from roost.domain.visibility import Place, may_see_user
from roost.ports.index import TweetIndex, UserIndex
from roost.views.lists import ListPage, Rows, fill_list
from roost.views.relations import RelationView
from roost.views.sight import Seen, Sight
from roost.views.users import UserView

USERS_SPARE = 20
"""Users asked for beyond the limit, in the place of those who may not be seen."""

ReadIds = Callable[[TweetId | None, int], Awaitable[Sequence[TweetId]]]


@dataclass(frozen=True, slots=True)
class Search:
    """Tweets are found newest first. Only public ones are: what has a smaller audience is in no search of anybody."""

    tweets: TweetIndex
    people: UserIndex
    users: UserView
    relations: RelationView
    sight: Sight

    async def __call__(self, text: str, viewer: UserId | None, limit: int, before: int | None) -> ListPage[Seen]:
        """Raises Invalid, naming `q`, for what is no query."""
        query = parse_query(text)
        resolved = query.resolve(await self.users.ids_by_name(query.names))
        return await self._fill(lambda cursor, size: self.tweets.search(resolved, cursor, size), viewer, limit, before)

    async def hashtag(self, tag: str, viewer: UserId | None, limit: int, before: int | None) -> ListPage[Seen]:
        """Raises Invalid, naming `tag`, for what no hashtag is spelled like."""
        key = tag_key(tag)
        if key is None:
            raise Invalid.field("tag", f"{tag[:40]!r} is no hashtag")
        return await self._fill(lambda cursor, size: self.tweets.hashtag(key, cursor, size), viewer, limit, before)

    async def find_users(self, text: str, viewer: UserId | None, limit: int) -> list[UserId]:
        """The exact name first, then by followers. Raises Invalid, naming `q`, for what no name can begin with."""
        ids = await self.people.search(parse_user_prefix(text), limit + USERS_SPARE)
        users = await self.users.get_many(ids)
        relations = await self.relations.of(viewer)

        def shown(id: UserId) -> bool:
            return id in users and may_see_user(users[id], relations) and id not in relations.blocks

        return [id for id in ids if shown(id)][:limit]

    async def _fill(self, read: ReadIds, viewer: UserId | None, limit: int, before: int | None) -> ListPage[Seen]:
        async def see(ids: Sequence[TweetId]) -> list[Seen | None]:
            found = await self.sight.of(ids, viewer, Place.LISTED)
            seen = {one.tweet.id: one for one in found if one.tweet.audience is Audience.PUBLIC}
            return [seen.get(id) for id in ids]

        rows: Rows[TweetId, Seen] = Rows(
            lambda cursor, size: read(None if cursor is None else TweetId(cursor), size), see, lambda tweet: tweet
        )
        return await fill_list(rows, before, limit)
