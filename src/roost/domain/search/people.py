"""Finding users by the beginning of their name or of a word of their display name."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from roost.domain.errors import Invalid
from roost.domain.ids import ID_MAX, UserId, Version
from roost.domain.search.words import words_of

PREFIX_CHARACTERS_MAX = 100
DISPLAY_WORDS_MAX = 12
"""So many words of a display name can begin a match; it bounds the rows that a user takes."""

KEY_CHARACTERS_MAX = 64


@dataclass(frozen=True)
class IndexedUser:
    """A user as search sees it."""

    user_id: UserId
    name: str
    display_name: str
    followers: int
    version: Version = Version(0)

    def __post_init__(self) -> None:
        if not (0 <= self.user_id <= ID_MAX and 0 <= self.followers <= ID_MAX):
            raise ValueError(f"user {self.user_id}: a number does not fit 63 bits")

    @cached_property
    def keys(self) -> frozenset[str]:
        """What a prefix is compared with: the name, and the display name from each of its words on."""
        words = words_of(self.display_name)
        starts = range(min(len(words), DISPLAY_WORDS_MAX))
        shown = {" ".join(words[start:])[:KEY_CHARACTERS_MAX] for start in starts}
        return frozenset({self.name.lower(), *shown})


@dataclass(frozen=True, slots=True)
class UserPrefix:
    """What somebody typed to find a user."""

    text: str

    def matches(self, user: IndexedUser) -> bool:
        return any(key.startswith(self.text) for key in user.keys)

    def is_name_of(self, user: IndexedUser) -> bool:
        return self.text == user.name.lower()


def parse_user_prefix(text: str) -> UserPrefix:
    """Raises Invalid, naming the field `q`, where nothing is left to look for."""
    if len(text) > PREFIX_CHARACTERS_MAX:
        raise Invalid.field("q", f"{len(text)} characters, at most {PREFIX_CHARACTERS_MAX} allowed")
    folded = " ".join(words_of(text))[:KEY_CHARACTERS_MAX]
    if not folded:
        raise Invalid.field("q", "nothing to search for: at least one letter or digit is required")
    return UserPrefix(folded)


def ranked_users(prefix: UserPrefix, found: Iterable[IndexedUser], limit: int) -> list[UserId]:
    """The exact name first, then by followers, the older account before the younger."""
    order = sorted(found, key=lambda u: (not prefix.is_name_of(u), -u.followers, u.user_id))
    return [user.user_id for user in order[:limit]]
