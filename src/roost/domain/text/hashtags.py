"""Hashtags: what is one, and the key under which its tweets are found."""

import re
import unicodedata
from dataclasses import dataclass

from roost.domain.text.characters import HASH_SIGNS


@dataclass(frozen=True, slots=True)
class Hashtag:
    tag: str  # as written, without the sign
    start: int
    end: int


# Beside letters, marks and decimal digits: joiners, and punctuation that is written within words.
_WITHIN_WORDS = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
)
_EMOJI_STYLES = "\ufe0e\ufe0f"  # marks by category, but a hashtag may follow the emoji they belong to
_SIGN = re.compile(rf"[{HASH_SIGNS}](?![\ufe0f\u20e3{HASH_SIGNS}])")  # not the keycap emoji
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]*")
_AFTER = (*HASH_SIGNS, "://")


def find_hashtags(text: str) -> list[Hashtag]:
    """All hashtags in order, those inside of URLs included."""
    tags: list[Hashtag] = []
    if "#" not in text and "＃" not in text:
        return tags
    end = 0
    for sign in _SIGN.finditer(text):
        start = sign.start()
        if start < end or (start and not _may_precede(text[start - 1])):
            continue
        end, has_letter = _word(text, start + 1)
        if has_letter and not text.startswith(_AFTER, end):
            tags.append(Hashtag(text[start + 1 : end], start, end))
    return tags


def normalise_tag(tag: str) -> str:
    """The key of a hashtag: equal for tags that differ in case or in how accents are encoded.

    Folding works on decomposed text (Unicode's canonical caseless matching), so a key is its own key.
    """
    bare = tag.removeprefix("#").removeprefix("＃")
    if bare.isascii():
        return bare.lower()
    decomposed = unicodedata.normalize("NFD", bare)
    folded = unicodedata.normalize("NFD", decomposed.casefold()).casefold()
    return unicodedata.normalize("NFC", folded)


def _may_precede(character: str) -> bool:
    if character in _EMOJI_STYLES:
        return True
    return character != "&" and not _is_letter(character) and not _is_other(character)


def _word(text: str, start: int) -> tuple[int, bool]:
    """Where the run of hashtag characters from `start` ends, and whether a letter or mark is in it."""
    ascii_run = _ASCII_WORD.match(text, start)
    end = ascii_run.end() if ascii_run else start
    has_letter = text[start:end].strip("_0123456789") != ""
    while end < len(text):
        if _is_letter(text[end]):
            has_letter = True
        elif not _is_other(text[end]):
            break
        end += 1
    return end, has_letter


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LM"


def _is_other(character: str) -> bool:
    return character in _WITHIN_WORDS or unicodedata.category(character) == "Nd"
