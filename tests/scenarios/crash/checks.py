"""Compare a roost that came back with the oracle, through the public interface alone."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

from scenarios.crash.actors import Actor, Client
from scenarios.crash.oracle import Oracle, Posted

CAUGHT_UP_S_MAX = 15.0
"""Views follow the log: counts, search and notifications come right within this."""
LOOK_EVERY_S = 0.2
DELETED_LOOKED_AT_MAX = 20
Complaints = list[str]


class Checks:
    """Each returns what is wrong. `lost` and `doubled` count what must never happen."""

    def __init__(self, oracle: Oracle, actors: dict[str, Actor]) -> None:
        self.oracle = oracle
        self.actors = actors
        self.lost = 0
        self.doubled = 0
        self.patience_s = CAUGHT_UP_S_MAX

    async def before_retries(self) -> Complaints:
        """What was acknowledged is there, what was in flight may be, nothing else, nothing twice."""
        found: Complaints = []
        for actor in self.actors.values():
            shown = await tweets_of(actor.client, f"/user/timeline/{actor.client.user_id}")
            found += self._compare(f"user timeline of {actor.name}", shown, list(self.oracle.by(actor.name)))
            following = {user["username"] async for user in users_of(actor.client, "following")}
            for (who, whom), fact in self.oracle.follows.items():
                if who == actor.name and (whom in following) not in fact.possible:
                    found.append(f"{who} follows {whom}: {whom in following}, {fact}")
        return found

    async def after_retries(self, chance: Callable[[list[Posted], int], list[Posted]]) -> Complaints:
        """Everything is answered: every view is exactly what the oracle says, once it has caught up."""
        checks: list[Callable[[], Awaitable[Complaints]]] = [
            self._timelines,
            self._acts,
            self._hashtags,
            self._notifications,
            self._users,
            lambda: self._words(chance(self.oracle.shown_originals(), 30)),
            lambda: self._deleted(chance(self._gone(), DELETED_LOOKED_AT_MAX)),
        ]
        lost, doubled = self.lost, self.doubled
        found = await asyncio.gather(*(caught_up(check, self.patience_s) for check in checks))
        complaints = [complaint for some in found for complaint in some]
        if not complaints:  # what was missing at first was on its way
            self.lost, self.doubled = lost, doubled
        return complaints

    async def _timelines(self) -> Complaints:
        found: Complaints = []
        for actor in self.actors.values():
            path = f"/user/timeline/{actor.client.user_id}"
            own, home = await tweets_of(actor.client, path), await tweets_of(actor.client, path, timeline="home")
            found += self._compare(f"user timeline of {actor.name}", own, list(self.oracle.by(actor.name)))
            found += self._compare(f"home of {actor.name}", home, list(self.oracle.on_home_of(actor.name)))
        return found

    def _compare(self, what: str, shown: list[Any], posts: list[Posted]) -> Complaints:
        found: Complaints = []
        ids = [tweet["tweet_id"] for tweet in shown]
        if [int(id) for id in ids] != sorted({int(id) for id in ids}, reverse=True):
            found.append(f"{what}: not newest first, or an id twice")
        missing = {post.id for post in posts if post.must_show} - set(ids)
        if missing:
            self.lost += len(missing)
            found.append(f"{what}: {len(missing)} acknowledged are missing, {sorted(map(str, missing))[:3]}")
        words = Counter(_mark(tweet) for tweet in shown)
        twice = [word for word, count in words.items() if count > 1]
        if twice:
            self.doubled += len(twice)
            found.append(f"{what}: posted twice: {twice[:3]}")
        allowed = {(post.author, _mark_of(post)) for post in posts if post.may_show}
        strange = [tweet for tweet in shown if (tweet["user"]["username"], _mark(tweet)) not in allowed]
        if strange:
            found.append(f"{what}: {len(strange)} should not be there, {strange[0]}")
        return found

    async def _acts(self) -> Complaints:
        """Counts of likes and retweets of every tweet, and the reader's own flags."""
        found: Complaints = []
        for actor in self.actors.values():
            path = f"/user/timeline/{actor.client.user_id}"
            shown = {tweet["tweet_id"]: tweet for tweet in await tweets_of(actor.client, path)}
            for post in self.oracle.by(actor.name):
                tweet = shown.get(post.id or "")
                if tweet is None or post.retweet_of is not None:
                    continue
                likes = {name for name, fact in post.likes.items() if fact.known}
                retweets = {one.author for one in self.oracle.retweets_of(post)}
                expected = (len(likes), len(retweets), actor.name in likes, actor.name in retweets)
                counts, viewer = tweet["counts"], tweet["viewer"]
                got = (counts["likes"], counts["retweets"], viewer["liked"], viewer["retweeted"])
                if got != expected:
                    found.append(f"likes and retweets of {post.id}: {got}, not {expected}")
        return found

    async def _hashtags(self) -> Complaints:
        found: Complaints = []
        for actor in self.actors.values():
            shown = await tweets_of(actor.client, f"/hashtag/crash{actor.name}")
            originals = [post for post in self.oracle.by(actor.name) if post.retweet_of is None]
            found += self._compare(f"hashtag of {actor.name}", shown, originals)
        return found

    async def _words(self, posts: list[Posted]) -> Complaints:
        found: Complaints = []
        client = next(iter(self.actors.values())).client
        for post in posts:
            shown = [tweet["tweet_id"] for tweet in await tweets_of(client, "/search", q=post.word)]
            if shown != [post.id]:
                found.append(f"search of {post.word}: {shown}, not {post.id}")
        return found

    async def _notifications(self) -> Complaints:
        found: Complaints = []
        for actor in self.actors.values():
            told = [one async for one in notifications_of(actor.client) if one[1] in self.actors]
            got = sorted(told, key=str)
            expected = self.oracle.notifications_of(actor.name)
            if got != expected:
                missing, more = Counter(expected) - Counter(got), Counter(got) - Counter(expected)
                found.append(f"notifications of {actor.name}: missing {[*missing][:3]}, too many {[*more][:3]}")
        return found

    async def _users(self) -> Complaints:
        found: Complaints = []
        for actor in self.actors.values():
            user = await actor.client.page(f"/user/{actor.client.user_id}")
            follows = [pair for pair, fact in self.oracle.follows.items() if fact.known]
            following = sum(who == actor.name for who, _ in follows)
            followers = sum(whom == actor.name for _, whom in follows) + 1  # and the watcher
            got = (user["counts"]["following"], user["counts"]["followers"])
            if got != (following, followers):
                found.append(f"follows of {actor.name}: {got}, not {(following, followers)}")
        return found

    def _gone(self) -> list[Posted]:
        return [post for post in self.oracle.posted if post.id is not None and post.deleted.known]

    async def _deleted(self, posts: list[Posted]) -> Complaints:
        client = next(iter(self.actors.values())).client
        answers = [(post, await client.rest("GET", f"/tweet/{post.id}")) for post in posts]
        return [f"{post.id} is back" for post, answer in answers if answer.status_code != HTTPStatus.NOT_FOUND]


