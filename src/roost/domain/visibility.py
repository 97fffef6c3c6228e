"""Who sees what: the table of the interface as functions of plain values.

A viewer is seen through his Relations; authors through their User. The rules are asked when a thing is
read or sent, never when it is stored.
"""

from enum import Enum, auto

from roost.domain.ids import UserId
from roost.domain.relation import Relations
from roost.domain.tweet import Audience, Tweet
from roost.domain.user import User


class Place(Enum):
    """Where a tweet would be shown."""

    HOME = auto()  # home timelines, push, notifications
    LISTED = auto()  # user timelines, threads, search, hashtags, lists
    DIRECT = auto()  # asked for by its id, and its content


def may_see_user(author: User, viewer: Relations) -> bool:
    """The profile of a user: gone for those whom he blocked, and once deleted."""
    return not author.deleted and author.id not in viewer.blocked_by


def may_see_tweets_of(author: User, viewer: Relations) -> bool:
    """Whether anything that `author` posts may be seen at all: blocks either way, protection, deletion."""
    if author.id == viewer.viewer:
        return not author.deleted
    if author.deleted or viewer.blocked(author.id):
        return False
    return not author.protected or author.id in viewer.follows


def may_see(tweet: Tweet, author: User, viewer: Relations, place: Place) -> bool:
    """Whether this tweet, taken alone, may be shown there. What is nested in it is asked separately."""
    if tweet.deleted or not may_see_tweets_of(author, viewer):
        return False
    if author.id == viewer.viewer:
        return True
    if place is Place.HOME and author.id in viewer.mutes:
        return False
    return in_audience(tweet, viewer)


def in_audience(tweet: Tweet, viewer: Relations) -> bool:
    """Whether the tweet's audience includes the viewer, blocks and protection aside."""
    if tweet.audience in (Audience.PUBLIC, Audience.UNLISTED) or tweet.author == viewer.viewer:
        return True
    if any(mention.user_id == viewer.viewer for mention in tweet.mentions):
        return True
    return tweet.audience is Audience.FOLLOWERS and tweet.author in viewer.follows


def home_includes(tweet: Tweet, viewer: Relations) -> bool:
    """Whether the home timeline's own rule takes the tweet, visibility aside.

    The viewer's own, and of the followed: tweets, retweets, quotes, and replies to the viewer, to somebody
    followed or to their own author.
    """
    if tweet.author == viewer.viewer:
        return True
    if tweet.author not in viewer.follows:
        return False
    answered = tweet.reply_to_author
    return answered is None or answered in (viewer.viewer, tweet.author) or answered in viewer.follows


def is_plain(tweet: Tweet, author: User) -> bool:
    """A public tweet of an unprotected author, which neither answers nor shows another: most are."""
    return (
        tweet.audience in (Audience.PUBLIC, Audience.UNLISTED)
        and tweet.reply_to_author is None
        and tweet.nested is None
        and not tweet.deleted
        and not author.deleted
        and not author.protected
    )


def home_shows_plain(author: UserId, viewer: Relations) -> bool:
    """All the rules of the home timeline at once, for a tweet that is plain."""
    if author == viewer.viewer:
        return True
    return author in viewer.follows and author not in viewer.mutes and not viewer.blocked(author)


def may_see_nested(outer: Tweet, nested: Tweet, author: User, viewer: Relations, place: Place) -> bool:
    """Whether the original of a retweet or quote may be shown within it.

    A mute hides the retweets by others of the muted on the home timeline, but not what somebody quotes.
    """
    if not may_see(nested, author, viewer, Place.DIRECT):
        # The viewer's own block does not take the originals out of his own retweets.
        own_retweet = outer.retweet_of is not None and outer.author == viewer.viewer
        return (
            own_retweet
            and not nested.deleted
            and not author.deleted
            and author.id not in viewer.blocked_by
            and (not author.protected or author.id in viewer.follows)
            and in_audience(nested, viewer)
        )
    muted = place is Place.HOME and nested.author in viewer.mutes
    return not muted or outer.quote_of is not None or outer.author == viewer.viewer


def may_share(original: Tweet, author: User, viewer: Relations) -> bool:
    """Whether what may be seen may also be retweeted or quoted by the viewer: one's own always, else public only."""
    if original.author == viewer.viewer:
        return True
    return not author.protected and original.audience in (Audience.PUBLIC, Audience.UNLISTED)
