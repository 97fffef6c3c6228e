"""Report a tweet or a user to the operators, and close a report.

edge.native.reports -> here -> ReportStore
"""

from dataclasses import dataclass

from roost.domain.errors import Conflict, Forbidden, Invalid, NotFound
from roost.domain.ids import TweetId, UserId
from roost.domain.report import REASON_LENGTH_MAX, Report
from roost.domain.visibility import may_see_user
from roost.ports.clock import Clock
from roost.ports.ids import IdSource
from roost.ports.reports import ReportStore
from roost.views.sight import Sight
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class FileReport:
    store: ReportStore
    ids: IdSource
    clock: Clock
    sight: Sight

    async def tweet(self, reporter: UserId, id: TweetId, reason: str) -> None:
        """Reporting again changes nothing. Raises NotFound for what may not be seen, Conflict for one's own."""
        seen = await self.sight.one(id, reporter)
        await self._file(reporter, seen.author.id, id, reason)

    async def user(self, reporter: UserId, id: UserId, reason: str) -> None:
        """Likewise, for a user as a whole."""
        user = await self.sight.users.get(id)
        if user is None or not may_see_user(user, await self.sight.relations.of(reporter)):
            raise NotFound(f"no user {id}")
        await self._file(reporter, id, None, reason)

    async def _file(self, reporter: UserId, user: UserId, tweet: TweetId | None, reason: str) -> None:
        if user == reporter:
            raise Conflict("you cannot report yourself")
        text = reason.strip()
        if not 1 <= len(text) <= REASON_LENGTH_MAX:
            raise Invalid.field("reason", f"{len(text)} characters, 1 to {REASON_LENGTH_MAX} allowed")
        report = Report(self.ids.next_version(), reporter, user, tweet, text, self.clock.now_ms())
        await self.store.add(report)


@dataclass(frozen=True, slots=True)
class CloseReport:
    store: ReportStore
    users: UserView

    async def __call__(self, closer: UserId, id: int) -> None:
        """Raises Forbidden for anybody but an operator, NotFound where no report of that id is open."""
        user = await self.users.get(closer)
        if user is None or not user.operator:
            raise Forbidden("reports are for operators")
        if not await self.store.close(id, closer):
            raise NotFound(f"no open report {id}")
