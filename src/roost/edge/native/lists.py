"""Lists of users: followers, followed, requests, blocks and mutes.

edge.native.app -> UserListReads -> queries.user_lists, queries.user_profile
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from roost.domain.errors import Forbidden, NotFound
from roost.domain.ids import UserId
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import CURSOR, LIMIT, USER_ID, Answer, Call, Described, Endpoint, SignedIn
from roost.edge.rendering import ContentAddresses
from roost.queries.user_lists import UserLists
from roost.queries.user_profile import UserProfiles
from roost.views.lists import ListPage

USERS = Described("a page of users", shapes.UserPage)

OfAnybody = Callable[[UserId, UserId | None, int, int | None], Awaitable[ListPage[UserId]]]
OfOneself = Callable[[UserId, int, int | None], Awaitable[ListPage[UserId]]]


@dataclass(frozen=True, slots=True)
class UserListReads:
    lists: UserLists
    profiles: UserProfiles
    addresses: ContentAddresses

    def endpoints(self) -> list[Endpoint]:
        lists = self.lists
        return [
            self._of_anybody("/user/{userId}/followers", lists.followers, "Who follows a user, newest first"),
            self._of_anybody("/user/{userId}/following", lists.following, "Whom a user follows, newest first"),
            self._of_oneself("/follow-requests", lists.requests, "Who waits to be let follow"),
            self._of_oneself("/blocks", lists.blocks, "Whom one blocks"),
            self._of_oneself("/mutes", lists.mutes, "Whom one mutes"),
        ]

    def _of_anybody(self, path: str, read: OfAnybody, summary: str) -> Endpoint:
        async def handle(call: Call[None]) -> Answer:
            page = await read(call.value(USER_ID), call.viewer, call.value(LIMIT), call.value(CURSOR))
            return await self._page(page, call.viewer)

        return Endpoint(
            "GET",
            path,
            handle,
            summary,
            {200: USERS},
            SignedIn.OPTIONAL,
            (USER_ID, LIMIT, CURSOR),
            refusals=(NotFound, Forbidden),
        )

    def _of_oneself(self, path: str, read: OfOneself, summary: str) -> Endpoint:
        async def handle(call: Call[None]) -> Answer:
            return await self._page(await read(call.user, call.value(LIMIT), call.value(CURSOR)), call.viewer)

        return Endpoint("GET", path, handle, summary, {200: USERS}, SignedIn.REQUIRED, (LIMIT, CURSOR))

    async def _page(self, page: ListPage[UserId], viewer: UserId | None) -> Answer:
        return pages.user_page(await self.profiles.many(page.items, viewer), page.before, self.addresses)
