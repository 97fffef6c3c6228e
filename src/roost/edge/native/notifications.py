"""Notifications: what others did to the reader.

edge.native.app -> NotificationReads -> queries.notifications -> rendering
"""

from collections.abc import Sequence
from dataclasses import dataclass

from roost.domain.ids import UserId
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import CURSOR, LIMIT, Answer, Call, Described, Endpoint, SignedIn
from roost.edge.rendering import ContentAddresses, TweetRenderer
from roost.queries.notifications import Notifications, SeenNotification


@dataclass(frozen=True, slots=True)
class NotificationRenderer:
    """Notifications as JSON, for pages and for sockets."""

    tweets: TweetRenderer
    addresses: ContentAddresses

    async def page(self, notifications: Sequence[SeenNotification], user: UserId) -> list[bytes]:
        tweets = [one.tweet for one in notifications if one.tweet is not None]
        rendered = iter(await self.tweets.page(tweets, user))
        return [
            pages.notification_json(one, None if one.tweet is None else next(rendered), self.addresses)
            for one in notifications
        ]

    async def one(self, notification: SeenNotification, user: UserId) -> bytes:
        return (await self.page([notification], user))[0]


@dataclass(frozen=True, slots=True)
class NotificationReads:
    notifications: Notifications
    renderer: NotificationRenderer

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                "/notifications",
                self._read,
                "Read one's notifications, newest first",
                {200: Described("a page of notifications", shapes.NotificationPage)},
                SignedIn.REQUIRED,
                (LIMIT, CURSOR),
            )
        ]

    async def _read(self, call: Call[None]) -> Answer:
        page = await self.notifications(call.user, call.value(LIMIT), call.value(CURSOR))
        return pages.notification_page(await self.renderer.page(page.items, call.user), page.before)
