"""The tests of changes amid other things must catch a wrong node: each saboteur is named for what it gets wrong."""

from collections.abc import Sequence

import pytest

from model.doing import Act
from model.reading import check_home_amid
from model.small_node import TTL_S, SmallNode
from model.town import Town
from roost.adapters.cache.memory import MemoryReadThrough
from roost.adapters.cache.memory_timelines import MemoryTimelines
from roost.assembly.engines import Stores
from roost.domain.events import CelebrityChanged, Event, RelationChanged, TweetDeleted, TweetPosted
from roost.domain.ids import TweetId, UserId
from roost.domain.relation import Relations
from roost.domain.timeline import IdList
from roost.views.celebrities import CelebrityView
from roost.views.timelines import Segment
from unit.test_changes_amid import ANA, BEN, CHANGES, OUTER, a_town, do_all, every_moment


class _RebuildsAreNeverVoid(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        _, pushed = self._warming.get(owner, (0, set()))
        self._warming[owner] = (ticket, pushed)
        return await super().finish(owner, ticket, ids, floor)


class _PushesDuringARebuildAreLost(MemoryTimelines):
    async def finish(self, owner: UserId, ticket: int, ids: Sequence[TweetId], floor: int) -> IdList | None:
        if owner in self._warming:
            self._warming[owner][1].clear()
        return await super().finish(owner, ticket, ids, floor)


class _LateFillsAreKept(MemoryReadThrough[object, object]):
    def _void_loads(self, key: object) -> None:
        pass


class _MergesNobody(CelebrityView):
    def merged_for(self, viewer: Relations) -> Sequence[UserId]:
        return ()


class RebuildsAreNeverVoid(SmallNode):
    timelines = _RebuildsAreNeverVoid


class PushesDuringARebuildAreLost(SmallNode):
    timelines = _PushesDuringARebuildAreLost


class LateFillsAreKept(SmallNode):
    values = _LateFillsAreKept


class CelebritiesAreNotMerged(SmallNode):
    celebrity_view = _MergesNobody


class HomesStayWarmAfterAFollow(SmallNode):
    async def _refresh(self, event: Event) -> None:
        if isinstance(event, RelationChanged):
            for user in (event.subject, event.object):
                await self.relations.cache.forget(user)
            await self.followers.cache.forget(event.object)
        else:
            await super()._refresh(event)


class StretchesStayAfterAFollow(SmallNode):
    async def _refresh(self, event: Event) -> None:
        owners = list(self.homes.warm_owners())
        kept = {owner: self.home_segments.peek(owner) for owner in owners}
        await super()._refresh(event)
        for owner, segment in kept.items():
            if segment is not None:
                await self.home_segments.put(owner, _AlwaysTrue(segment))


class _AlwaysTrue(Segment):
    """A stretch that does not look at the state of its timeline."""

    def __init__(self, of: Segment) -> None:
        super().__init__(of.before, of.ids, of.complete, of.state)

    def covers(self, before: TweetId, limit: int, lists: Sequence[IdList]) -> bool:
        own = [IdList(1) for _ in self.state]
        return Segment(self.before, self.ids, self.complete, tuple(one.mark for one in own)).covers(before, limit, own)


class FollowersAreNeverReadAgain(SmallNode):
    async def _refresh(self, event: Event) -> None:
        kept = {user: self.followers.cache.peek(UserId(user)) for user in _named_in(event)}
        await super()._refresh(event)
        for user, followers in kept.items():
            if followers is not None:
                await self.followers.cache.put(UserId(user), followers)


class DeletionsAreNotHeard(SmallNode):
    async def _refresh(self, event: Event) -> None:
        if not isinstance(event, TweetDeleted):
            await super()._refresh(event)


class OnlyWhatWasToBePushedIsPushed(SmallNode):
    """Whether the author is a celebrity by now has no say."""

    def _build_reactions(self, stores: Stores) -> None:
        super()._build_reactions(stores)
        fan_out = self.fan_out

        async def strict(event: Event) -> None:
            if not isinstance(event, TweetPosted) or event.fan_out:
                await fan_out(event)

        self.fan_out = strict  # type: ignore[assignment]  # it is called, no more


class DismissalsCoolNoHome(SmallNode):
    async def _refresh(self, event: Event) -> None:
        if isinstance(event, CelebrityChanged):
            await self.celebrities.load()
        else:
            await super()._refresh(event)

    def _build_reactions(self, stores: Stores) -> None:
        super()._build_reactions(stores)
        object.__setattr__(self.celebrate, "homes", MemoryTimelines(1, 1, TTL_S, self.ground.clock.monotonic_s))


def _named_in(event: Event) -> set[int]:
    return {event.object} if isinstance(event, RelationChanged) else set()


READ, SETTLED = "read", "settled"


@pytest.mark.parametrize(
    ("saboteur", "outer", "change"),
    [
        (RebuildsAreNeverVoid, READ, "a follow"),
        (PushesDuringARebuildAreLost, READ, "a tweet that is delivered"),
        (LateFillsAreKept, READ, "an unfollow"),
        (HomesStayWarmAfterAFollow, READ, "a follow"),
        (StretchesStayAfterAFollow, "follow", "a like"),
        (FollowersAreNeverReadAgain, "follow", "a like"),
        (DeletionsAreNotHeard, SETTLED, "a deletion"),
        (OnlyWhatWasToBePushedIsPushed, "tweet", "a dismissal"),
        (CelebritiesAreNotMerged, "tweet", "a like"),
        (DismissalsCoolNoHome, "tweet", "a dismissal"),
    ],
)
async def test_a_wrong_node_is_caught(saboteur: type[SmallNode], outer: str, change: str) -> None:
    inner = CHANGES[change]

    async def attempt(town: Town, moment: int) -> None:
        if outer == READ:
            await check_home_amid(town, town.users[ANA], moment, inner)
        elif outer == SETTLED:
            with town.node.interleaving.after(moment, lambda: do_all(town, inner)):
                await town.node.settled_homes.settle(town.users[ANA])
        else:
            await town.act_amid(OUTER[outer], moment, inner)

    celebrity = "a dismissal" in change or saboteur is CelebritiesAreNotMerged
    cold = outer in (READ, SETTLED)
    with pytest.raises(AssertionError):
        await every_moment(lambda: a_town(celebrity=celebrity, cold=cold, node=saboteur), attempt)


async def test_a_node_without_a_saboteur_passes() -> None:
    async def attempt(town: Town, moment: int) -> None:
        await town.act_amid(Act("tweet", BEN), moment, CHANGES["a dismissal"])

    assert await every_moment(lambda: a_town(celebrity=True, cold=False), attempt) > 0
