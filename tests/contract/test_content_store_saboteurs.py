"""The contracts of contents and reports must catch a wrong adapter: each saboteur breaks one promise."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from contract import test_content_store as contents
from contract import test_report_store as reports
from contract.account_store_adapters import Promise, is_caught, memory_stores
from roost.adapters.store.memory.contents import MemoryContentStore
from roost.adapters.store.memory.reports import MemoryReportStore
from roost.domain.content import Content, Digest
from roost.domain.ids import ContentId, UserId
from roost.domain.report import Report


class QuotaIsNotAsked(MemoryContentStore):
    async def add(self, content: Content, quota_bytes: int) -> None:
        await super().add(content, 1 << 62)


class QuotaIsShared(MemoryContentStore):
    async def add(self, content: Content, quota_bytes: int) -> None:
        others = sum(row.quota_bytes for row in self._rows.values() if row.owner != content.owner)
        await super().add(content, quota_bytes - others)


class QuotaCountsTheUploadTwice(MemoryContentStore):
    async def add(self, content: Content, quota_bytes: int) -> None:
        kept = self._rows.get(content.id)
        await super().add(content, quota_bytes - (kept.quota_bytes if kept else 0))


class CompletionForgetsTheTweet(MemoryContentStore):
    async def add(self, content: Content, quota_bytes: int) -> None:
        await super().add(content, quota_bytes)
        self._rows[content.id] = replace(self._rows[content.id], tweet_id=content.tweet_id)


class OlderVersionWins(MemoryContentStore):
    async def add(self, content: Content, quota_bytes: int) -> None:
        kept = self._rows.pop(content.id, None)
        await super().add(content if kept is None else replace(content, tweet_id=kept.tweet_id), quota_bytes)


class ProfilesAreForgotten(MemoryContentStore):
    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        rows = [each for each in self._rows.values() if each.tweet_id is None and each.created_ms < created_before_ms]
        return sorted(rows, key=lambda each: each.created_ms)[:limit]


class SweepsTheYoung(MemoryContentStore):
    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        return await super().abandoned(created_before_ms + 1, limit)


class SharedBytesGo(MemoryContentStore):
    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        return [
            blob.digest
            for id in ids
            if (row := self._rows.pop(id, None))
            for blob in (row.original, row.preview)
            if blob
        ]


class PreviewsStay(MemoryContentStore):
    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        previews = {row.preview.digest for row in self._rows.values() if row.preview}
        return [digest for digest in await super().remove(ids) if digest not in previews]


class ReadyIsUnfinished(MemoryContentStore):
    async def unfinished(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        rows = [each for each in self._rows.values() if each.created_ms < created_before_ms]
        return sorted(rows, key=lambda each: each.created_ms)[:limit]


class TakesFromTweets(MemoryContentStore):
    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self.remove([id for id in ids if not self._is_avatar(id)])


class TakesFromProfiles(MemoryContentStore):
    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self.remove([id for id in ids if id in self._rows and self._rows[id].tweet_id is None])


class PreviewsAreNotNamed(MemoryContentStore):
    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        return {row.original.digest for row in self._rows.values() if row.original}.intersection(digests)


class LaterReportReplaces(MemoryReportStore):
    async def add(self, report: Report) -> None:
        same = [
            id
            for id, each in self._reports.items()
            if (each.reporter, each.user_id, each.tweet_id) == (report.reporter, report.user_id, report.tweet_id)
        ]
        for id in same:
            del self._reports[id]
        self._reports[report.id] = report


class ReportsWithoutTweetRepeat(MemoryReportStore):
    async def add(self, report: Report) -> None:
        if report.tweet_id is None:
            self._reports[report.id] = report
        else:
            await super().add(report)


class OneReportAUser(MemoryReportStore):
    async def add(self, report: Report) -> None:
        if all(each.user_id != report.user_id for each in self._reports.values()):
            await super().add(report)


class ClosesTwice(MemoryReportStore):
    async def close(self, id: int, operator: UserId) -> bool:
        await super().close(id, operator)
        return id in self._reports


class OldestReportFirst(MemoryReportStore):
    async def open(self, before: int | None, limit: int) -> Sequence[Report]:
        return list(reversed(await super().open(before, limit)))


CONTENTS: list[tuple[type[MemoryContentStore], Promise]] = [
    (QuotaIsNotAsked, contents.test_uploads_at_once_do_not_pass_the_quota_together),
    (QuotaIsShared, contents.test_the_quota_may_be_filled_and_not_passed),
    (
        QuotaCountsTheUploadTwice,
        contents.test_the_quota_counts_the_bytes_of_a_completed_upload_in_place_of_the_reserved_ones,
    ),
    (CompletionForgetsTheTweet, contents.test_a_pending_row_becomes_a_ready_one_and_keeps_its_tweet),
    (OlderVersionWins, contents.test_a_pending_row_becomes_a_ready_one_and_keeps_its_tweet),
    (ProfilesAreForgotten, contents.test_what_is_old_and_in_no_tweet_and_no_profile_is_abandoned),
    (SweepsTheYoung, contents.test_what_is_old_and_in_no_tweet_and_no_profile_is_abandoned),
    (SharedBytesGo, contents.test_removing_answers_the_digests_that_nothing_names_any_more),
    (PreviewsStay, contents.test_bytes_that_are_another_contents_preview_stay),
    (ReadyIsUnfinished, contents.test_uploads_that_broke_off_are_found_and_ready_contents_are_not),
    (TakesFromTweets, contents.test_what_a_tweet_or_a_profile_has_is_not_removed_with_the_unclaimed),
    (TakesFromProfiles, contents.test_what_a_tweet_or_a_profile_has_is_not_removed_with_the_unclaimed),
    (PreviewsAreNotNamed, contents.test_digests_that_rows_name_are_told_from_those_that_none_does),
]
REPORTS: list[tuple[type[MemoryReportStore], Promise]] = [
    (LaterReportReplaces, reports.test_the_same_report_again_keeps_the_first),
    (LaterReportReplaces, reports.test_a_closed_report_is_not_opened_by_telling_it_again),
    (ReportsWithoutTweetRepeat, reports.test_the_same_report_again_keeps_the_first),
    (OneReportAUser, reports.test_another_reporter_user_or_tweet_is_another_report),
    (ClosesTwice, reports.test_a_report_is_closed_once),
    (OldestReportFirst, reports.test_open_reports_come_newest_first_page_by_page),
]


@pytest.mark.parametrize(("saboteur", "promise"), CONTENTS)
async def test_a_wrong_content_store_is_caught(saboteur: type[MemoryContentStore], promise: Promise) -> None:
    await is_caught(memory_stores(content_store=saboteur), promise)


@pytest.mark.parametrize(("saboteur", "promise"), REPORTS)
async def test_a_wrong_report_store_is_caught(saboteur: type[MemoryReportStore], promise: Promise) -> None:
    await is_caught(memory_stores(report_store=saboteur), promise)
