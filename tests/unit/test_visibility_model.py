"""Who sees what, over all small worlds: the rules of the product against the table of the interface."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

from model import sight as model
from model import timelines
from model.facts import STRANGER as NOBODY
from model.facts import Facts, Person, Post, Viewer
from roost.domain.ids import TweetId, UserId, Version
from roost.domain.relation import STRANGER, Relations
from roost.domain.tweet import Audience, MentionedUser, Tweet
from roost.domain.user import User
from roost.domain.visibility import Place, may_see_tweets_of
from roost.views.sight import Seen, see

PEOPLE = (1, 2, 3)
PLACES = {Place.HOME: model.Place.HOME, Place.LISTED: model.Place.LISTED, Place.DIRECT: model.Place.DIRECT}
ORIGINAL, OUTER = 10, 11

people = st.sampled_from(PEOPLE)
pairs = st.sets(st.tuples(people, people).filter(lambda pair: pair[0] != pair[1]))
audiences = st.sampled_from([Audience.PUBLIC, *Audience])


@composite
def worlds(draw: DrawFn) -> Facts:
    """Two tweets, of which the later may answer, share or quote the earlier, and any relations of three people."""
    facts = Facts({id: Person(id, draw(st.booleans()), draw(st.integers(0, 5)) == 5) for id in PEOPLE})
    facts.follows, facts.blocks, facts.mutes = draw(pairs), draw(pairs), draw(pairs)
    mentions = st.frozensets(people, max_size=1)
    gone = st.integers(0, 5).map(lambda chance: chance == 5)
    facts.posts[ORIGINAL] = Post(
        ORIGINAL, draw(people), mentions=draw(mentions), audience=draw(audiences), deleted=draw(gone)
    )
    outer = Post(OUTER, draw(people), mentions=draw(mentions), audience=draw(audiences), deleted=draw(gone))
    match draw(st.sampled_from(["tweet", "reply", "retweet", "quote"])):
        case "reply":
            outer.reply_to = ORIGINAL
        case "retweet":
            outer.retweet_of, outer.mentions = ORIGINAL, frozenset()
        case "quote":
            outer.quote_of = ORIGINAL
        case _:
            pass
    facts.posts[OUTER] = outer
    return facts


def relations_of(facts: Facts, viewer: Viewer) -> Relations:
    if viewer is None:
        return STRANGER

    def of(relations: set[tuple[int, int]]) -> frozenset[UserId]:
        return frozenset(UserId(other) for one, other in relations if one == viewer)

    blocked_by = frozenset(UserId(one) for one, other in facts.blocks if other == viewer)
    return Relations(UserId(viewer), of(facts.follows), of(facts.blocks), blocked_by, of(facts.mutes))


def tweet_of(facts: Facts, post: Post) -> Tweet:
    def author(id: int | None) -> UserId | None:
        return None if id is None else UserId(facts.author_of(id))

    def aim(id: int | None) -> TweetId | None:
        return None if id is None else TweetId(id)

    return Tweet(
        TweetId(post.id),
        UserId(post.author),
        "hi",
        Version(1),
        mentions=tuple(MentionedUser(f"u{id}", UserId(id), 0, 2) for id in post.mentions),
        reply_to=aim(post.reply_to),
        reply_to_author=author(post.reply_to),
        retweet_of=aim(post.retweet_of),
        retweet_of_author=author(post.retweet_of),
        quote_of=aim(post.quote_of),
        quote_of_author=author(post.quote_of),
        audience=Audience(post.audience),
        deleted=post.deleted,
    )


def users_of(facts: Facts) -> dict[UserId, User]:
    return {
        UserId(one.id): User(
            UserId(one.id), f"u{one.id}", "", 0, Version(1), protected=one.protected, deleted=one.deleted
        )
        for one in facts.people.values()
    }


def seen_by(facts: Facts, post: Post, viewer: Viewer, place: Place) -> Seen | None:
    nested = {TweetId(ORIGINAL): tweet_of(facts, facts.posts[ORIGINAL])}
    return see(tweet_of(facts, post), nested, users_of(facts), relations_of(facts, viewer), place)


@settings(max_examples=1_500, deadline=None)
@given(worlds(), st.sampled_from([NOBODY, *PEOPLE]))
def test_a_tweet_is_shown_where_the_table_shows_it_and_nowhere_else(facts: Facts, viewer: Viewer) -> None:
    for post in facts.posts.values():
        for place, column in PLACES.items():
            if viewer is None and place is Place.HOME:
                continue  # nobody has no home
            seen = seen_by(facts, post, viewer, place)
            shown = model.sees(facts, viewer, post, column)
            if place is Place.HOME and viewer is not None:
                shown = post.id in timelines.home(facts, viewer)
            assert (seen is not None) == shown, (post, place, viewer)
            if seen is not None:
                _check_nested(facts, post, seen, viewer)


def _check_nested(facts: Facts, post: Post, seen: Seen, viewer: Viewer) -> None:
    inner = None if seen.nested is None else seen.nested.id
    allowed = model.shown_within(facts, viewer, post)
    if inner == allowed:
        return
    # Only one's own retweet may show more: whom one blocks oneself.
    assert inner == ORIGINAL
    assert (post.retweet_of, post.author) == (ORIGINAL, viewer)
    author = facts.author_of(ORIGINAL)
    assert (viewer, author) in facts.blocks
    assert (author, viewer) not in facts.blocks
    assert not facts.people[author].protected or (viewer, author) in facts.follows
    assert not model.is_gone(facts, facts.posts[ORIGINAL])


@settings(max_examples=400, deadline=None)
@given(worlds(), st.sampled_from([NOBODY, *PEOPLE]), people)
def test_a_timeline_is_open_to_whom_the_table_opens_it(facts: Facts, viewer: Viewer, owner: int) -> None:
    user = users_of(facts)[UserId(owner)]
    opens = model.can_open(facts, owner, viewer) and not facts.people[owner].deleted
    assert may_see_tweets_of(user, relations_of(facts, viewer)) == opens
