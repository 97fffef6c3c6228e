"""Contents in Cassandra: rows by owner, and those that wait for a tweet by the time of their creation.

commands/upload_content, TweetStore.add, AccountStore -> (here) -> adapters/store/cassandra/content_rows

A tweet or a profile claims a content before its own row is written. Where that row never came, the claim is void
after UNDER_WAY_MS_MAX, and the content is abandoned or may be claimed again.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from roost.adapters.store.cassandra.bodies import Bodies
from roost.adapters.store.cassandra.claims import UNDER_WAY_MS_MAX
from roost.adapters.store.cassandra.content_rows import ContentRows, Kept, OwnersPartition, Plan
from roost.adapters.store.cassandra.content_traces import ContentTraces, Waiting, digests_of
from roost.adapters.store.cassandra.outbox import CassandraOutbox
from roost.adapters.store.cassandra.session import CassandraSession, each_of
from roost.adapters.store.cassandra.spans import Spans
from roost.adapters.store.cassandra.user_rows import UserRows
from roost.domain.content import Content, Digest
from roost.domain.errors import Invalid, QuotaExceeded
from roost.domain.ids import ContentId, TweetId, UserId


class CassandraContentStore:
    def __init__(self, session: CassandraSession, spans: Spans, outbox: CassandraOutbox) -> None:
        self._now_ms = outbox.now_ms
        self._rows = ContentRows(session, outbox.now_ms)
        self._traces = ContentTraces(session, spans, outbox.now_ms)
        self._bodies = Bodies(session)
        self._users = UserRows(session, outbox)

    async def add(self, content: Content, quota_bytes: int) -> None:
        """A greater version of a kept row replaces it, its tweet apart: so a pending row becomes a ready one."""

        async def plan(seen: OwnersPartition) -> Plan:
            kept = seen.kept.get(content.id)
            others = seen.used_bytes - (0 if kept is None else kept.content.quota_bytes)
            if others + content.quota_bytes > quota_bytes:
                raise QuotaExceeded(
                    f"{others} bytes stored and {content.quota_bytes} more, at most {quota_bytes} allowed"
                )
            if kept is not None and kept.content.version >= content.version:
                return Plan(seen)
            # Before the row: what is found by its traces and is not there is passed over, what is there is found.
            await self._traces.leave(content)
            new = Kept(content) if kept is None else replace(kept, content=_in_place_of(kept.content, content))
            return Plan(seen, puts=[new])

        if set(await self._rows.owners([content.id])) <= {content.owner}:
            await self._rows.change(content.owner, [content.id], plan)

    async def get_many(self, ids: Collection[ContentId]) -> Mapping[ContentId, Content]:
        return {id: kept.content for id, kept in (await self._rows.get_many(ids)).items()}

    async def of_owner(self, owner: UserId, after: ContentId | None, limit: int) -> Sequence[Content]:
        return [kept.content for kept in await self._rows.of_owner(owner, after, limit)]

    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        """Looks at each content once after its tweet was posted, and at the pictures of profiles each time."""
        found: list[Content] = []
        async for waiting, kept in self._waiting(created_before_ms):
            if kept is not None and not await self._is_held(kept):
                found.append(kept.content)
                if len(found) == limit:
                    break
            elif kept is None or (kept.content.tweet_id is not None and await self._is_posted(kept)):
                await self._traces.forget_waiting(waiting)
        return found

    async def unfinished(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        found: list[Content] = []
        async for _, kept in self._waiting(created_before_ms):
            if kept is not None and not kept.content.ready and kept.content.tweet_id is None:
                found.append(kept.content)
                if len(found) == limit:
                    break
        return found

    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self._remove(ids, claimed_too=True)

    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self._remove(ids, claimed_too=False)

    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        """A crash while a row is dropped may leave its names: then its bytes stay, which does no harm but costs."""
        return await self._traces.named(digests)

    async def claim(self, owner: UserId, ids: Collection[ContentId], tweet_id: TweetId) -> None:
        """Put all of them in the tweet, or raise Invalid and put none: one is missing, another's, or elsewhere."""

        async def plan(seen: OwnersPartition) -> Plan:
            plan = Plan(seen)
            for id in dict.fromkeys(ids):
                kept = seen.kept.get(id)
                if kept is None or not await self._is_free(kept, tweet_id):
                    raise Invalid.field("content_ids", f"{id[:40]} is no content of yours that is in no tweet yet")
                taken = replace(kept.content, tweet_id=tweet_id)
                plan.puts.append(replace(kept, content=taken, claimed_ms=self._now_ms()))
            return plan

        await self._rows.change(owner, [id for id in ids if id], plan)

    async def show(self, picture: ContentId, user: UserId) -> None:
        """A profile is about to show it: nothing where there is no such content."""
        await self._set_profile(picture, lambda kept: replace(kept, profile=user, claimed_ms=self._now_ms()))

    async def hide(self, picture: ContentId, user: UserId) -> None:
        """The profile shows it no more."""
        await self._set_profile(picture, lambda kept: replace(kept, profile=None) if kept.profile == user else kept)

    async def _set_profile(self, picture: ContentId, become: Callable[[Kept], Kept]) -> None:
        async def plan(seen: OwnersPartition) -> Plan:
            kept = seen.kept.get(picture)
            changed = None if kept is None else become(kept)
            return Plan(seen) if changed is None or changed == kept else Plan(seen, puts=[changed])

        for owner in await self._rows.owners([picture]):
            await self._rows.change(owner, [picture], plan)

    async def _remove(self, ids: Collection[ContentId], *, claimed_too: bool) -> Sequence[str]:
        owners = await self._rows.owners(ids)
        gone: dict[ContentId, Content] = {}

        async def plan(seen: OwnersPartition) -> Plan:
            drops = [kept for kept in seen.kept.values() if claimed_too or not await self._is_held(kept)]
            return Plan(seen, drops=drops)

        async def drop(owner: UserId) -> None:
            done = await self._rows.change(owner, owners[owner], plan)
            for kept in done.drops:
                gone[kept.content.id] = kept.content
                await self._traces.forget(kept.content)

        await each_of(drop, list(owners))
        digests = dict.fromkeys(digest for id in ids if id in gone for digest in digests_of(gone[id]))
        named = set(await self._traces.named(digests))
        return [digest for digest in digests if digest not in named]

    async def _waiting(self, created_before_ms: int) -> AsyncIterator[tuple[Waiting, Kept | None]]:
        """Those that no tweet was known to have, oldest first, each with its row if there is one."""
        async for some in self._traces.waiting(created_before_ms):
            rows = await self._rows.get_many([ContentId(each.content_id) for each in some])
            for each in some:
                yield each, rows.get(ContentId(each.content_id))

    async def _is_free(self, kept: Kept, tweet_id: TweetId) -> bool:
        """Whether this tweet may have it."""
        if kept.content.tweet_id in {None, tweet_id}:
            return True
        return not self._is_fresh(kept) and not await self._is_posted(kept)

    async def _is_held(self, kept: Kept) -> bool:
        """Whether a tweet or a profile has it, or is about to."""
        if kept.content.tweet_id is None and kept.profile is None:
            return False
        if self._is_fresh(kept) or (kept.content.tweet_id is not None and await self._is_posted(kept)):
            return True
        return kept.profile is not None and await self._users.shows(kept.profile, kept.content.id)

    def _is_fresh(self, kept: Kept) -> bool:
        return kept.claimed_ms is not None and self._now_ms() - kept.claimed_ms <= UNDER_WAY_MS_MAX

    async def _is_posted(self, kept: Kept) -> bool:
        return kept.content.tweet_id is not None and await self._bodies.is_there(kept.content.tweet_id) is not None


def _in_place_of(kept: Content, new: Content) -> Content:
    """The new one, in the tweet that the kept one is in."""
    return replace(new, tweet_id=kept.tweet_id)
