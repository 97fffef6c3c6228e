"""How text becomes words: the one tokenisation of documents and queries alike.

What is promised:
- case and accents make no difference (Café = cafe), nor do width, ligatures and other ways to write the
  same letters; optional vowel marks of Arabic and Hebrew go, the vowel signs of Indic scripts stay;
- a word is a run of letters, digits, marks and underscores; everything else separates, so `foo#bar` is
  `foo`, `bar`, and `don't` is `don`, `t`;
- scripts written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese), and Korean, whose
  particles cling to their words, give a word a character: every substring, from one character on, is a
  sequence of words and finds the text;
- a symbol such as an emoji is a word of its own.
"""

import re
import unicodedata
from collections.abc import Callable

from roost.domain.text.hashtags import normalise_tag

TEXT_CHARACTERS_MAX = 10_000
"""What lies beyond is not indexed. The longest message is far shorter; this bounds a careless import."""

TAG_CHARACTERS_MAX = 280
CACHED_CHARACTERS_MAX = 1 << 14
"""Entries of a character table, some 2 MB: hostile text must not fill it with all of Unicode."""

_ASCII_WORD = re.compile(r"[a-z0-9_]+")
_TAG_BREAK = re.compile(r"[\x00-/:-^`{-\x7f\s\ud800-\udfff]")
_LANGUAGE = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,3}")

# Ends inclusive. Hiragana to Bopomofo, Hangul, ideographs; Thai and Lao; Burmese; Jamo; Khmer.
_A_WORD_A_CHARACTER = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x11FF),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3040, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
# Letters with a stroke or a joint, which Unicode does not decompose.
_PLAIN_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe"}
_TATWEEL = "\u0640"  # stretches an Arabic word, spells nothing
_OPTIONAL_VOWELS = range(10, 36)  # combining classes of Hebrew points and Arabic harakat
_ACCENTS_FROM = 200  # from this combining class on a mark stands above or below: an accent


class _CharacterTable(dict[int, str | None]):
    """For `str.translate`: computes a character's replacement when it is first met, and keeps it."""

    def __init__(self, replace: Callable[[str], str | None]) -> None:
        super().__init__()
        self._replace = replace

    def __missing__(self, code: int) -> str | None:
        replacement = self._replace(chr(code))
        if len(self) < CACHED_CHARACTERS_MAX:
            self[code] = replacement
        return replacement


def words_of(text: str) -> tuple[str, ...]:
    """The words in their order, folded."""
    text = text[:TEXT_CHARACTERS_MAX]
    if text.isascii():
        return tuple(_ASCII_WORD.findall(text.lower()))
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_WITHOUT_ACCENTS)
    # Composed again: a Hangul syllable, or a kana with its voicing mark, is one character.
    return tuple(unicodedata.normalize("NFC", plain).translate(_SEPARATED).split())


def tag_key(tag: str) -> str | None:
    """What two spellings of one hashtag share: case makes no difference, accents do.

    `tag` may carry its sign. None where no hashtag is spelled so. A key is its own key.
    """
    key = normalise_tag(tag)
    spelled = 0 < len(key) <= TAG_CHARACTERS_MAX and not _TAG_BREAK.search(key)
    return key if spelled else None


def language_keys(tag: str) -> tuple[str, ...]:
    """A language tag and its shorter forms, longest first: pt_BR is pt-br and pt. Empty where it is none."""
    key = tag.lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(key):
        return ()
    parts = key.split("-")
    return tuple("-".join(parts[:size]) for size in range(len(parts), 0, -1))


def _without_accent(character: str) -> str | None:
    category, stacking = unicodedata.category(character), unicodedata.combining(character)
    is_accent = stacking >= _ACCENTS_FROM or stacking in _OPTIONAL_VOWELS
    is_selector = category == "Mn" and "VARIATION SELECTOR" in unicodedata.name(character, "")
    ignored = is_accent or is_selector or category in ("Cf", "Me") or character == _TATWEEL
    return None if ignored else character


def _separated(character: str) -> str:
    code = ord(character)
    category = unicodedata.category(character)
    if category == "So" or (category[0] in "LMN" and any(low <= code <= high for low, high in _A_WORD_A_CHARACTER)):
        return f" {character} "
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character == "_" or category[0] in "LMN":
        return _PLAIN_LETTERS.get(character, character)
    return " "


_WITHOUT_ACCENTS = _CharacterTable(_without_accent)
_SEPARATED = _CharacterTable(_separated)
