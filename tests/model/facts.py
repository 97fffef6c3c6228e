"""What stands, as plain facts. Nothing of the product is used here: ids are numbers, relations are sets of pairs."""

from dataclasses import dataclass, field

PUBLIC, UNLISTED, FOLLOWERS, MENTIONED = "public", "unlisted", "followers", "mentioned"

STRANGER = None
"""The viewer who is not signed in."""

Viewer = int | None
Pairs = set[tuple[int, int]]


@dataclass
class Person:
    id: int
    protected: bool = False
    deleted: bool = False


@dataclass
class Post:
    """A tweet, reply, retweet or quote. What it answers, shares or quotes is never itself a retweet."""

    id: int
    author: int
    reply_to: int | None = None
    retweet_of: int | None = None
    quote_of: int | None = None
    mentions: frozenset[int] = frozenset()
    audience: str = PUBLIC
    deleted: bool = False


@dataclass
class Facts:
    """Pairs are (who does it, to whom); likes are (who, which tweet)."""

    people: dict[int, Person] = field(default_factory=dict)
    posts: dict[int, Post] = field(default_factory=dict)
    follows: Pairs = field(default_factory=set)
    requests: Pairs = field(default_factory=set)
    blocks: Pairs = field(default_factory=set)
    mutes: Pairs = field(default_factory=set)
    likes: Pairs = field(default_factory=set)

    def author_of(self, post: int) -> int:
        """Kept also when that tweet is deleted."""
        return self.posts[post].author

    def blocked(self, one: int, other: int) -> bool:
        return (one, other) in self.blocks or (other, one) in self.blocks

    def copy(self) -> "Facts":
        return Facts(
            {id: Person(person.id, person.protected, person.deleted) for id, person in self.people.items()},
            {id: Post(**vars(post)) for id, post in self.posts.items()},
            *(set(pairs) for pairs in (self.follows, self.requests, self.blocks, self.mutes, self.likes)),
        )
