"""Reports to the operators, and what operators do with them.

edge.native.app -> Reports -> commands.report, queries.open_reports
"""

from dataclasses import dataclass

from roost.commands.report import CloseReport, FileReport
from roost.domain.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from roost.domain.ids import TweetId, UserId, parse_id
from roost.domain.report import Report
from roost.edge.native import pages, shapes
from roost.edge.native.endpoint import (
    CURSOR,
    LIMIT,
    NO_CONTENT,
    Answer,
    Call,
    Described,
    Endpoint,
    SignedIn,
    answer,
    id_in_path,
)
from roost.edge.times import rfc3339
from roost.queries.open_reports import OpenReports

REPORT_ID = id_in_path("reportId", "the report", int)


@dataclass(frozen=True, slots=True)
class Reports:
    file: FileReport
    close: CloseReport
    open: OpenReports

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                "/reports",
                self._file,
                "Report a tweet or a user to the operators",
                {202: Described("the operators will see it")},
                body=shapes.ReportBody,
                rate_limit="follow",
                refusals=(NotFound, Conflict),
            ),
            Endpoint(
                "GET",
                "/reports",
                self._list,
                "Read the open reports (operators)",
                {200: Described("a page of reports, newest first", shapes.ReportPage)},
                SignedIn.REQUIRED,
                (LIMIT, CURSOR),
                refusals=(Forbidden,),
            ),
            Endpoint(
                "POST",
                "/reports/{reportId}/close",
                self._close,
                "Close a report (operators)",
                {204: Described("closed")},
                parameters=(REPORT_ID,),
                refusals=(Forbidden, NotFound),
            ),
        ]

    async def _file(self, call: Call[shapes.ReportBody]) -> Answer:
        body = call.body
        if (body.tweet_id is None) is (body.user_id is None):
            detail = "one of tweet_id and user_id is required, not both"
            raise Invalid(detail, FieldError("tweet_id", detail), FieldError("user_id", detail))
        if body.tweet_id is not None:
            await self.file.tweet(call.user, TweetId(parse_id(body.tweet_id, "tweet_id")), body.reason)
        elif body.user_id is not None:
            await self.file.user(call.user, UserId(parse_id(body.user_id, "user_id")), body.reason)
        return Answer(202)

    async def _list(self, call: Call[None]) -> Answer:
        page = await self.open(call.user, call.value(LIMIT), call.value(CURSOR))
        reports = [_shape(report) for report in page.items]
        return answer(200, shapes.ReportPage(reports, pages.cursor_text(page.before)))

    async def _close(self, call: Call[None]) -> Answer:
        await self.close(call.user, call.value(REPORT_ID))
        return NO_CONTENT


def _shape(report: Report) -> shapes.ReportShape:
    return shapes.ReportShape(
        str(report.id),
        str(report.reporter),
        str(report.user_id),
        pages.cursor_text(report.tweet_id),
        report.reason,
        rfc3339(report.created_ms),
    )
