"""How long a tweet is by the twitter-text rules (version 3), of which a server takes 280.

A code point weighs 1 or 2 by its range, a URL 23 however long it is, an emoji sequence 2.
Exact but for joined emoji: a sequence counts as one where its parts are among those that vendors
join, which admits a few sequences that nobody draws.
"""

import re
import unicodedata
from importlib.resources import files

from roost_loadgen.emoji import EMOJI

WEIGHT_MAX = 280
URL_WEIGHT = 23
EMOJI_WEIGHT = 2
HOST_LENGTH_MAX = 253
LABEL_LENGTH_MAX = 63
SLUG_LENGTH_MAX = 40

_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
# No tweet may hold these: a server refuses the whole message.
_NEVER_VALID = re.compile("[\ufffe\uffff\ufeff]")


def weighted_length(text: str) -> int:
    """The weight of `text` after Unicode normalisation to NFC."""
    text = unicodedata.normalize("NFC", text)
    weight = 0
    for start, end in _urls(text):
        weight += URL_WEIGHT - _weight_of_characters(text[start:end])
    return weight + _weight_of_characters(text)


def is_postable(text: str) -> bool:
    """Whether a server that keeps the rules takes `text` as a message."""
    if _NEVER_VALID.search(text):
        return False
    text = unicodedata.normalize("NFC", text)
    # Most lines are far from the bound even if each character and each dot were the heaviest.
    heaviest = EMOJI_WEIGHT * len(text) + URL_WEIGHT * text.count(".")
    return heaviest <= WEIGHT_MAX or weighted_length(text) <= WEIGHT_MAX


def _weight_of_characters(text: str) -> int:
    if text.isascii():
        return len(text)
    # A keycap begins with an ASCII character, so sequences go first and single characters after.
    rest, emoji = EMOJI.subn("", text)
    return EMOJI_WEIGHT * emoji + len(rest) + len(_HEAVY.findall(rest))


_HEAVY = re.compile("[^" + "".join(f"{chr(low)}-{chr(high)}" for low, high in _LIGHT) + "]")

_CONTROL = "\u0000-\u0020\u0085\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff\u0100-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263"
    "\u0268\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_LABEL = f"[^!'#%&()*+,\\\\\\-./:;<=>?@\\[\\]^_{{|}}~$\ufffe\ufeff\uffff{_CONTROL}{_BIDI}]"
_TLD_NAMES = (files("roost_loadgen") / "top_level_domains.txt").read_text("utf-8").split()
_TLD = "(?:(?:" + "|".join(sorted(_TLD_NAMES, key=len, reverse=True)) + r")(?=[^0-9a-zA-Z@+\-]|$)|xn--[\-0-9a-z]+)"
_PATH = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_IN_PARENTHESES = rf"\((?:{_PATH}+|{_PATH}*\({_PATH}+\){_PATH}*)\)"
_PATH_END = rf"(?:[+\-a-z\u0400-\u04ff0-9=_#/{_LATIN}]|{_IN_PARENTHESES})"
_URL = re.compile(
    rf"(?P<before>[^A-Za-z0-9@\uff20$#\uff03\ufffe\ufeff\uffff]|[{_BIDI}]|^)"
    r"(?P<url>(?P<scheme>https?://)?"
    rf"(?P<host>(?:(?:{_LABEL}(?:[_\-]|{_LABEL})*)?{_LABEL}\.)*"
    rf"(?:{_LABEL}(?:-|{_LABEL})*)?{_LABEL}\.{_TLD})"
    r"(?::[0-9]+)?"
    rf"(?P<path>/(?:(?:{_PATH}*(?:{_IN_PARENTHESES}{_PATH}*)*{_PATH_END})|@{_PATH}+/)?)?"
    r"(?P<query>\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?)",
    re.IGNORECASE,
)
_BARE_HOST = re.compile(rf"(?:[\-a-z0-9{_LATIN}]+\.)+{_TLD}", re.IGNORECASE)
_MAY_HOLD_A_URL = re.compile(r"[^\s.]\.[^\s.]")  # spares nine lines of ten the expression above
# Twitter's own short links end with their slug, whatever follows.
_SHORT = re.compile(r"https?://t\.co/(?P<slug>[a-z0-9]+)(?:\?[^\s]*)?", re.IGNORECASE)


def _urls(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if not _MAY_HOLD_A_URL.search(text):
        return found
    for match in _URL.finditer(text):
        if match["scheme"]:
            found.extend(_full_url(match))
        elif match["before"] not in tuple("-_./"):
            found.extend(_bare_urls(match))
    return found


def _full_url(match: re.Match[str]) -> list[tuple[int, int]]:
    start, end = match.span("url")
    if short := _SHORT.match(match["url"]):
        end = start + (short.end() if match["query"] else short.end("slug"))
        return [(start, end)] if len(short["slug"]) <= SLUG_LENGTH_MAX else []
    return [(start, end)] if _is_host(match["host"]) else []


def _bare_urls(match: re.Match[str]) -> list[tuple[int, int]]:
    """Without a scheme each ASCII host is a URL, and what follows the host belongs to the last."""
    offset = match.start("host")
    found = [
        (offset + host.start(), offset + host.end()) for host in _BARE_HOST.finditer(match["host"]) if _is_host(host[0])
    ]
    if found and (match["path"] or match["query"]):
        found[-1] = (found[-1][0], match.end("url"))
    return found


def _is_host(host: str) -> bool:
    """Whether the name service can hold `host`, other alphabets in their ASCII form."""
    labels = [label if label.isascii() else _ascii_label(label) for label in host.split(".")]
    return all(0 < len(label) <= LABEL_LENGTH_MAX for label in labels) and len(".".join(labels)) <= HOST_LENGTH_MAX


def _ascii_label(label: str) -> str:
    if label.lower().startswith("xn--"):
        return ""  # it claims to be in its ASCII form and is not
    return "xn--" + label.encode("punycode").decode("ascii")
