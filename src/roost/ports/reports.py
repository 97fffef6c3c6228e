"""The system of record: reports to the operators."""

from collections.abc import Sequence
from typing import Protocol

from roost.domain.ids import UserId
from roost.domain.report import Report


class ReportStore(Protocol):
    async def add(self, report: Report) -> None:
        """Keep it. The same reporter, user and tweet again keeps the first."""

    async def open(self, before: int | None, limit: int) -> Sequence[Report]:
        """Open reports, newest first, ids below `before`."""
        ...

    async def close(self, id: int, operator: UserId) -> bool:
        """Whether there was an open one."""
        ...
