"""What a search should find, decided by looking at one message after another.

Written apart from the server's own parsing, and slower: words, hashtags and mentions as the interface
promises them, for queries in ASCII.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

Matches = Callable[[str, str], bool]  # the author's name, the message

# Scripts without spaces: there a character is a word.
_WORD_A_CHARACTER = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "THAI", "LAO", "KHMER", "MYANMAR")
_ACCENT_CLASSES_FROM = 200
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?:(?<![A-Za-z0-9_!#$%&*@\uff20])|(?<=RT))[@\uff20]([A-Za-z0-9_]{1,20})")
_TAG_EXTRAS = "_\u200c\u200d\u00b7"


@cache
def words(message: str) -> tuple[str, ...]:
    """The words of a message, without case and accents."""
    folded = unicodedata.normalize("NFKD", message).casefold()
    return tuple("".join(_spaced(character) for character in folded).split())


@cache
def hashtags(message: str) -> frozenset[str]:
    """The hashtags of a message, in lower case: letters, marks, digits and underscores, not digits only."""
    message = _LINK.sub(lambda link: " " * len(link[0]), message)
    found = set()
    at = 0
    while (at := message.find("#", at)) >= 0:
        end = at + 1
        while end < len(message) and _may_stand_in_a_tag(message[end]):
            end += 1
        tag = message[at + 1 : end]
        before = message[at - 1] if at else " "
        begins = before != "&" and (before == "\ufe0f" or not _may_stand_in_a_tag(before))
        ends = not message.startswith(("#", "\uff03", "://"), end)
        if begins and ends and any(unicodedata.category(one)[0] in "LM" for one in tag):
            found.add(tag.casefold())
        at = end
    return frozenset(found)


@cache
def mentions(message: str) -> frozenset[str]:
    """The names after an @ in a message, in lower case, whoever has them."""
    message = _LINK.sub(" ", message)
    return frozenset(
        found[1].lower()
        for found in _MENTION.finditer(message)
        if not message.startswith(("@", "\uff20", "://"), found.end())
    )


def phrase(text: str) -> Matches:
    """The words of `text`, one right after the other."""
    sought = words(text)
    return lambda _, message: any(
        words(message)[at : at + len(sought)] == sought for at in range(len(words(message)) - len(sought) + 1)
    )


def tagged(tag: str) -> Matches:
    return lambda _, message: tag.lower() in hashtags(message)


def naming(name: str) -> Matches:
    return lambda _, message: name.lower() in mentions(message)


def by(name: str) -> Matches:
    return lambda author, _: author == name


def without(matches: Matches) -> Matches:
    return lambda author, message: not matches(author, message)


def every(*conditions: Matches) -> Matches:
    return lambda author, message: all(matches(author, message) for matches in conditions)


def _spaced(character: str) -> str:
    category = unicodedata.category(character)
    name = unicodedata.name(character, "")
    if unicodedata.combining(character) >= _ACCENT_CLASSES_FROM or category == "Cf":
        return ""
    if category == "Me" or name.startswith("VARIATION SELECTOR"):
        return ""
    if category == "So" or (category[0] in "LMN" and name.startswith(_WORD_A_CHARACTER)):
        return f" {character} "
    return character if category[0] in "LMN" or character == "_" else " "


def _may_stand_in_a_tag(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd" or character in _TAG_EXTRAS
