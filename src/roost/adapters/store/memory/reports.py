"""Reports to the operators in a dictionary."""

from collections.abc import Sequence
from dataclasses import replace

from roost.domain.ids import TweetId, UserId
from roost.domain.report import Report


class MemoryReportStore:
    def __init__(self) -> None:
        self._reports: dict[int, Report] = {}
        self._told: set[tuple[UserId, UserId, TweetId | None]] = set()

    async def add(self, report: Report) -> None:
        told = (report.reporter, report.user_id, report.tweet_id)
        if told not in self._told and report.id not in self._reports:
            self._told.add(told)
            self._reports[report.id] = report

    async def open(self, before: int | None, limit: int) -> Sequence[Report]:
        ids = [id for id, report in self._reports.items() if report.closed_by is None]
        newest_first = sorted((id for id in ids if before is None or id < before), reverse=True)
        return [self._reports[id] for id in newest_first[:limit]]

    async def close(self, id: int, operator: UserId) -> bool:
        report = self._reports.get(id)
        if report is None or report.closed_by is not None:
            return False
        self._reports[id] = replace(report, closed_by=operator)
        return True
