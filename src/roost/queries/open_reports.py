"""Read the open reports: operators only.

edge.native.reports -> OpenReports -> ReportStore
"""

from dataclasses import dataclass

from roost.domain.errors import Forbidden
from roost.domain.ids import UserId
from roost.domain.report import Report
from roost.ports.reports import ReportStore
from roost.views.lists import ListPage
from roost.views.users import UserView


@dataclass(frozen=True, slots=True)
class OpenReports:
    store: ReportStore
    users: UserView

    async def __call__(self, reader: UserId, limit: int, before: int | None) -> ListPage[Report]:
        """Newest first. Raises Forbidden for anybody but an operator."""
        user = await self.users.get(reader)
        if user is None or not user.operator:
            raise Forbidden("reports are for operators")
        reports = await self.store.open(before, limit + 1)
        return ListPage(reports[:limit], reports[limit - 1].id if len(reports) > limit else None)
