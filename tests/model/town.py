"""Some users of a small node, and the facts that the reference model computes from, kept in step with what they do."""

from collections.abc import Awaitable, Callable, Sequence

from model import acts
from model.acts import Refusal
from model.doing import ACTS, HOUSE_ACTS, MANIFOLD_ACTS, PAIR_ACTS, TWEET_ACTS, Act, Aimed, Outcome
from model.facts import Facts, Person, Post
from model.small_node import OWNERS_MAX, SmallNode
from model.small_stores import Ground
from roost.domain.errors import Refused
from roost.domain.events import UserChanged
from roost.domain.ids import TweetId, UserId
from roost.domain.relation import RelationKind
from roost.domain.user import Account, User

USERS = 5
ACT_MS = 5
EVERYTHING = 100_000
NO_TWEET = TweetId(0)
OWN_FIRST = 8


class Town:
    def __init__(
        self, ground: Ground, seed: int = 0, owners_max: int = OWNERS_MAX, node: type[SmallNode] = SmallNode
    ) -> None:
        self.node = node(ground, seed, owners_max)
        self.facts = Facts()
        self.users: list[UserId] = []

    async def open(self) -> "Town":
        for _ in range(USERS):
            await self._register()
        return self

    async def act(self, act: Act) -> Outcome:
        """Do it, and hold the outcome against the model, unless the node's views lag behind and may be mistaken."""
        if not self.is_possible(act):
            return None
        if act.name in MANIFOLD_ACTS or await self.is_behind():
            return await self.act_unexpected(act)
        outcome = await self._do(act)
        expected = self._expected(act, outcome)
        assert outcome == expected, f"{act}: {outcome}, expected {expected}"
        return outcome

    async def act_unexpected(self, act: Act) -> Outcome:
        """Do it, whatever comes of it, and take the facts from the rows."""
        if not self.is_possible(act):
            return None
        outcome = await self._do(act)
        self.facts = await self.rows()
        return outcome

    async def act_unheard(self, act: Act) -> None:
        """As on another node: the views here do not hear of it before they are told."""
        self.node.progress.deaf = True
        try:
            await self.act_unexpected(act)
        finally:
            self.node.progress.deaf = False

    async def act_amid(self, outer: Act, moments: int, inner: Sequence[Act]) -> None:
        """Do some acts in the middle of another."""
        with self.node.interleaving.after(moments, self._meanwhile(inner, self._do_if_possible)):
            await self.act_unexpected(outer)

    async def tell(self, reaction: str, nth: int) -> None:
        await self.node.pull()
        await self.node.ways[reaction].tell(nth)

    async def tell_amid(self, reaction: str, nth: int, moments: int, inner: Sequence[Act]) -> None:
        """Do some acts while a reaction is told."""
        with self.node.interleaving.after(moments, self._meanwhile(inner, self.act)):
            await self.tell(reaction, nth)

    async def tell_all(self) -> None:
        """As in the product: the views first, then the others."""
        await self.node.catch_up_views()
        for reaction in ("fan_out", "notify", "count", "celebrate"):
            await self.node.ways[reaction].catch_up()

    async def is_behind(self) -> bool:
        """Whether the node's views have not heard of all yet."""
        await self.node.pull()
        return bool(self.node.ways["refresh"].pending) or self.node.progress.deaf

    def is_possible(self, act: Act) -> bool:
        return bool(self.living) and (act.name not in TWEET_ACTS or bool(self.facts.posts))

    @property
    def living(self) -> Sequence[UserId]:
        return [user for user in self.users if not self.facts.people[user].deleted]

    def who(self, act: Act) -> UserId:
        return self.living[act.who % len(self.living)]

    def which(self, act: Act) -> TweetId:
        """To delete mostly one's own."""
        posts = sorted(self.facts.posts)
        if act.name == "delete" and act.what < OWN_FIRST:
            posts = sorted(post.id for post in self.facts.posts.values() if post.author == self.who(act)) or posts
        return TweetId(posts[-1 - act.what % len(posts)]) if posts else NO_TWEET

    async def rows(self) -> Facts:
        """The facts as the stores have them."""
        stores, facts = self.node.ground.stores, Facts()
        for user in (await stores.accounts.users(self.users)).values():
            facts.people[user.id] = Person(user.id, user.protected, user.deleted)
            for kind, pairs in (
                (RelationKind.FOLLOW, facts.follows),
                (RelationKind.REQUEST, facts.requests),
                (RelationKind.BLOCK, facts.blocks),
                (RelationKind.MUTE, facts.mutes),
            ):
                rows = await stores.relations.of_subject(kind, user.id, None, EVERYTHING)
                pairs |= {(row.subject, row.object) for row in rows}
            likes = await stores.likes.by_user(user.id, None, EVERYTHING)
            facts.likes |= {(user.id, like.tweet_id) for like in likes}
        for tweet in await stores.tweets.scan(TweetId(0), EVERYTHING):
            mentions = frozenset(mention.user_id for mention in tweet.mentions)
            aims = (tweet.reply_to, tweet.retweet_of, tweet.quote_of)
            facts.posts[tweet.id] = Post(tweet.id, tweet.author, *aims, mentions, tweet.audience, tweet.deleted)
        return facts

    async def _register(self) -> None:
        node, name = self.node, f"u{len(self.users)}"
        id, version = node.ids.next_user_id(), node.ids.next_version()
        user = User(id, name, name, node.ground.clock.now_ms(), version)
        account = Account(id, f"{name}@example.org", f"{name}@example.org", None, "hash")
        announced = [UserChanged(id, version)]
        await node.progress.reached(await node.ground.stores.accounts.create(user, account, None, announced))
        self.users.append(id)
        self.facts.people[id] = Person(id)

    def _meanwhile(
        self, inner: Sequence[Act], do: Callable[[Act], Awaitable[Outcome]]
    ) -> Callable[[], Awaitable[None]]:
        async def meanwhile() -> None:
            for act in inner:
                await do(act)

        return meanwhile

    async def _do_if_possible(self, act: Act) -> Outcome:
        self.facts = await self.rows()
        return await self._do(act) if self.is_possible(act) else None

    async def _do(self, act: Act) -> Outcome:
        self.node.ground.clock.advance(ACT_MS)
        other = self.users[act.what % len(self.users)]
        try:
            return await ACTS[act.name](Aimed(self.node, act, self.who(act), other, self.which(act), self.living))
        except Refused as refused:
            return type(refused).__name__

    def _expected(self, act: Act, outcome: Outcome) -> Outcome:
        """What the model says to it; the facts are those after it. A new tweet has the id that the product gave it."""
        facts, user = self.facts, self.who(act)
        try:
            if act.name in PAIR_ACTS:
                getattr(acts, act.name)(facts, user, self.users[act.what % len(self.users)])
            elif act.name in ("protect", "unprotect", "delete_user"):
                getattr(acts, act.name)(facts, user)
            elif act.name in ("like", "unlike", "delete"):
                getattr(acts, act.name)(facts, user, self.which(act))
            elif act.name not in HOUSE_ACTS:
                return self._expected_post(act, user, outcome)
        except Refusal as refusal:
            return str(refusal)
        return None

    def _expected_post(self, act: Act, user: int, outcome: Outcome) -> Outcome:
        facts = self.facts
        named = None if act.mention is None else self.users[act.mention]
        mentions = frozenset() if named is None or facts.people[named].deleted else frozenset({named})
        new = Post(0, user, mentions=mentions, audience=act.audience)
        if act.name == "reply":
            new.reply_to = acts.aim(facts, user, self.which(act), share=False)
        elif act.name == "quote":
            new.quote_of = acts.aim(facts, user, self.which(act), share=True)
        elif act.name == "retweet":
            new = Post(0, user, retweet_of=acts.aim(facts, user, self.which(act), share=True))
            earlier = acts.earlier_retweet(facts, user, new.retweet_of or 0)
            if earlier is not None:
                return earlier
        if not isinstance(outcome, int):
            return "a tweet"
        new.id = outcome
        acts.post(facts, new)
        return outcome
