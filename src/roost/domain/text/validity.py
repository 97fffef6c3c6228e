"""Whether a whole text is one thing: a tweet, a name, a hashtag, a URL."""

import re

from roost.domain.text.characters import has_refused_characters
from roost.domain.text.hashtags import find_hashtags
from roost.domain.text.mentions import find_handles
from roost.domain.text.weight import RULES, WeightRules, weighted_length


def is_tweet(text: str, rules: WeightRules = RULES) -> bool:
    """Whether the text alone may be posted: a message with content may also be empty."""
    return not has_refused_characters(text) and 0 < weighted_length(text, rules) <= rules.weight_max


def is_username(text: str) -> bool:
    """`@` and a name."""
    return any(not handle.list_slug and (handle.start, handle.end) == (0, len(text)) for handle in find_handles(text))


def is_list(text: str) -> bool:
    """`@`, a name, a slash and the name of a list."""
    return any(handle.list_slug and (handle.start, handle.end) == (0, len(text)) for handle in find_handles(text))


def is_hashtag(text: str) -> bool:
    """`#` and a tag."""
    return any((tag.start, tag.end) == (0, len(text)) for tag in find_hashtags(text))


# RFC 3986, and its names of hosts with letters of any script. The possessive parts make it one pass.
_PARTS = re.compile(r"(?:([^:/?#]++)://)?([^/?#]*+)([^?#]*+)(?:\?([^#]*+))?(?:#(.*+))?", re.DOTALL)
_SCHEME = re.compile(r"https?", re.ASCII | re.IGNORECASE)
_WORD = r"0-9A-Za-z\x80-\U0010ffff"
_PERCENT = r"%[0-9A-Fa-f]{2}"
_IN_PATH = rf"(?:[-._~!$&'()*+,;=:|@/{_WORD}]|{_PERCENT})"
_PATH = re.compile(rf"(?:/{_IN_PATH}*+)?")
_QUERY = re.compile(rf"(?:[-._~!$&'()*+,;=:|@/?\[\]{_WORD}]|{_PERCENT})*+")
_USER = re.compile(rf"(?:[-._~!$&'()*+,;=:0-9A-Za-z]|{_PERCENT})*+")
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)
_IPV6 = re.compile(r"\[[0-9a-f:.]++\]", re.ASCII | re.IGNORECASE)
_SUBDOMAIN = re.compile(rf"(?![_-])[-_{_WORD}]++(?<![_-])")
_REGISTERED = re.compile(rf"(?!-)[-{_WORD}]++(?<!-)")
_TOP_LEVEL = re.compile(rf"(?![-0-9])[-{_WORD}]++(?<!-)")
_PORT = re.compile(r":[0-9]{1,5}\Z")


def is_url(text: str, *, require_protocol: bool = True) -> bool:
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return False
    scheme, authority, path, query, fragment = parts.groups(default="")
    if (scheme or require_protocol) and not _SCHEME.fullmatch(scheme):
        return False
    return bool(
        _is_authority(authority) and _PATH.fullmatch(path) and _QUERY.fullmatch(query) and _QUERY.fullmatch(fragment)
    )


def _is_authority(authority: str) -> bool:
    user, at, host_and_port = authority.rpartition("@")
    if at and not _USER.fullmatch(user):
        return False
    return _is_host(_PORT.sub("", host_and_port))


def _is_host(host: str) -> bool:
    if _IPV6.fullmatch(host):
        return True
    rest, _, top_level = host.rpartition(".")
    if top_level.isdecimal():
        return _IPV4.fullmatch(host) is not None
    *subdomains, registered = rest.split(".")
    return bool(
        _TOP_LEVEL.fullmatch(top_level)
        and _REGISTERED.fullmatch(registered)
        and all(map(_SUBDOMAIN.fullmatch, subdomains))
    )
