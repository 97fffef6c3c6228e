"""Timelines hold whatever happens between any two steps, and in the middle of any of them.

Users follow, block, mute, protect, post, share, like and delete; the house promotes, demotes, evicts, forgets and
restarts; reactions are told late, out of order and twice. What is then read equals what the reference model computes.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from model.doing import PAIR_ACTS, Act
from model.facts import STRANGER
from model.reading import (
    LIMITS,
    check_all,
    check_home_amid,
    check_home_page,
    check_tweet,
    check_user_timeline,
    check_warm_homes,
)
from model.small_node import OWNERS_MAX, NodeInTurns
from model.small_stores import in_memory
from model.town import USERS, Town
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import Page
from roost.domain.tweet import Audience

EXAMPLES_MAX = 60
STEPS_MAX = 30

# Skewed, so that several acts of one example meet.
people = st.sampled_from([0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4]).map(lambda who: who % USERS)
nth = st.integers(0, 9)
moments = st.integers(0, 12)
limits = st.sampled_from(LIMITS)
audiences = st.sampled_from([Audience.PUBLIC] * 9 + list(Audience))
mentions = st.none() | people
follow_acts = st.builds(Act, st.just("follow"), people, people)
pair_acts = st.builds(Act, st.sampled_from(sorted(PAIR_ACTS)), people, people)
post_acts = st.builds(
    Act, st.sampled_from(("tweet", "tweet", "reply", "retweet", "quote")), people, nth, mentions, audiences
)
small_acts = st.builds(Act, st.sampled_from(("delete", "delete", "like", "unlike")), people, nth)
own_acts = st.builds(Act, st.sampled_from(("protect", "unprotect", "unprotect")), people)
celebrity_acts = st.builds(Act, st.sampled_from(("promote", "promote", "demote", "dismiss")), people)
burst_acts = st.builds(Act, st.just("burst"), people)
house_acts = st.builds(Act, st.sampled_from(("read_homes", "expire", "forget", "sweep", "flush_counts")), people)
user_acts = st.one_of(post_acts, post_acts, post_acts, follow_acts, pair_acts, pair_acts, small_acts, own_acts)
writes = st.one_of(user_acts, user_acts, user_acts, celebrity_acts)
several = st.lists(writes | house_acts, min_size=1, max_size=3)
reactions = st.sampled_from(["fan_out", "fan_out", "notify", "count", "celebrate"])


class Timelines(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.cursors: dict[UserId, TweetId] = {}

    @initialize(
        seed=st.integers(0, 3),
        is_prompt=st.booleans(),
        owners_max=st.sampled_from([OWNERS_MAX, OWNERS_MAX, 2]),
        follows=st.sets(st.tuples(people, people), min_size=4, max_size=12),
        posts=st.lists(post_acts, max_size=12),
    )
    def open(
        self, seed: int, is_prompt: bool, owners_max: int, follows: set[tuple[int, int]], posts: list[Act]
    ) -> None:
        self.is_prompt = is_prompt
        self.town = self.run(Town(in_memory(), seed, owners_max, NodeInTurns).open())
        for act in [*(Act("follow", who, whom) for who, whom in sorted(follows)), *posts]:
            self.do(act)

    @rule(acts=st.lists(writes, min_size=1, max_size=5))
    def live(self, acts: list[Act]) -> None:
        for act in acts:
            self.do(act)
            self.check()

    @rule(act=burst_acts, inner=several, moments=st.integers(0, 200), is_leaving=st.integers(0, 15))
    def post_many_or_leave(self, act: Act, inner: list[Act], moments: int, is_leaving: int) -> None:
        if is_leaving == 15:
            self.do(replace(act, name="delete_user"))
        else:
            self.run(self.town.act_amid(act, moments, inner))

    @rule(outer=user_acts, moments=moments, inner=several)
    def do_amid(self, outer: Act, moments: int, inner: list[Act]) -> None:
        self.run(self.town.act_amid(outer, moments, inner))

    @rule(acts=st.lists(user_acts, min_size=1, max_size=3))
    def do_elsewhere(self, acts: list[Act]) -> None:
        for act in acts:
            self.run(self.town.act_unheard(act))

    @rule(reaction=reactions, nth=nth, count=st.integers(1, 5), is_again=st.booleans())
    def tell(self, reaction: str, nth: int, count: int, is_again: bool) -> None:
        for _ in range(count):
            self.run(self.town.tell(reaction, nth))
        if is_again:
            self.run(self.town.node.ways[reaction].repeat(nth))

    @rule(reaction=reactions, nth=nth, moments=moments, inner=several)
    def tell_amid(self, reaction: str, nth: int, moments: int, inner: list[Act]) -> None:
        self.run(self.town.tell_amid(reaction, nth, moments, inner))

    @rule(act=house_acts, is_restarted=st.booleans(), is_told=st.booleans())
    def keep_house(self, act: Act, is_restarted: bool, is_told: bool) -> None:
        if is_told:
            self.run(self.town.tell_all())
        self.do(act)
        if is_restarted:
            self.run(self.town.node.restart())

    @rule(who=people, limit=limits, count=st.integers(1, 5), act=user_acts, is_his=st.booleans())
    def read_on(self, who: int, limit: int, count: int, act: Act, is_his: bool) -> None:
        """The reader's next pages, whatever happened since the last ones, and then something happens."""
        if self.town.living:
            reader = self.reader(who)
            for _ in range(count):
                page = Page(limit, before=self.cursors.pop(reader, None))
                before = self.run(check_home_page(self.town, reader, page))
                if before is not None:
                    self.cursors[reader] = before
            self.do(replace(act, who=self.town.living.index(reader)) if is_his else act)

    @rule(who=people, is_cold=st.booleans(), is_his=st.booleans(), moments=moments, act=writes)
    def read_home_amid(self, who: int, is_cold: bool, is_his: bool, moments: int, act: Act) -> None:
        if self.town.living:
            reader = self.reader(who)
            if is_cold:
                self.run(self.town.node.forget_all())
            inner = replace(act, who=self.town.living.index(reader)) if is_his else act
            self.run(check_home_amid(self.town, reader, moments, [inner]))
            self.run(check_home_page(self.town, reader, Page(20)))

    @rule(owner=people, nth=nth, viewer=st.just(STRANGER) | people, limit=limits)
    def read_what_is_listed(self, owner: int, nth: int, viewer: int | None, limit: int) -> None:
        if self.town.living:
            self.hear()
            reader = STRANGER if viewer is None else self.reader(viewer)
            self.run(check_user_timeline(self.town, self.town.users[owner], reader, limit))
            if self.town.facts.posts:
                self.run(check_tweet(self.town, self.town.which(Act("", 0, nth)), reader))

    @invariant()
    def check(self) -> None:
        """Where all is told at once, every home is right at once; else those that are warm, but for what is late."""
        if self.is_prompt:
            self.run(self.town.tell_all())
            for reader in self.town.living:
                self.run(check_home_page(self.town, reader, Page(20)))
        elif not self.run(self.town.is_behind()):
            self.run(check_warm_homes(self.town))

    def do(self, act: Act) -> None:
        self.run(self.town.act(act))

    def hear(self) -> None:
        self.run(self.town.node.catch_up_views())

    def reader(self, who: int) -> UserId:
        """A living user, whose node has heard of all."""
        self.hear()
        living: Sequence[UserId] = self.town.living
        return living[who % len(living)]

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(coroutine)

    def teardown(self) -> None:
        try:
            if hasattr(self, "town"):
                self.run(check_all(self.town))
        finally:
            self.runner.close()


TestTimelines = Timelines.TestCase
TestTimelines.settings = settings(
    max_examples=EXAMPLES_MAX, stateful_step_count=STEPS_MAX, deadline=None, report_multiple_bugs=False
)


async def test_a_settled_home_drops_ones_own_retweet_of_what_one_may_not_see_once_that_is_deleted() -> None:
    town = await Town(in_memory(), 0, OWNERS_MAX).open()
    author, reader = 0, 2
    for act in (Act("tweet", author), Act("retweet", reader, 0), Act("protect", author)):
        await town.act(act)
        await town.tell_all()
    for _ in range(2):  # the second is the settled one
        await check_home_page(town, town.users[reader], Page(20))
    assert town.node.settled_homes.page(town.users[reader], 20) is not None
    await town.act(Act("delete", author, 0))
    await town.tell_all()
    await check_home_page(town, town.users[reader], Page(20))
