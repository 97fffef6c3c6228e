"""Reports to the operators in Cassandra, by month; the open ones are in a list of their own."""

from collections.abc import Sequence

from roost.adapters.store.cassandra.claims import ClaimKind, Claims
from roost.adapters.store.cassandra.cql import Cql
from roost.adapters.store.cassandra.merging import Stretch, foremost, through
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession, Row, each_of
from roost.adapters.store.cassandra.spans import Spans, month_of
from roost.domain.ids import TweetId, UserId
from roost.domain.report import Report

LIST = "open_reports"

_PUT = Cql(
    "INSERT INTO reports (month, report_id, reporter, user_id, tweet_id, reason, created_ms, open, closed_by)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS"
)
_ONE = Cql(
    "SELECT report_id, reporter, user_id, tweet_id, reason, created_ms, open FROM reports"
    " WHERE month = ? AND report_id = ?"
)
_CLOSE = Cql("UPDATE reports SET open = false, closed_by = ? WHERE month = ? AND report_id = ? IF open = true")
_NOTE_OPEN = Cql("INSERT INTO open_reports (month, report_id) VALUES (?, ?)")
_FORGET_OPEN = Cql("DELETE FROM open_reports WHERE month = ? AND report_id = ?")
_OPEN = Cql("SELECT report_id FROM open_reports WHERE month = ? AND report_id > ? AND report_id < ? LIMIT ?")


class CassandraReportStore:
    def __init__(self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox) -> None:
        self._session = session
        self._spans = spans
        self._claims = Claims(session, outbox.now_ms)

    async def add(self, report: Report) -> None:
        said = f"{report.reporter}:{report.user_id}:{report.tweet_id or 0}"
        if await self._claims.claim(ClaimKind.REPORT, said, report.id, self._is_kept) != report.id:
            return
        month, is_open = month_of(report.id), report.closed_by is None
        # The list first: an entry without a report is passed over, a report without an entry would be lost.
        if is_open:
            await self._spans.write([_NOTE_OPEN(month, report.id)], [(LIST, 0, month)])
        body = (report.reporter, report.user_id, report.tweet_id, report.reason, report.created_ms)
        await self._session.decide([_PUT(month, report.id, *body, is_open, report.closed_by)])

    async def open(self, before: int | None, limit: int) -> Sequence[Report]:
        months = through(await self._spans.of(LIST, 0), month_of, self._open_in)
        found: list[Report] = []
        stretch = Stretch.below(before)
        while len(found) < limit:
            rows = await foremost([months], stretch, limit)
            kept = await each_of(lambda row: self._session.row(_ONE, month_of(row[0]), row[0]), rows)
            found += [_report(row) for row in kept if row is not None and row[-1]]
            if len(rows) < limit:
                break
            stretch = stretch.beyond(rows[-1][0])
        return found[:limit]

    async def close(self, id: int, operator: UserId) -> bool:
        """Where the outcome of the decision is unknown it may say no although it was closed right now."""
        decision = await self._session.decide([_CLOSE(operator, month_of(id), id)])
        if decision.applied or decision.kept.get("open") is False:
            await self._session.write(_FORGET_OPEN, month_of(id), id)
        return decision.applied

    async def _is_kept(self, id: int) -> bool | None:
        return None if await self._session.row(_ONE, month_of(id), id) is None else True

    async def _open_in(self, month: int, stretch: Stretch, size: int) -> Sequence[Row]:
        return await self._session.rows(_OPEN, month, stretch.after, stretch.before, size)


def _report(row: Row) -> Report:
    id, reporter, user_id, tweet_id, reason, created_ms, _ = row
    tweet = None if tweet_id is None else TweetId(tweet_id)
    return Report(id, UserId(reporter), UserId(user_id), tweet, reason, created_ms)
