"""Whatever is changed at whichever moment of whatever else: afterwards all is right.

Every pair of these acts is tried at every moment: before and after each call of a store that the outer one makes.
"""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from model.doing import Act
from model.reading import check_home_amid, check_home_page, check_newest, check_warm_homes
from model.small_node import SmallNode
from model.small_stores import in_memory
from model.town import Town
from roost.domain.ids import TweetId
from roost.domain.timeline import Page

MOMENTS_MAX = 200
ANA, BEN, CEM, DEE, EVE = range(5)

FOLLOWS = [(ANA, BEN), (ANA, CEM), (BEN, ANA), (DEE, BEN), (DEE, CEM), (CEM, BEN)]
POSTS = [
    *(Act("tweet", EVE) for _ in range(2)),
    Act("tweet", BEN),
    Act("tweet", CEM, mention=ANA),
    Act("reply", BEN, 0),
    Act("retweet", CEM, 2),
    Act("quote", BEN, 2),
    Act("tweet", ANA),
    *(Act("tweet", CEM) for _ in range(6)),  # so that homes of 8 have a floor
    Act("tweet", BEN),
    Act("tweet", EVE),
]

DEEP = 5
"""A tweet below the floor of homes, from which a reader may have gone on."""

CHANGES: dict[str, list[Act]] = {
    "a follow": [Act("follow", ANA, EVE)],
    "a request": [Act("follow", ANA, DEE)],
    "a follow of the author": [Act("follow", ANA, BEN)],
    "an unfollow": [Act("unfollow", ANA, BEN)],
    "a block": [Act("block", ANA, BEN)],
    "a block by the author": [Act("block", BEN, ANA)],
    "a block by who is not followed": [Act("block", EVE, ANA)],
    "a mute": [Act("mute", ANA, CEM)],
    "protection": [Act("protect", BEN)],
    "protection lifted": [Act("unprotect", DEE)],
    "a tweet": [Act("tweet", BEN)],
    "a tweet that is delivered": [Act("tweet", BEN), Act("deliver", 0)],
    "a retweet": [Act("retweet", CEM, 0)],
    "a burst": [Act("burst", BEN)],
    "a burst, and reads": [Act("burst", BEN), Act("read_homes", 0)],
    "a deletion": [Act("delete", BEN, 1)],
    "a deletion of the newest": [Act("delete", BEN, 0)],
    "a deletion of what is shared": [Act("delete", BEN, 3)],
    "a like": [Act("like", ANA, 1)],
    "the author's end": [Act("delete_user", BEN)],
    "a promotion": [Act("promote", BEN)],
    "a promotion, and a tweet": [Act("promote", BEN), Act("tweet", BEN), Act("read_homes", 0)],
    "a dismissal": [Act("dismiss", BEN), Act("read_homes", 0)],
    "a dismissal and a promotion": [Act("dismiss", BEN), Act("read_homes", 0), Act("promote", BEN)],
    "a loss of all caches": [Act("forget", 0)],
}
OUTER: dict[str, Act] = {
    "tweet": Act("tweet", BEN),
    "retweet": Act("retweet", BEN, 2),
    "delete": Act("delete", BEN, 1),
    "like": Act("like", ANA, 1),
    "follow": Act("follow", ANA, EVE),
    "request": Act("follow", ANA, DEE),
    "unfollow": Act("unfollow", ANA, BEN),
    "block": Act("block", BEN, ANA),
    "protect": Act("protect", BEN),
    "unprotect": Act("unprotect", DEE),
    "promote": Act("promote", BEN),
    "dismiss": Act("dismiss", BEN),
}
READS = {name: acts for name, acts in CHANGES.items() if Act("read_homes", 0) not in acts}
"""Whoever reads cannot wait for himself."""


