"""Emoji that are written as several code points and seen as one.

A lone emoji needs no rule here: it is one heavy character. Sequences are those that Unicode recommends for
interchange, by their pattern: what people, families and couples are made of, and the few others one by one.
All are bounded: nobody can join a message of any length into "one" emoji.
"""

import re
from collections.abc import Iterator

_STYLE = "\ufe0f"
_TONES = "\U0001f3fb-\U0001f3ff"
_JOIN = "\u200d"
_LOOK = f"[{_STYLE}{_TONES}]?"  # a style, or a tone of skin

# The blocks of symbols among which emoji lie; arrows and signs among them are no emoji and no harm.
_SYMBOLS = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
# Those with skin: hands, people and what they do.
_WITH_SKIN = (
    "\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc"
    "\U0001f442\U0001f443\U0001f446-\U0001f450\U0001f466-\U0001f469\U0001f46b-\U0001f478\U0001f47c"
    "\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f48f\U0001f491\U0001f4aa\U0001f574\U0001f575"
    "\U0001f57a\U0001f590\U0001f595\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f\U0001f6a3"
    "\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f90c\U0001f90f\U0001f918-\U0001f91f\U0001f926"
    "\U0001f930-\U0001f939\U0001f93c-\U0001f93e\U0001f977\U0001f9b5\U0001f9b6\U0001f9b8\U0001f9b9"
    "\U0001f9bb\U0001f9cd-\U0001f9cf\U0001f9d1-\U0001f9dd\U0001fac3-\U0001fac5\U0001faf0-\U0001fafa"
)


def _joined(*parts: str) -> str:
    return "".join(f"{_JOIN}{part}{_LOOK}" for part in parts)


_ADULT = "[👨👩🧑]"
_CHILD = "[👦👧🧒]"
_ARROW = "[➡]"
_PERSON_AND = (
    _joined("[⚕⚖✈🌾🍳🍼🎄🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦰🦱🦲🦳🩰]"),  # a profession, or hair
    _joined("[🦯🦼🦽]") + f"(?:{_joined(_ARROW)})?",
    _joined("[❤]") + f"(?:{_joined('💋')})?" + _joined(_ADULT),
    _joined("[🐰🤝\U0001faef]", _ADULT),
    f"(?:{_joined(_ADULT)})?" + _joined(_CHILD) + f"(?:{_joined(_CHILD)})?",
)
_GENDERED = "[⛹🏃🏄🏊🏋🏌👮👯👰👱👳👷💁💂💆💇🕵🙅-🙇🙋🙍🙎🚣🚴-🚶🤦🤵🤷-🤹🤼-🤾🦸🦹🧍-🧏🧔🧖-🧟]"
_PAIRS = ("⛓💥", "❤🔥", "❤🩹", "🍄🟫", "🍋🟩", "🏳⚧", "🏳🌈", "🏴☠", "🐈⬛", "🐕🦺", "🐦⬛", "🐦🔥")
_MORE_PAIRS = ("🐻❄", "👁🗨", "😮💨", "😵💫", "😶🌫", "🙂↔", "🙂↕", "🫱🫲")
_NATIONS = ("gbeng", "gbsct", "gbwls")  # the flags that are spelt in tag characters


def _spelt(nation: str) -> str:
    return "🏴" + "".join(chr(0xE0000 + ord(letter)) for letter in nation) + "\U000e007f"


_SEQUENCE = re.compile(
    "|".join(
        (
            f"[0-9#*]{_STYLE}?\u20e3",
            "[\U0001f1e6-\U0001f1ff]{2}",
            *map(_spelt, _NATIONS),
            f"{_ADULT}{_LOOK}(?:{'|'.join(_PERSON_AND)})",
            f"{_GENDERED}{_LOOK}{_joined('[♀♂]')}(?:{_joined(_ARROW)})?",
            f"[🏃🚶🧎]{_LOOK}{_joined(_ARROW)}",
            *(f"{pair[0]}{_LOOK}{_joined(pair[1])}" for pair in (*_PAIRS, *_MORE_PAIRS)),
            f"[{_WITH_SKIN}][{_STYLE}{_TONES}]",
            f"[{_SYMBOLS}]{_STYLE}",
        )
    )
)
_PART_OF_SEQUENCE = re.compile(f"[{_JOIN}{_STYLE}\u20e3{_TONES}\U0001f1e6-\U0001f1ff\U000e007f]")


def with_emoji_replaced(text: str, replacement: str) -> tuple[str, int]:
    """The text with each sequence replaced, and how many there were."""
    if not _PART_OF_SEQUENCE.search(text):
        return text, 0
    return _SEQUENCE.subn(replacement, text)


def find_emoji(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sequence."""
    return (match.span() for match in _SEQUENCE.finditer(text))
