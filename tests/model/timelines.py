"""Timelines, threads, lists, counts and notifications, each computed anew from all facts."""

from collections.abc import Iterable

from model.facts import Facts, Post, Viewer
from model.sight import Place, sees


def home(facts: Facts, viewer: int) -> list[int]:
    """All that the user posted, and of those whom the user follows now all but replies to others; newest first."""
    return _newest_first(
        post for post in facts.posts.values() if _belongs(facts, viewer, post) and sees(facts, viewer, post, Place.HOME)
    )


def _belongs(facts: Facts, viewer: int, post: Post) -> bool:
    if post.author == viewer:
        return True
    if (viewer, post.author) not in facts.follows:
        return False
    if post.reply_to is None:
        return True
    answered = facts.author_of(post.reply_to)
    return answered in (viewer, post.author) or (viewer, answered) in facts.follows


def user_timeline(facts: Facts, owner: int, viewer: Viewer) -> list[int]:
    """All that the user posted and that the viewer may see, newest first."""
    return _listed(facts, viewer, (post for post in facts.posts.values() if post.author == owner))


def replies(facts: Facts, tweet: int, viewer: Viewer) -> list[int]:
    """Direct replies, oldest first."""
    return _listed(facts, viewer, (post for post in facts.posts.values() if post.reply_to == tweet))[::-1]


def ancestors(facts: Facts, tweet: int, viewer: Viewer) -> list[tuple[int, bool]]:
    """What the tweet answers, root first, each with whether the viewer sees it."""
    chain: list[tuple[int, bool]] = []
    above = facts.posts[tweet].reply_to
    while above is not None:
        post = facts.posts[above]
        chain.append((above, sees(facts, viewer, post, Place.LISTED)))
        above = post.reply_to
    return chain[::-1]


def quotes(facts: Facts, tweet: int, viewer: Viewer) -> list[int]:
    return _listed(facts, viewer, (post for post in facts.posts.values() if post.quote_of == tweet))


def retweeters(facts: Facts, tweet: int, viewer: Viewer) -> list[int]:
    retweets = _listed(facts, viewer, (post for post in facts.posts.values() if post.retweet_of == tweet))
    return [facts.author_of(retweet) for retweet in retweets]


def liked(facts: Facts, user: int) -> set[int]:
    """What the user likes and sees."""
    mine = {tweet for who, tweet in facts.likes if who == user}
    return {tweet for tweet in mine if sees(facts, user, facts.posts[tweet], Place.LISTED)}


def tweet_counts(facts: Facts, tweet: int) -> tuple[int, int, int, int]:
    """Replies, retweets, likes and quotes: every act that exists, whoever did it."""
    standing = [post for post in facts.posts.values() if not post.deleted]
    return (
        sum(post.reply_to == tweet for post in standing),
        sum(post.retweet_of == tweet for post in standing),
        sum(liked == tweet for _, liked in facts.likes),
        sum(post.quote_of == tweet for post in standing),
    )


def user_counts(facts: Facts, user: int) -> tuple[int, int, int]:
    """Tweets, followers and followed."""
    return (
        sum(post.author == user and not post.deleted for post in facts.posts.values()),
        sum(followed == user for _, followed in facts.follows),
        sum(follower == user for follower, _ in facts.follows),
    )


Told = tuple[str, int, int | None]
"""Kind, who did it, and the tweet where the act has one."""


def notifications(facts: Facts, user: int) -> set[Told]:
    """What others did to the user, of which he is told now."""
    told: set[Told] = {
        (kind, post.author, post.id)
        for post in facts.posts.values()
        if (kind := _act_on(facts, user, post)) is not None and sees(facts, user, post, Place.HOME)
    }
    told |= {("like", who, tweet) for who, tweet in facts.likes if _is_liked(facts, user, tweet)}
    told |= {("follow", who, None) for who, whom in facts.follows if whom == user}
    told |= {("follow_request", who, None) for who, whom in facts.requests if whom == user}
    return {act for act in told if act[1] != user and _is_told_of(facts, user, act[1])}


def _act_on(facts: Facts, user: int, post: Post) -> str | None:
    """A tweet that is several at once is told once."""
    aims = (("retweet", post.retweet_of), ("reply", post.reply_to), ("quote", post.quote_of))
    for kind, aim in aims:
        if aim is not None and facts.author_of(aim) == user:
            return kind
    return "mention" if user in post.mentions else None


def _is_liked(facts: Facts, user: int, tweet: int) -> bool:
    post = facts.posts[tweet]
    return post.author == user and sees(facts, user, post, Place.HOME)


def _is_told_of(facts: Facts, user: int, actor: int) -> bool:
    hidden = facts.people[actor].deleted or facts.blocked(user, actor) or (user, actor) in facts.mutes
    return not hidden


def _listed(facts: Facts, viewer: Viewer, posts: Iterable[Post]) -> list[int]:
    return _newest_first(post for post in posts if sees(facts, viewer, post, Place.LISTED))


def _newest_first(posts: Iterable[Post]) -> list[int]:
    return sorted((post.id for post in posts), reverse=True)