async def caught_up(check: Callable[[], Awaitable[Complaints]], patience_s: float = CAUGHT_UP_S_MAX) -> Complaints:
    """What is still wrong when the views have had their time."""
    deadline_s = time.monotonic() + patience_s
    while True:
        found = await check()
        if not found or time.monotonic() > deadline_s:
            return found
        await asyncio.sleep(LOOK_EVERY_S)  # nothing announces it to a client


async def tweets_of(client: Client, path: str, **query: str) -> list[Any]:
    """All pages."""
    tweets: list[Any] = []
    before: dict[str, str] = {}
    while True:
        page = await client.page(path, limit=100, **query, **before)
        tweets += page["tweets"]
        if page["before"] is None:
            return tweets
        before = {"before": page["before"]}


async def users_of(client: Client, kind: str) -> AsyncIterator[Any]:
    for user in (await client.page(f"/user/{client.user_id}/{kind}", limit=100))["users"]:
        yield user


async def notifications_of(client: Client) -> AsyncIterator[tuple[str, str, str | None]]:
    before: dict[str, str] = {}
    while True:
        page = await client.page("/notifications", limit=100, **before)
        for one in page["notifications"]:
            yield one["kind"], one["user"]["username"], one["tweet"] and one["tweet"]["tweet_id"]
        if page["before"] is None:
            return
        before = {"before": page["before"]}


def _mark(tweet: Any) -> str:
    """What tells a tweet from all others of its author but its id."""
    original = tweet["retweet_of"]
    mark = tweet["message"] if original is None else f"retweet of {original['tweet_id']}"
    return f"{tweet['user']['username']}: {mark}"


def _mark_of(post: Posted) -> str:
    mark = post.message if post.retweet_of is None else f"retweet of {post.retweet_of.id}"
    return f"{post.author}: {mark}"
