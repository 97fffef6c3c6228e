"""Who sees what: the table of the interface, spelled out."""

from enum import Enum

from model.facts import FOLLOWERS, PUBLIC, UNLISTED, Facts, Post, Viewer


class Place(Enum):
    """The table's columns."""

    HOME = "HT, push, notifications"
    LISTED = "UT, threads, search, hashtag, lists"
    DIRECT = "GET tweet, content"


def is_gone(facts: Facts, post: Post) -> bool:
    """A deleted tweet leaves everywhere, with the retweets of it; so does all of a deleted user."""
    if post.deleted or facts.people[post.author].deleted:
        return True
    return post.retweet_of is not None and is_gone(facts, facts.posts[post.retweet_of])


def is_barred(facts: Facts, author: int, viewer: Viewer) -> bool:
    """A block, either way, or protection that the viewer was not accepted through."""
    if viewer == author:
        return False
    if viewer is not None and facts.blocked(viewer, author):
        return True
    return facts.people[author].protected and (viewer, author) not in facts.follows


def is_in_audience(facts: Facts, post: Post, viewer: Viewer) -> bool:
    if post.audience in (PUBLIC, UNLISTED) or viewer == post.author or viewer in post.mentions:
        return True
    return post.audience == FOLLOWERS and (viewer, post.author) in facts.follows


def sees(facts: Facts, viewer: Viewer, post: Post, place: Place) -> bool:
    """Whether the tweet is shown to the viewer there."""
    if is_gone(facts, post):
        return False
    if viewer == post.author:  # own retweets always show to their author
        return True
    shared = [post] if post.retweet_of is None else [post, facts.posts[post.retweet_of]]
    return all(_passes(facts, viewer, each, place) for each in shared)


def _passes(facts: Facts, viewer: Viewer, post: Post, place: Place) -> bool:
    if viewer == post.author:
        return True
    if is_barred(facts, post.author, viewer) or not is_in_audience(facts, post, viewer):
        return False
    return not (place is Place.HOME and (viewer, post.author) in facts.mutes)


def shown_within(facts: Facts, viewer: Viewer, post: Post) -> int | None:
    """The tweet shown within a retweet or quote. A muted author's tweet inside somebody else's quote shows."""
    inner_id = post.retweet_of or post.quote_of
    if inner_id is None:
        return None
    inner = facts.posts[inner_id]
    return inner_id if sees(facts, viewer, inner, Place.DIRECT) else None


def can_open(facts: Facts, user: int, viewer: Viewer) -> bool:
    """Whether the viewer may read the user's timeline at all; else the answer is 403."""
    return not is_barred(facts, user, viewer)
