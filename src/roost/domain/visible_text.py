"""Which characters a name or a description may hold: what is written must be what is seen.

Refused are characters that hide, reorder or overflow: controls, bidirectional overrides and isolates,
zero-width and other invisible characters, private use, surrogates, piled-up combining marks.
Joiners are kept where a script or an emoji needs them, and nowhere else.
"""

import unicodedata

MARKS_MAX = 4  # combining marks on one letter; pointed Hebrew and Tibetan need up to 4

ZWNJ, ZWJ = 0x200C, 0x200D
TEXT_STYLE, EMOJI_STYLE = 0xFE0E, 0xFE0F
BLACK_FLAG, TAG_END = 0x1F3F4, 0xE007F
TAG_LETTERS = range(0xE0030, 0xE007B)
SKIN_TONES = range(0x1F3FB, 0x1F400)
KEYCAP_BASES = frozenset("0123456789#*")
# Arrows to dingbats, without the Braille patterns (one of which is blank), and the pictographs.
EMOJI = (range(0x203C, 0x203D), range(0x2049, 0x204A), range(0x2122, 0x2123), range(0x2139, 0x213A),
         range(0x2190, 0x2800), range(0x2900, 0x2C00), range(0x3030, 0x3031), range(0x303D, 0x303E),
         range(0x3297, 0x329A), range(0x1F000, 0x1FB00))  # fmt: skip
IDEOGRAPHS = (
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xF900, 0xFB00),
    range(0x20000, 0x32400),
)
IDEOGRAPH_STYLES = range(0xE0100, 0xE01F0)
# Letters and marks by category that are drawn as nothing (Unicode's default ignorables, Braille blank).
INVISIBLE = (range(0x034F, 0x0350), range(0x115F, 0x1161), range(0x17B4, 0x17B6), range(0x180B, 0x1810),
             range(0x2800, 0x2801), range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFFA0, 0xFFA1),
             range(0xFFF0, 0xFFFD), range(0xE0000, 0xE1000))  # fmt: skip
JOINED_SCRIPTS = ("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN")
VIRAMA_CLASS = 9
REFUSED_CATEGORIES = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "half of a surrogate pair",
    "Co": "a private-use character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


def fault_in(text: str, *, newlines: bool = False) -> str | None:
    """What must not be in `text`, as a fact to show, or None. `text` is in NFC already."""
    marks = 0
    for place, char in enumerate(text):
        if char == "\n" and newlines:
            marks = 0
            continue
        fault = _fault_at(text, place)
        if fault is not None:
            return f"{fault} (U+{ord(char):04X}) at character {place + 1}"
        marks = marks + 1 if unicodedata.category(char) in {"Mn", "Me"} else 0
        if marks > MARKS_MAX:
            return f"more than {MARKS_MAX} combining marks on the character before character {place + 1}"
    if text and unicodedata.category(text[0]).startswith("M"):
        return "a combining mark with nothing before it"
    return None


def _fault_at(text: str, place: int) -> str | None:
    code = ord(text[place])
    before = text[place - 1] if place else ""
    after = text[place + 1] if place + 1 < len(text) else ""
    if code in {ZWJ, ZWNJ}:
        fits = _joins_letters(before, after) or (code == ZWJ and _joins_emoji(text, place))
        return None if fits else "a zero-width joiner outside the scripts and emoji that need it"
    if _chooses_a_style(code, before) or _spells_a_flag(text, place):
        return None
    if _within(code, INVISIBLE):
        return "an invisible character"
    category = unicodedata.category(text[place])
    if category == "Cn" and (code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF):  # noqa: PLR2004 - Unicode's list
        return "a code that is no character"
    # Unassigned codes pass: the letters and emoji of a newer Unicode than this Python's.
    return REFUSED_CATEGORIES.get(category)


def _joins_letters(before: str, after: str) -> bool:
    """Persian and its kin separate letters, the Indic scripts choose forms, by a joiner (RFC 5892, A.1)."""
    if not before or not after:
        return False
    if unicodedata.combining(before) == VIRAMA_CLASS:
        return unicodedata.category(after)[0] in "LM"
    return all(
        unicodedata.category(side) == "Lo" and unicodedata.name(side, "").startswith(JOINED_SCRIPTS)
        for side in (before, after)
    )


def _joins_emoji(text: str, place: int) -> bool:
    left = place - 1
    while left > 0 and (ord(text[left]) in SKIN_TONES or ord(text[left]) == EMOJI_STYLE):
        left -= 1
    right = place + 1
    return left >= 0 and right < len(text) and _is_emoji(text[left]) and _is_emoji(text[right])


def _chooses_a_style(code: int, before: str) -> bool:
    """A variation selector right behind what has variants."""
    if code in {TEXT_STYLE, EMOJI_STYLE}:
        return bool(before) and (_is_emoji(before) or before in KEYCAP_BASES)
    return code in IDEOGRAPH_STYLES and bool(before) and _within(ord(before), IDEOGRAPHS)


def _spells_a_flag(text: str, place: int) -> bool:
    """A tag within a well-formed sequence: a black flag, two to six tag letters, the end tag."""
    code = ord(text[place])
    if code not in TAG_LETTERS and code != TAG_END:
        return False
    start = place - 1
    while start >= 0 and ord(text[start]) in TAG_LETTERS:
        start -= 1
    end = place
    while end < len(text) and ord(text[end]) in TAG_LETTERS:
        end += 1
    well_formed = start >= 0 and ord(text[start]) == BLACK_FLAG and text[end : end + 1] == chr(TAG_END)
    return well_formed and 2 <= end - start - 1 <= 6  # noqa: PLR2004 - the docstring's two to six


def _is_emoji(char: str) -> bool:
    return _within(ord(char), EMOJI)


def _within(code: int, ranges: tuple[range, ...]) -> bool:
    return any(code in part for part in ranges)
