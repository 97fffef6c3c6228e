"""URLs, with a protocol or without one."""

import re
from dataclasses import dataclass

from roost.domain.text.characters import CYRILLIC, LATIN_ACCENTS
from roost.domain.text.domains import (
    HOST_RUN,
    Domain,
    Label,
    domain_at_start,
    labels_of,
    latin_domains,
    next_domain,
    resolvable,
)


@dataclass(frozen=True, slots=True)
class Url:
    url: str  # as written
    start: int
    end: int


URL_LENGTH_MAX = 4096
SHORT_LINK_SLUG_LENGTH_MAX = 40

_DOT_BEFORE_LETTER = re.compile(r"\.[^\W\d_]")
_PROTOCOLS = ("http://", "https://")
_NOT_BEFORE_PROTOCOL = re.compile(r"[A-Za-z0-9@＠$#＃\ufeff\ufffe\uffff]")
_NOT_BEFORE_BARE_DOMAIN = "-_./"

# Each part eats what can never end it, then something that can, again and again: possessive, so in one pass.
_PATH_END = rf"-+A-Za-z0-9=_#/{CYRILLIC}{LATIN_ACCENTS}"
_PATH_MIDDLE = r"!*';:,.$%\[\]\u2013~@|&"
_PATH_ANY = rf"[{_PATH_END}{_PATH_MIDDLE}]"
_BALANCED = rf"\((?:{_PATH_ANY}++|{_PATH_ANY}*+\({_PATH_ANY}++\){_PATH_ANY}*+)\)"
_PATH = rf"/(?:[{_PATH_MIDDLE}]*+(?:[{_PATH_END}]|{_BALANCED}))*+"
_QUERY = r"\?(?:[!?*'@();:+$%\[\].,~|]*+[A-Za-z0-9_&=#/-])++"
_AFTER_DOMAIN = re.compile(rf"(?::[0-9]++)?(?P<path>{_PATH})?(?:{_QUERY})?")
_SHORT_LINK = re.compile(rf"https?://t\.co/([a-z0-9]++)(?:{_QUERY})?", re.ASCII | re.IGNORECASE)


def find_urls(text: str) -> list[Url]:
    """All URLs in order. A domain without a protocol is one if its top-level domain exists."""
    urls: list[Url] = []
    if "." not in text:
        return urls
    position = consumed = 0
    while dot := _DOT_BEFORE_LETTER.search(text, position):
        start, end = _run_around(text, position, dot.start())
        consumed = _scan_run(text, start, end, consumed, urls)
        position = max(consumed, end)
    return urls


def _run_around(text: str, start: int, dot: int) -> tuple[int, int]:
    """The run of host characters that holds the dot, from `start` on."""
    after_space = text.rfind(" ", start, dot) + 1
    for run in HOST_RUN.finditer(text, max(start, after_space)):
        if run.end() > dot:
            return run.span()
    raise AssertionError("a dot is a host character, so some run holds it")


def _scan_run(text: str, start: int, end: int, consumed: int, urls: list[Url]) -> int:
    """Append the URLs whose domains lie in the run; answer up to where the text is consumed by them."""
    labels = labels_of(text, start, end)
    if not labels:
        return consumed
    index = 0
    url_start = _protocol_start(text, start, consumed)
    if url_start is not None:
        domain = domain_at_start(labels)
        if domain is not None:
            consumed = _take_with_protocol(text, url_start, domain, urls)
            index = domain.last_label
    while consumed < end:
        # The character before a URL must be its own: not the last of another one.
        position = max(start, consumed + 1) if start else consumed
        domain = next_domain(text, labels, index, position)
        if domain is None:
            break
        consumed = _take_bare(text, domain, labels, urls)
        index = domain.last_label
    return consumed


def _protocol_start(text: str, host_start: int, consumed: int) -> int | None:
    for protocol in _PROTOCOLS:
        start = host_start - len(protocol)
        if start < 0 or text[start:host_start].lower() != protocol:
            continue
        if start == 0 or (start > consumed and not _NOT_BEFORE_PROTOCOL.match(text, start - 1)):
            return start
    return None


def _take_with_protocol(text: str, start: int, domain: Domain, urls: list[Url]) -> int:
    end = consumed = _end(text, domain)[0]
    if end - start > URL_LENGTH_MAX or not resolvable(text[domain.start : domain.end]):
        return consumed
    short = _SHORT_LINK.match(text, start, end)
    if short:  # nothing else may follow the slug: an apostrophe after a link is not part of it
        if len(short[1]) > SHORT_LINK_SLUG_LENGTH_MAX:
            return consumed
        end = short.end()
    urls.append(Url(text[start:end], start, end))
    return end


def _take_bare(text: str, domain: Domain, labels: list[Label], urls: list[Url]) -> int:
    end, has_path = _end(text, domain)
    if domain.start and text[domain.start - 1] in _NOT_BEFORE_BARE_DOMAIN:
        return end
    if end - domain.start > URL_LENGTH_MAX or not resolvable(text[domain.start : domain.end]):
        return end
    parts = latin_domains(text, labels, domain)
    if parts and has_path:
        parts[-1] = (parts[-1][0], end)
    urls.extend(Url(text[first:last], first, last) for first, last in parts)
    return end


def _end(text: str, domain: Domain) -> tuple[int, bool]:
    after = _AFTER_DOMAIN.match(text, domain.end)
    if after is None:  # every part of it is optional
        return domain.end, False
    return after.end(), after["path"] is not None
