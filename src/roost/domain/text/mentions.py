"""Mentions of users: `@name`. `@name/list` names a list of theirs and mentions nobody."""

import re
from dataclasses import dataclass

from roost.domain.text.characters import AT_SIGNS, LATIN_ACCENTS, SPACES


@dataclass(frozen=True, slots=True)
class Mention:
    username: str  # as written, without the sign
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Handle:
    """What an at sign introduces: a user, or a list when `list_slug` is not empty."""

    username: str
    list_slug: str  # with its slash
    start: int
    end: int


USERNAME_LENGTH_MAX = 20  # of the text rules; what longer names begin with is still a mention
LIST_SLUG_LENGTH_MAX = 25

_HANDLE = re.compile(
    rf"[{AT_SIGNS}]([A-Za-z0-9_]{{1,{USERNAME_LENGTH_MAX}}})"
    rf"(/[A-Za-z][A-Za-z0-9_-]{{0,{LIST_SLUG_LENGTH_MAX - 1}}})?"
)
_MAY_NOT_PRECEDE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_!#$%&*@＠")
_RETWEET_MARK = re.compile(r"(?:^|[^A-Za-z0-9_+~.-])[Rr][Tt]$")  # as in the old "RT@name text"
_RETWEET_MARK_REACH = 3
_MAY_NOT_FOLLOW = re.compile(rf"[{AT_SIGNS}{LATIN_ACCENTS}]|://")
_REPLY = re.compile(rf"[{SPACES}]*+[{AT_SIGNS}]([A-Za-z0-9_]{{1,{USERNAME_LENGTH_MAX}}})")


def find_mentions(text: str) -> list[Mention]:
    """All mentions in order, those inside of URLs included."""
    if "@" not in text and "＠" not in text:
        return []
    return [Mention(handle.username, handle.start, handle.end) for handle in find_handles(text) if not handle.list_slug]


def find_handles(text: str) -> list[Handle]:
    """All mentions of users and of lists, in order."""
    handles: list[Handle] = []
    consumed = 0
    for match in _HANDLE.finditer(text):
        start, end = match.span()
        apart = not start or (start > consumed and _may_precede(text, start))
        consumed = end
        if apart and not _MAY_NOT_FOLLOW.match(text, end):
            handles.append(Handle(match[1], match[2] or "", start, end))
    return handles


def reply_username(text: str) -> str | None:
    """The name that the text begins with, if it does: whom it is addressed to."""
    match = _REPLY.match(text)
    if match is None or _MAY_NOT_FOLLOW.match(text, match.end()):
        return None
    return match[1]


def _may_precede(text: str, start: int) -> bool:
    if text[start - 1] not in _MAY_NOT_PRECEDE:
        return True
    return _RETWEET_MARK.search(text[max(0, start - _RETWEET_MARK_REACH) : start]) is not None