async def a_town(*, celebrity: bool, cold: bool, node: type[SmallNode] = SmallNode) -> Town:
    """Ana, Dee and Cem read Ben; all is told and warm, unless cold. Dee is protected, and nobody follows Eve."""
    town = await Town(in_memory(), node=node).open()
    if celebrity:
        await town.act(Act("promote", BEN))
    await town.act(Act("protect", DEE))
    for act in [*(Act("follow", who, whom) for who, whom in FOLLOWS), *POSTS]:
        assert not isinstance(await town.act(act), str)
    await town.act(Act("follow", CEM, DEE))  # waits
    await town.tell_all()
    await town.act(Act("read_homes", 0))
    await town.act(Act("tweet", BEN))
    await town.tell_all()
    if cold:
        await town.node.forget_all()
    return town


async def every_moment(start: Callable[[], Awaitable[Town]], attempt: Callable[[Town, int], Awaitable[None]]) -> int:
    """Try the same at one moment after the other, until the outer act is over before; how many there were."""
    for moment in range(MOMENTS_MAX):
        town = await start()
        await attempt(town, moment)
        if not town.node.interleaving.happened:
            return moment
        if not await town.is_behind():
            await check_warm_homes(town)
        await town.tell_all()
        await check_home_page(town, town.users[ANA], Page(3, before=TweetId(sorted(town.facts.posts)[DEEP])))
        await check_home_page(town, town.users[ANA], Page(20))
        await check_newest(town)
        await _check_what_comes_next(town)
    raise AssertionError("it does not end")


WARM, COLD, MERGED = (False, False), (False, True), (True, True)
GROUNDS = pytest.mark.parametrize(("celebrity", "cold"), [WARM, COLD, MERGED], ids=["warm", "cold", "merged and cold"])


@GROUNDS
@pytest.mark.parametrize("change", READS)
async def test_a_home_that_is_read_amid_a_change_is_right(change: str, celebrity: bool, cold: bool) -> None:
    async def attempt(town: Town, moment: int) -> None:
        await check_home_amid(town, town.users[ANA], moment, CHANGES[change])

    moments = await every_moment(lambda: a_town(celebrity=celebrity, cold=cold), attempt)
    assert moments > 0 or not cold


@GROUNDS
@pytest.mark.parametrize("change", READS)
async def test_a_home_that_is_settled_amid_a_change_is_right(change: str, celebrity: bool, cold: bool) -> None:
    async def attempt(town: Town, moment: int) -> None:
        with town.node.interleaving.after(moment, lambda: do_all(town, CHANGES[change])):
            await town.node.settled_homes.settle(town.users[ANA])

    moments = await every_moment(lambda: a_town(celebrity=celebrity, cold=cold), attempt)
    assert moments > 0 or not cold


@pytest.mark.parametrize(("celebrity", "cold"), [(False, False), (True, True)], ids=["pushed-warm", "merged-cold"])
@pytest.mark.parametrize("outer", OUTER)
async def test_all_is_right_after_a_change_amid_an_act(outer: str, celebrity: bool, cold: bool) -> None:
    for change in CHANGES.values():

        async def attempt(town: Town, moment: int) -> None:
            await town.act_amid(OUTER[outer], moment, change)  # noqa: B023 - awaited within the turn

        await every_moment(lambda: a_town(celebrity=celebrity, cold=cold), attempt)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("reaction", ["fan_out", "celebrate", "notify"])
async def test_all_is_right_after_a_change_amid_a_reaction(reaction: str, change: str) -> None:
    """Ben posts and is demoted; the reaction hears of both."""

    async def start() -> Town:
        town = await a_town(celebrity=True, cold=False)
        for act in (Act("tweet", BEN), Act("demote", BEN), Act("tweet", BEN)):
            await town.act(act)
        return town

    async def attempt(town: Town, moment: int) -> None:
        with town.node.interleaving.after(moment, lambda: do_all(town, CHANGES[change])):
            await town.node.ways[reaction].catch_up()

    await every_moment(start, attempt)


async def _check_what_comes_next(town: Town) -> None:
    """What is posted from now on goes where it should."""
    for who in range(len(town.living)):
        await town.act(Act("tweet", who))
    await town.tell_all()
    await check_warm_homes(town)


async def do_all(town: Town, acts: Sequence[Act]) -> None:
    for act in acts:
        await town.act_unexpected(act)
