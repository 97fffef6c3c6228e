"""What may be done on a small node, by name: the acts of users, and those of the house, which change no fact."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from model.small_node import SmallNode
from roost.commands.post_tweet import Draft
from roost.commands.update_profile import ProfileChanges
from roost.domain.ids import TweetId, UserId
from roost.domain.timeline import PAGE_LIMIT_MAX, Page
from roost.domain.tweet import Audience

BURST = 12
EXPIRE_MS = 2_000_000
"""Beyond the time-to-live of a small node's caches."""
PASS_MS = 600_000
"""Within it; twice is beyond."""


@dataclass(frozen=True)
class Act:
    """Users are numbered, tweets too: 0 is the newest. `mention` is a user who is named in the message."""

    name: str
    who: int
    what: int = 0
    mention: int | None = None
    audience: Audience = Audience.PUBLIC


@dataclass(frozen=True)
class Aimed:
    """An act with the users and the tweet that it means."""

    node: SmallNode
    act: Act
    user: UserId
    other: UserId
    tweet: TweetId
    living: Sequence[UserId]

    @property
    def message(self) -> str:
        return "hi" if self.act.mention is None else f"hi @u{self.act.mention}"


Outcome = int | str | None
"""The id of the tweet that stands for a post, the name of the refusal, or nothing."""

Do = Callable[[Aimed], Awaitable[Outcome]]


def _pair_act(name: str) -> Do:
    async def do(aimed: Aimed) -> Outcome:
        await getattr(aimed.node.relate, name)(aimed.user, aimed.other)
        return None

    return do


def _protection(*, protected: bool) -> Do:
    async def do(aimed: Aimed) -> Outcome:
        await aimed.node.update_profile(aimed.user, ProfileChanges(protected=protected))
        return None

    return do


async def _delete_user(aimed: Aimed) -> Outcome:
    node = aimed.node
    await node.progress.reached(await node.stores.accounts.delete_user(aimed.user, node.ids.next_version()))
    return None


async def _post(aimed: Aimed, draft: Draft) -> Outcome:
    return (await aimed.node.post(aimed.user, draft)).seen.tweet.id


async def _tweet(aimed: Aimed) -> Outcome:
    return await _post(aimed, Draft(aimed.message, audience=aimed.act.audience))


async def _burst(aimed: Aimed) -> Outcome:
    for _ in range(BURST):
        await _tweet(aimed)
    return None


async def _reply(aimed: Aimed) -> Outcome:
    return await _post(aimed, Draft(aimed.message, reply_to=aimed.tweet, audience=aimed.act.audience))


async def _quote(aimed: Aimed) -> Outcome:
    return await _post(aimed, Draft(aimed.message, quote_of=aimed.tweet, audience=aimed.act.audience))


async def _retweet(aimed: Aimed) -> Outcome:
    return await _post(aimed, Draft(reply_to=aimed.tweet))


async def _like(aimed: Aimed) -> Outcome:
    await aimed.node.like(aimed.user, aimed.tweet)
    return None


async def _unlike(aimed: Aimed) -> Outcome:
    await aimed.node.unlike(aimed.user, aimed.tweet)
    return None


async def _delete(aimed: Aimed) -> Outcome:
    user = (await aimed.node.ground.stores.accounts.users([aimed.user]))[aimed.user]
    await aimed.node.delete(user, aimed.tweet)
    return None


async def _promote(aimed: Aimed) -> Outcome:
    await aimed.node.celebrate.judge(aimed.user, followers=1_000)
    return None


async def _demote(aimed: Aimed) -> Outcome:
    celebrities = sorted(aimed.node.celebrities.rows)
    if celebrities:
        await aimed.node.celebrate.judge(celebrities[aimed.act.who % len(celebrities)], followers=0)
    return None


async def _dismiss(aimed: Aimed) -> Outcome:
    """Demote, up to the end of it."""
    await _demote(aimed)
    await aimed.node.catch_up_views()
    await aimed.node.ways["celebrate"].catch_up()
    await aimed.node.catch_up_views()
    return None


async def _read_homes(aimed: Aimed) -> Outcome:
    for user in aimed.living:
        await aimed.node.home_timeline(user, Page(PAGE_LIMIT_MAX))
    return None


async def _deliver(aimed: Aimed) -> Outcome:
    """All that is on the log goes onto homes."""
    await aimed.node.catch_up_views()
    await aimed.node.ways["fan_out"].catch_up()
    return None


async def _expire(aimed: Aimed) -> Outcome:
    aimed.node.ground.clock.advance(EXPIRE_MS)
    return None


async def _sweep(aimed: Aimed) -> Outcome:
    aimed.node.ground.clock.advance(PASS_MS)
    aimed.node.sweep()
    return None


async def _forget(aimed: Aimed) -> Outcome:
    await aimed.node.forget_all()
    return None


async def _flush_counts(aimed: Aimed) -> Outcome:
    await aimed.node.flush_counts()
    return None


PAIR_ACTS: Mapping[str, Do] = {
    name: _pair_act(name) for name in ("follow", "unfollow", "block", "unblock", "mute", "unmute", "accept", "reject")
}
OWN_ACTS: Mapping[str, Do] = {
    "protect": _protection(protected=True),
    "unprotect": _protection(protected=False),
    "delete_user": _delete_user,
    "tweet": _tweet,
    "burst": _burst,
}
TWEET_ACTS: Mapping[str, Do] = {
    "reply": _reply,
    "retweet": _retweet,
    "quote": _quote,
    "like": _like,
    "unlike": _unlike,
    "delete": _delete,
}
HOUSE_ACTS: Mapping[str, Do] = {
    "promote": _promote,
    "demote": _demote,
    "dismiss": _dismiss,
    "read_homes": _read_homes,
    "deliver": _deliver,
    "expire": _expire,
    "sweep": _sweep,
    "forget": _forget,
    "flush_counts": _flush_counts,
}
MANIFOLD_ACTS = frozenset({"burst"})
"""They make several tweets, so that no one id is their outcome."""
ACTS: Mapping[str, Do] = {**PAIR_ACTS, **OWN_ACTS, **TWEET_ACTS, **HOUSE_ACTS}
