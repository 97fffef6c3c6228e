"""Who follows whom, from a file of `followed,follower` lines."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roost_loadgen.faults import BadInput

HEADER = "followed,follower"
USER_NUMBER_DIGITS_MAX = 14  # a name is `u` and the number, and has at most 15 characters


@dataclass(frozen=True, slots=True)
class Follow:
    """One edge, in the file's own user numbers."""

    followed: int
    follower: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The edges in the file's order, each once, none from a user to himself."""

    follows: tuple[Follow, ...]

    def users_by_followers(self) -> list[int]:
        """All users, most followed first, equals by their number."""
        followers = Counter(follow.followed for follow in self.follows)
        users = {user for follow in self.follows for user in (follow.followed, follow.follower)}
        return sorted(users, key=lambda user: (-followers[user], user))


def read_graph(path: Path) -> Graph:
    """Read the file, or say which of its lines is wrong."""
    lines = numbered_lines(path)
    number, header = next(lines, (1, ""))
    if header.strip() != HEADER:
        raise BadInput(f"{path}:{number}: the first line must be `{HEADER}`, not `{header[:60]}`")
    follows: dict[Follow, None] = {}
    for number, line in lines:
        if line.strip():
            follow = _follow(line, f"{path}:{number}")
            if follow.followed != follow.follower:
                follows[follow] = None
    if not follows:
        raise BadInput(f"{path}: no follows in it")
    return Graph(tuple(follows))


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their numbers; only a line feed ends a line."""
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                try:
                    yield number, raw.decode("utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise BadInput(f"{path}:{number}: not UTF-8: {error.reason}") from error
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error


def _follow(line: str, place: str) -> Follow:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != 2:  # noqa: PLR2004  a line is a pair
        raise BadInput(f"{place}: `{line[:60]}` has {len(fields)} fields, must be `{HEADER}`")
    for field in fields:
        if not (field.isascii() and field.isdecimal() and len(field) <= USER_NUMBER_DIGITS_MAX):
            raise BadInput(f"{place}: `{field[:30]}` is not a number of at most {USER_NUMBER_DIGITS_MAX} digits")
    return Follow(followed=int(fields[0]), follower=int(fields[1]))
