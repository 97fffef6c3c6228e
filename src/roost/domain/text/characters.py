"""The character classes that the rules of tweet text are written in, and the form text is kept in.

Each name holds the inside of a regular expression's brackets, so that classes can be joined.
"""

import re
import unicodedata

from roost.domain.errors import Invalid

SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
DIRECTION_MARKS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# What never belongs to text: byte order marks and code points that Unicode keeps from being characters.
NON_CHARACTERS = r"\ufeff\ufffe\uffff"
# Latin letters with accents, and the combining accents, as they occur in names of hosts and paths.
LATIN_ACCENTS = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f"
    r"\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
CYRILLIC = r"\u0400-\u04ff"
AT_SIGNS = "@＠"
HASH_SIGNS = "#＃"

# Lone surrogates have no UTF-8, and control characters no place in feeds, mails and terminals.
_REFUSED = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff{NON_CHARACTERS}]")


def normalise(text: str, *, field: str = "message") -> str:
    """The text in the form that it is kept, counted and compared in: Unicode's NFC."""
    refused = _REFUSED.search(text)
    if refused:
        code = ord(refused[0])
        detail = f"character {refused.start()} is U+{code:04X}, which text may not contain"
        raise Invalid.field(field, detail)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def has_refused_characters(text: str) -> bool:
    return _REFUSED.search(text) is not None
