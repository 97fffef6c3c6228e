"""Holds what a node shows against what the reference model says should be shown."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from model import timelines
from model.doing import Act
from model.facts import STRANGER, Facts, Viewer
from model.pages import Expected, Read, check_downwards, ids_of, walk_down, walk_up
from model.sight import Place, can_open, is_gone, sees, shown_within
from model.town import Town
from roost.domain.errors import Forbidden, NotFound
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import PAGE_LIMIT_MAX, Page
from roost.edge.native.pages import tweet_page
from roost.queries.thread import Hidden
from roost.views.pages import SeenPage
from roost.views.sight import Seen

Json = Any
LIMITS = (2, 100, 1, 20, 3, 7)


async def check_home(town: Town, viewer: UserId, limit: int) -> None:
    """The home timeline to its end and back, page by page."""
    expected = await expected_home(town, viewer)
    await _check_both_ways(_home(town, viewer), limit, expected)


async def check_home_page(town: Town, viewer: UserId, page: Page) -> TweetId | None:
    """One page, newest or older; the cursor for the one below it."""
    expected = await expected_home(town, viewer)
    read = await _home(town, viewer)(page)
    check_downwards(read, page.limit, page.before, expected)
    for seen in read.tweets:
        _check_nested(town.facts, viewer, seen)
    if page.before is None:
        await _check_settled(town, viewer, page.limit, read, expected)
    return read.before


async def _check_settled(town: Town, viewer: UserId, limit: int, read: SeenPage, expected: Expected) -> None:
    """The page of ready bytes, where there is one, is the one that the query makes. The next one will be there.

    But where the query has looked at as many candidates as it may, it leaves open whether there is more; a settled home
    knows that there is not. And what is yet to be delivered either may have found in the store, or not.
    """
    node = town.node
    ready = node.settled_homes.page(viewer, limit)
    if ready is not None:
        rendered = await node.renderer.page(read.tweets, viewer)
        hot, slow = b",".join(ready), tweet_page(rendered, read.before, read.after).body
        if hot != slow:
            _check_alike(json.loads(hot), json.loads(slow), expected)
    await node.settled_homes.settle(viewer)


def _check_alike(hot: Json, slow: Json, expected: Expected) -> None:
    shown, found = ([int(one["tweet_id"]) for one in page["tweets"]] for page in (hot, slow))
    if expected.late:
        shown, found = ([id for id in ids if id not in expected.late] for ids in (shown, found))
        assert all(one == other for one, other in zip(shown, found, strict=False)), f"hot: {shown}, else: {found}"
        return
    assert shown == found, f"hot: {shown}, else: {found}"
    if hot["before"] is None and not expected.between(0, int(slow["before"] or 0)):
        slow["before"] = None
    assert hot == slow


async def check_warm_homes(town: Town) -> None:
    """The newest page of each home that is warm: cold ones stay cold."""
    for owner in [owner for owner in town.living if owner in town.node.homes.warm_owners()]:
        await check_home_page(town, owner, Page(20))


async def check_home_amid(town: Town, viewer: UserId, moments: int, inner: Sequence[Act]) -> None:
    """Read the home timeline while something happens: what is shown is right before it, or after some of it."""
    states = [town.facts.copy()]

    async def meanwhile() -> None:
        for act in inner:
            await town.act(act)
            states.append(town.facts.copy())

    with town.node.interleaving.after(moments, meanwhile):
        page = await _home(town, viewer)(Page(PAGE_LIMIT_MAX))
    await town.node.pull()
    shown, lowest = set(ids_of(page)), page.before or 0
    right: list[set[int]] = [{id for id in timelines.home(facts, viewer) if id >= lowest} for facts in states]
    ever, always = set[int]().union(*right), right[0].intersection(*right)
    assert shown <= ever, f"shown, and should not be: {shown - ever}"
    missing = always - shown
    assert missing <= town.node.undelivered(), f"not shown: {missing}"


async def check_user_timeline(town: Town, owner: UserId, viewer: UserId | None, limit: int) -> None:
    """To its end and back, page by page, or not at all."""
    facts = town.facts
    read = _user_timeline(town, owner, viewer)
    if await _is_refused(town, owner, viewer, read):
        return
    expected = Expected(timelines.user_timeline(facts, owner, viewer), frozenset(), sorted(facts.posts))
    await _check_both_ways(read, limit, expected)


async def check_user_timeline_page(town: Town, owner: UserId, viewer: UserId | None) -> None:
    """The newest page."""
    read = _user_timeline(town, owner, viewer)
    if await _is_refused(town, owner, viewer, read):
        return
    page = await read(Page(20))
    ids = timelines.user_timeline(town.facts, owner, viewer)
    check_downwards(page, 20, None, Expected(ids, frozenset(), sorted(town.facts.posts)))
    for seen in page.tweets:
        _check_nested(town.facts, viewer, seen)


async def check_tweet(town: Town, tweet: TweetId, viewer: UserId | None) -> None:
    """The tweet itself, its thread, and the lists around it."""
    facts, node = town.facts, town.node
    post = facts.posts[tweet]
    if not sees(facts, viewer, post, Place.DIRECT):
        with pytest.raises(NotFound):
            await node.thread(tweet, viewer, PAGE_LIMIT_MAX, None)
        return
    thread = await node.thread(tweet, viewer, PAGE_LIMIT_MAX, None)
    _check_nested(facts, viewer, thread.tweet)
    shown = [(one.tweet_id, False) if isinstance(one, Hidden) else (one.tweet.id, True) for one in thread.ancestors]
    assert shown == timelines.ancestors(facts, tweet, viewer)
    assert [seen.tweet.id for seen in thread.replies] == timelines.replies(facts, tweet, viewer)[:PAGE_LIMIT_MAX]
    if post.retweet_of is None:
        quotes = await node.tweet_lists.quotes(tweet, viewer, PAGE_LIMIT_MAX, None)
        assert [seen.tweet.id for seen in quotes.items] == timelines.quotes(facts, tweet, viewer)
        retweeters = await node.tweet_lists.retweeters(tweet, viewer, PAGE_LIMIT_MAX, None)
        assert list(retweeters.items) == timelines.retweeters(facts, tweet, viewer)


async def check_newest(town: Town) -> None:
    """Everything, once all has been told, but of timelines only the newest page."""
    await town.node.settle()
    assert town.facts == await town.rows()
    people, requests = town.facts.people, town.facts.requests
    assert not [pair for pair in requests if not people[pair[1]].protected], "somebody waits before an open door"
    for viewer in town.living:
        await check_home_page(town, viewer, Page(20))
        await _check_notifications(town, viewer)
        await _check_liked(town, viewer)
    readers: list[UserId | None] = [STRANGER, *town.living]
    for owner in town.users:
        for reader in readers:
            await check_user_timeline_page(town, owner, reader)
    await _check_counts(town)


async def check_all(town: Town) -> None:
    """Everything, once all has been told."""
    await check_newest(town)
    readers: list[UserId | None] = [STRANGER, *town.living]
    for number, viewer in enumerate(town.living):
        await check_home(town, viewer, LIMITS[number % len(LIMITS)])
    for number, owner in enumerate(town.users):
        await check_user_timeline(town, owner, readers[number % len(readers)], LIMITS[(number + 3) % len(LIMITS)])


def _home(town: Town, viewer: UserId) -> Read:
    return lambda page: town.node.home_timeline(viewer, page)


def _user_timeline(town: Town, owner: UserId, viewer: UserId | None) -> Read:
    return lambda page: town.node.user_timeline(owner, viewer, page)


async def _is_refused(town: Town, owner: UserId, viewer: UserId | None, read: Read) -> bool:
    if town.facts.people[owner].deleted:
        with pytest.raises(NotFound):
            await read(Page(1))
        return True
    if not can_open(town.facts, owner, viewer):
        with pytest.raises(Forbidden):
            await read(Page(1))
        return True
    return False


async def expected_home(town: Town, viewer: UserId) -> Expected:
    """What fan_out has yet to push may be missing; the viewer's own may not."""
    await town.node.pull()
    late = {id for id in town.node.undelivered() if town.facts.posts[id].author != viewer}
    return Expected(timelines.home(town.facts, viewer), frozenset(late), sorted(town.facts.posts))


