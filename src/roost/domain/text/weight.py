"""How long a message is: characters weighted by how much they say, URLs and emoji by the piece."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from roost.domain.text.emoji import find_emoji, with_emoji_replaced
from roost.domain.text.urls import find_urls

MESSAGE_WEIGHT_MAX = 280
URL_WEIGHT = 23

# Scripts whose characters are letters weigh 1, with the usual spaces, dashes and quotation marks; the others 2.
_LIGHT_RANGES = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


@dataclass(frozen=True, slots=True)
class WeightRules:
    """The weights of one version of the rules. ASCII is always light."""

    weight_max: int = MESSAGE_WEIGHT_MAX
    light_weight: int = 1
    heavy_weight: int = 2
    emoji_weight: int | None = 2  # of a whole sequence; None: each of its code points by itself
    url_weight: int = URL_WEIGHT
    light_ranges: tuple[tuple[int, int], ...] = _LIGHT_RANGES
    heavy: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        light = "".join(f"{chr(first)}-{chr(last)}" for first, last in self.light_ranges)
        object.__setattr__(self, "heavy", re.compile(f"[^{light}]+"))


RULES = WeightRules()


def weighted_length(text: str, rules: WeightRules = RULES) -> int:
    """The weight of the text in its normal form."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    urls = find_urls(text)
    if not urls:
        return _weight_of(text, rules)
    weight = len(urls) * rules.url_weight
    position = 0
    for url in urls:
        weight += _weight_of(text[position : url.start], rules)
        position = url.end
    return weight + _weight_of(text[position:], rules)


def overflow_start(text: str, rules: WeightRules = RULES) -> int | None:
    """The offset, in the normal form, of the first piece that does not fit; None when all do."""
    weight = 0
    for start, piece in _pieces(unicodedata.normalize("NFC", text), rules):
        weight += piece
        if weight > rules.weight_max:
            return start
    return None


def _weight_of(text: str, rules: WeightRules) -> int:
    """The weight of a text without URLs."""
    if text.isascii():
        return len(text) * rules.light_weight
    weight = 0
    if rules.emoji_weight is not None:
        text, count = with_emoji_replaced(text, "")
        weight = count * rules.emoji_weight
    light = len(rules.heavy.sub("", text))
    return weight + light * rules.light_weight + (len(text) - light) * rules.heavy_weight


def _pieces(text: str, rules: WeightRules) -> Iterator[tuple[int, int]]:
    """Where each piece begins, and its weight: URLs, then emoji, then characters."""
    url_ends = {url.start: url.end for url in find_urls(text)}
    emoji_ends = {} if rules.emoji_weight is None else dict(find_emoji(text))
    position = 0
    while position < len(text):
        if position in url_ends:
            yield position, rules.url_weight
            position = url_ends[position]
        elif position in emoji_ends and rules.emoji_weight is not None:
            yield position, rules.emoji_weight
            position = emoji_ends[position]
        else:
            heavy = rules.heavy.match(text, position)
            yield position, rules.heavy_weight if heavy else rules.light_weight
            position += 1
