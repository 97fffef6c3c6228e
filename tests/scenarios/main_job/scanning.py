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
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"})
_LINK = re.compile(r"https?://(?:t\.co/[a-z0-9]+|\S+)", re.IGNORECASE)
_MENTION = re.compile(r"(?:(?<![A-Za-z0-9_!#$%&*@\uff20])|(?<=RT))[@\uff20]([A-Za-z0-9_]{1,20})")
_LIST = re.compile(r"/[A-Za-z]")  # @name/list is a list of that user, no mention of him
_TAG_EXTRAS = "_\u200c\u200d\u00b7\u05be\u05f3\u05f4\u0f0b\u0f0c\u3003\u301c\u309b\u309c\u30a0\u30fb\ua67e\uff5e"


@cache
def words(message: str) -> tuple[str, ...]:
    """The words of a message, without case and accents."""
    folded = unicodedata.normalize("NFKD", message).casefold()
    plain = "".join(character for character in folded if not _is_ignored(character)).translate(_PLAIN_LETTERS)
    return tuple("".join(map(_spaced, unicodedata.normalize("NFC", plain))).split())


@cache
def hashtags(message: str) -> frozenset[str]:
    """The hashtags of a message, in lower case: letters, marks, digits and underscores, not digits only."""
    found = set()
    at = 0
    while (at := message.find("#", at)) >= 0:
        end = at + 1
        while end < len(message) and _may_stand_in_a_tag(message[end]):
            end += 1
        tag = message[at + 1 : end]
        before = message[at - 1] if at else " "
        begins = before != "&" and (before in "\ufe0e\ufe0f" or not _may_stand_in_a_tag(before))
        ends = not message.startswith(("#", "\uff03", "://"), end)
        has_letter = any(unicodedata.category(one)[0] in "LM" for one in tag)
        if begins and ends and has_letter and not _is_in_a_link(message, at):
            found.add(tag.casefold())
        at = end
    return frozenset(found)


@cache
def mentions(message: str) -> frozenset[str]:
    """The names after an @ in a message, in lower case, whoever has them."""
    return frozenset(
        found[1].lower()
        for found in _MENTION.finditer(message)
        if not message.startswith(("@", "\uff20", "://"), found.end())
        and not _LIST.match(message, found.end())
        and not _is_in_a_link(message, found.start())
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


def _is_ignored(character: str) -> bool:
    """Accents, and what cannot be seen."""
    return (
        unicodedata.combining(character) >= _ACCENT_CLASSES_FROM
        or unicodedata.category(character) in {"Cf", "Me"}
        or "VARIATION SELECTOR" in unicodedata.name(character, "")
    )


def _spaced(character: str) -> str:
    category, name = unicodedata.category(character), unicodedata.name(character, "")
    if category == "So" or (category[0] in "LMN" and name.startswith(_WORD_A_CHARACTER)):
        return f" {character} "
    return character if category[0] in "LMN" or character == "_" else " "


def _is_in_a_link(message: str, at: int) -> bool:
    return any(link.start() <= at < link.end() for link in _LINK.finditer(message))


def _may_stand_in_a_tag(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd" or character in _TAG_EXTRAS