async def _check_both_ways(read: Read, limit: int, expected: Expected) -> None:
    down = await walk_down(read, limit, expected)
    start = TweetId(down[len(down) // 2] if len(down) % 2 else 0)
    await walk_up(read, limit, start, expected)


def _check_nested(facts: Facts, viewer: Viewer, seen: Seen) -> None:
    inner = None if seen.nested is None else seen.nested.id
    post = facts.posts[seen.tweet.id]
    allowed = shown_within(facts, viewer, post)
    if post.retweet_of is not None and post.author == viewer and inner is not None and allowed is None:
        # One's own retweet may go on showing whom one has blocked, but nobody who bars the reader.
        author = facts.author_of(inner)
        assert (viewer, author) in facts.blocks
        assert (author, viewer) not in facts.blocks
        assert not is_gone(facts, facts.posts[inner])
        return
    assert inner == allowed, f"within {post}: {inner}, expected {allowed}"


async def _check_notifications(town: Town, viewer: UserId) -> None:
    ids: list[int] = []
    told: list[timelines.Told] = []
    page = await town.node.notifications(viewer, 3, None)
    while True:
        ids += [one.notification.id for one in page.items]
        told += [(one.notification.kind.value, one.actor.id, one.notification.tweet_id) for one in page.items]
        if page.before is None:
            break
        page = await town.node.notifications(viewer, 3, page.before)
    assert ids == sorted(set(ids), reverse=True)
    expected = timelines.notifications(town.facts, viewer)
    assert set(told) == expected, (viewer, set(told) ^ expected)
    assert len(told) == len(expected)


async def _check_liked(town: Town, viewer: UserId) -> None:
    liked = await town.node.tweet_lists.liked(viewer, viewer, PAGE_LIMIT_MAX, None)
    assert {seen.tweet.id for seen in liked.items} == timelines.liked(town.facts, viewer)
    flags = await town.node.acts.flags(viewer, [TweetId(id) for id in town.facts.posts])
    posts = set(town.facts.posts)
    assert set(flags.liked) & posts == {tweet for who, tweet in town.facts.likes if who == viewer}
    retweeted = {post.retweet_of for post in town.facts.posts.values() if post.author == viewer and not post.deleted}
    assert set(flags.retweeted) & posts == retweeted - {None}


async def _check_counts(town: Town) -> None:
    facts, node = town.facts, town.node
    for id, counts in (await node.tweets.counts([TweetId(id) for id in facts.posts])).items():
        taken = (counts.replies, counts.retweets, counts.likes, counts.quotes)
        assert taken == timelines.tweet_counts(facts, id), f"counts of {facts.posts[id]}: {taken}"
    for user, of_user in (await node.users.counts(town.users)).items():
        shown = (of_user.tweets, of_user.followers, of_user.following)
        assert shown == timelines.user_counts(facts, user), f"counts of {user}: {shown}"
