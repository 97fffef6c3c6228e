"""Cashtags: the `$` symbols of shares and funds."""

import re
from dataclasses import dataclass

from roost.domain.text.characters import DIRECTION_MARKS, SPACES


@dataclass(frozen=True, slots=True)
class Cashtag:
    cashtag: str  # as written, without the sign
    start: int
    end: int


_CASHTAG = re.compile(
    rf"(?<![^{SPACES}{DIRECTION_MARKS}])\$([A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)"
    r"(?=$|\s|[!'#%&()*+,\\\-./:;<=>?@\[\]^_{|}~$])"
)


def find_cashtags(text: str) -> list[Cashtag]:
    if "$" not in text:
        return []
    return [Cashtag(match[1], *match.span()) for match in _CASHTAG.finditer(text)]
