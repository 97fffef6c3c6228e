"""Everything that users read afterwards, compared with the model page by page."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from roost_loadgen.client import Account
from roost_loadgen.parallel import in_parallel
from scenarios.main_job.model import Model
from scenarios.main_job.queries import Query
from scenarios.main_job.reading import PAGE, Page, Reader, home_path, user_path
from scenarios.main_job.size import Size

READERS_AT_ONCE = 8
# The interface promises 1 s, counts 2 s; a busy machine is given more, what never comes right is found.
SETTLED_S_MAX = 15.0
POLL_S = 0.1
COMPLAINTS_MAX = 20

Check = Callable[[], Awaitable[str | None]]


class Checks:
    """All comparisons of one run."""

    def __init__(self, reader: Reader, model: Model, size: Size, *, settled_s_max: float = SETTLED_S_MAX) -> None:
        self._reader = reader
        self._model = model
        self._size = size
        self._settled_s = time.monotonic() + settled_s_max

    async def complaints_of_timelines(self) -> list[str]:
        """Of every user's home and user timeline, the newest; of some, all, and upwards too."""
        return await self._complaints(self._timeline_checks())

    async def complaints_of_searches(self, queries: list[Query]) -> list[str]:
        return await self._complaints(self._search_checks(queries))

    async def complaints_of_counts(self) -> list[str]:
        users = range(len(self._reader.accounts))
        return await self._complaints(lambda user=user: self.complaint_of_counts(user) for user in users)  # type: ignore[misc]  # mypy does not infer a lambda's default

    async def _complaints(self, checks: Iterator[Check]) -> list[str]:
        complaints: list[str] = []

        async def check(one: Check) -> None:
            if len(complaints) < COMPLAINTS_MAX and (complaint := await self._settled(one)):
                complaints.append(complaint)

        await in_parallel(checks, check, workers=READERS_AT_ONCE)
        return complaints

    async def _settled(self, check: Check) -> str | None:

        while (complaint := await check()) and time.monotonic() < self._settled_s:  # noqa: ASYNC110
            await asyncio.sleep(POLL_S)
        return complaint

    def _timeline_checks(self) -> Iterator[Check]:
        accounts = self._reader.accounts
        step = max(1, len(accounts) // self._size.to_the_end)
        for user, account in enumerate(accounts):
            depth = None if user % step == 0 else self._size.newest_max
            upwards = user % step == 0 and user // step < self._size.upwards
            home, own = self._model.home_timeline(user), self._model.user_timeline(user)
            stranger = accounts[-1 - user]
            yield self._pages(home_path(account), home, account, depth)
            yield self._pages(user_path(account), own, stranger, depth)
            if upwards:
                yield self._upwards(home_path(account), home, account)
                yield self._upwards(user_path(account), own, stranger)

    def _search_checks(self, queries: list[Query]) -> Iterator[Check]:
        for index, query in enumerate(queries):
            anybody = self._reader.accounts[index % len(self._reader.accounts)]
            yield self._pages(query.path, self._model.scan(query.matches), anybody, None)

    def _pages(self, path: str, expected: list[int], reader: Account, depth: int | None) -> Check:
        return lambda: self.complaint_of_pages(path, expected, reader=reader, newest_max=depth)

    def _upwards(self, path: str, expected: list[int], reader: Account) -> Check:
        return lambda: self.complaint_upwards(path, expected, reader=reader)

    async def complaint_of_pages(
        self, path: str, expected: list[int], *, reader: Account, newest_max: int | None
    ) -> str | None:
        """What is wrong with the pages of `path`, newest first, to `newest_max` or to the end."""
        seen = 0
        before: str | None = None
        while newest_max is None or seen < newest_max:
            cursor = "" if before is None else f"&before={before}"
            page = await self._reader.page(path, cursor, reader)
            due = expected[seen : seen + PAGE]
            if wrong := self._difference(page, due):
                return f"{path} as {reader.username}, after {seen}: {wrong}"
            seen += len(due)
            before = page.before
            if (before is None) != (seen == len(expected)):
                return f"{path} as {reader.username}: {seen} of {len(expected)}, then before is {before}"
            if before is None:
                return None
        return None

    async def complaint_upwards(self, path: str, expected: list[int], *, reader: Account) -> str | None:
        """What is wrong with the pages from the oldest tweet up."""
        left = expected[:-1]
        after = str(expected[-1]) if expected else ""
        while left:
            page = await self._reader.page(path, f"&after={after}", reader)
            if wrong := self._difference(page, left[-PAGE:]):
                return f"{path} upwards from {after} as {reader.username}: {wrong}"
            del left[-PAGE:]
            after = page.tweets[0].tweet_id
        return None

    async def complaint_of_counts(self, user: int) -> str | None:
        """What is wrong with a user's counts, as he himself reads them."""
        account = self._reader.accounts[user]
        profile = await self._reader.profile(user)
        counted = (profile.counts.tweets, profile.counts.followers, profile.counts.following)
        if profile.username != account.username:
            return f"user {account.user_id} is {profile.username}, made as {account.username}"
        expected = self._model.counts(user)
        return None if counted == expected else f"{account.username} counts {counted}, must be {expected}"

    def _difference(self, page: Page, due: list[int]) -> str | None:
        got = [int(tweet.tweet_id) for tweet in page.tweets]
        if got != due:
            missing, extra = sorted(set(due) - set(got)), sorted(set(got) - set(due))
            return f"{len(got)} tweets, must be {len(due)}: missing {missing[:3]}, too many {extra[:3]}"
        for tweet in page.tweets:
            id = int(tweet.tweet_id)
            if tweet.message != self._model.message_of[id]:
                return f"{id} says {tweet.message!r}, posted was {self._model.message_of[id]!r}"
            if self._reader.rank_of.get(tweet.user.user_id) != self._model.author_of[id]:
                return f"{id} is by {tweet.user.user_id}, posted by another"
        return None
