"""What each act of a user makes of the facts, or why it is refused."""

from model.facts import PUBLIC, UNLISTED, Facts, Post
from model.sight import Place, sees

NOT_FOUND, FORBIDDEN, CONFLICT = "NotFound", "Forbidden", "Conflict"


class Refusal(Exception):
    """The rules forbid it; the argument is the kind."""


def follow(facts: Facts, user: int, other: int) -> bool:
    """Whether it holds now, or waits for a protected user."""
    _refuse_who_is_not_there(facts, user, other)
    if (user, other) in facts.blocks:
        raise Refusal(FORBIDDEN)
    if (user, other) in facts.follows:
        return True
    if facts.people[other].protected:
        facts.requests.add((user, other))
        return False
    facts.requests.discard((user, other))
    facts.follows.add((user, other))
    return True


def unfollow(facts: Facts, user: int, other: int) -> None:
    _refuse_who_is_not_there(facts, user, other)
    facts.follows.discard((user, other))
    facts.requests.discard((user, other))


def block(facts: Facts, user: int, other: int) -> None:
    """Also ends follows both ways."""
    _refuse_self_and_deleted(facts, user, other)
    facts.blocks.add((user, other))
    for pair in ((user, other), (other, user)):
        facts.follows.discard(pair)
        facts.requests.discard(pair)


def unblock(facts: Facts, user: int, other: int) -> None:
    _refuse_self_and_deleted(facts, user, other)
    facts.blocks.discard((user, other))


def mute(facts: Facts, user: int, other: int) -> None:
    _refuse_who_is_not_there(facts, user, other)
    facts.mutes.add((user, other))


def unmute(facts: Facts, user: int, other: int) -> None:
    _refuse_self_and_deleted(facts, user, other)
    facts.mutes.discard((user, other))


def accept(facts: Facts, user: int, requester: int) -> None:
    if (requester, user) in facts.requests:
        facts.requests.discard((requester, user))
        facts.follows.add((requester, user))
    elif (requester, user) not in facts.follows:
        raise Refusal(NOT_FOUND)


def reject(facts: Facts, user: int, requester: int) -> None:
    if (requester, user) not in facts.requests:
        raise Refusal(NOT_FOUND)
    facts.requests.discard((requester, user))


def protect(facts: Facts, user: int) -> None:
    facts.people[user].protected = True


def unprotect(facts: Facts, user: int) -> None:
    """Accepts the waiting requests."""
    facts.people[user].protected = False
    waiting = {pair for pair in facts.requests if pair[1] == user}
    facts.requests -= waiting
    facts.follows |= waiting


def delete_user(facts: Facts, user: int) -> None:
    facts.people[user].deleted = True


def aim(facts: Facts, user: int, tweet: int, *, share: bool) -> int:
    """The tweet that a reply, like, retweet or quote is of: the original of a retweet."""
    meant = facts.posts[tweet].retweet_of or tweet
    for id in (tweet, meant):
        if not sees(facts, user, facts.posts[id], Place.DIRECT):
            raise Refusal(NOT_FOUND)
    original = facts.posts[meant]
    private = facts.people[original.author].protected or original.audience not in (PUBLIC, UNLISTED)
    if share and private and original.author != user:
        raise Refusal(FORBIDDEN)
    return meant


def earlier_retweet(facts: Facts, user: int, original: int) -> int | None:
    """Retweeting again answers the first retweet."""
    standing = (post for post in facts.posts.values() if post.retweet_of == original and not post.deleted)
    return next((post.id for post in standing if post.author == user), None)


def post(facts: Facts, new: Post) -> None:
    facts.posts[new.id] = new


def delete(facts: Facts, user: int, tweet: int) -> None:
    post = facts.posts[tweet]
    if post.author == user:
        post.deleted = True
        return
    raise Refusal(FORBIDDEN if sees(facts, user, post, Place.DIRECT) else NOT_FOUND)


def like(facts: Facts, user: int, tweet: int) -> None:
    facts.likes.add((user, aim(facts, user, tweet, share=False)))


def unlike(facts: Facts, user: int, tweet: int) -> None:
    """Taking back what is there always works."""
    meant = facts.posts[tweet].retweet_of or tweet
    if (user, meant) in facts.likes:
        facts.likes.discard((user, meant))
    elif not sees(facts, user, facts.posts[tweet], Place.DIRECT):
        raise Refusal(NOT_FOUND)


def _refuse_self_and_deleted(facts: Facts, user: int, other: int) -> None:
    if user == other:
        raise Refusal(CONFLICT)
    if facts.people[other].deleted:
        raise Refusal(NOT_FOUND)


def _refuse_who_is_not_there(facts: Facts, user: int, other: int) -> None:
    """Those who block the user are not there for him."""
    _refuse_self_and_deleted(facts, user, other)
    if (other, user) in facts.blocks:
        raise Refusal(NOT_FOUND)
