"""What a roost must know after a crash: every act that was acknowledged; those in flight may be there or not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fact:
    """A yes or no that one actor sets. `asked` is what was asked for and not answered."""

    known: bool = False
    asked: bool | None = None

    @property
    def possible(self) -> set[bool]:
        return {self.known} if self.asked is None else {self.known, self.asked}

    def acknowledged(self) -> None:
        if self.asked is None:
            raise AssertionError("nothing was asked")
        self.known, self.asked = self.asked, None

    def refused(self) -> None:
        self.asked = None


@dataclass(slots=True, eq=False)
class Posted:
    """A tweet or retweet by its ref. `id` None: not answered yet; with the same ref it is asked for again."""

    author: str
    ref: str
    message: str
    mentioned: str | None = None
    retweet_of: "Posted | None" = None
    id: str | None = None
    refused: bool = False
    deleted: Fact = field(default_factory=Fact)
    likes: dict[str, Fact] = field(default_factory=dict)

    @property
    def may_show(self) -> bool:
        """Whether it may be seen now."""
        original = self.retweet_of
        return not self.refused and False in self.deleted.possible and (original is None or original.may_show)

    @property
    def must_show(self) -> bool:
        original = self.retweet_of
        there = self.id is not None and not self.refused and self.deleted.possible == {False}
        return there and (original is None or original.must_show)

    @property
    def word(self) -> str:
        """Only this tweet has it."""
        return self.message.split()[0]


@dataclass
class Oracle:
    """All facts of all actors, by name. `follows` by (who, whom)."""

    names: list[str]
    posted: list[Posted] = field(default_factory=list)
    follows: dict[tuple[str, str], Fact] = field(default_factory=dict)
    acknowledged: int = 0

    def by(self, author: str) -> Iterator[Posted]:
        return (one for one in self.posted if one.author == author)

    def on_home_of(self, name: str) -> Iterator[Posted]:
        """All posts of who may be on that home timeline; nobody replies here."""
        return (one for one in self.posted if one.author == name or self.follow(name, one.author).known)

    def follow(self, who: str, whom: str) -> Fact:
        return self.follows.setdefault((who, whom), Fact())

    def unanswered(self) -> list[Posted]:
        return [one for one in self.posted if one.id is None and not one.refused]

    def shown_originals(self) -> list[Posted]:
        return [one for one in self.posted if one.must_show and one.retweet_of is None]

    def retweets_of(self, original: Posted) -> Iterable[Posted]:
        return (one for one in self.posted if one.retweet_of is original and one.must_show)

    def notifications_of(self, name: str) -> list[tuple[str, str, str | None]]:
        """Kind, who did it, and the tweet that it is about, once everything is answered."""
        told: list[tuple[str, str, str | None]] = [
            ("follow", who, None) for (who, whom), fact in self.follows.items() if whom == name and fact.known
        ]
        for one in self.posted:
            if not one.must_show:
                continue
            if one.mentioned == name and one.author != name:
                told.append(("mention", one.author, one.id))
            if one.retweet_of is not None and one.retweet_of.author == name and one.author != name:
                told.append(("retweet", one.author, one.id))
            if one.author == name:
                told += [("like", who, one.id) for who, fact in one.likes.items() if fact.known and who != name]
        return sorted(told, key=str)
