"""Where host names lie in a text, found in one pass over their labels.

The rules of tweet text are usually written as one regular expression, whose backtracking costs the square of
the length on hostile text. Here a run of host characters is cut into labels once, what each label is good for
is noted from the right to the left, and each possible beginning is then answered from those notes.
"""

import re
from typing import NamedTuple

from roost.domain.text.characters import HASH_SIGNS, LATIN_ACCENTS, NON_CHARACTERS, SPACES
from roost.domain.text.tlds import top_level_domain_end

# A label holds anything but spaces, punctuation and controls; `_` and `-` only between others.
_NOT_IN_LABELS = rf"{SPACES}\x00-\x2c\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x9f\u2000-\u206f{NON_CHARACTERS}"
HOST_RUN = re.compile(rf"[^{_NOT_IN_LABELS}]++")
_LABEL_START = re.compile(rf"(?<![A-Za-z0-9@＠${HASH_SIGNS}{NON_CHARACTERS}])[^_.-]")
_INNER_ONLY = "_-"
_LATIN_LABEL = re.compile(rf"[-0-9A-Za-z{LATIN_ACCENTS}]++")
_ENCODED_PREFIX = "xn--"
_OTHER_DOTS = re.compile(r"[\u3002\uff0e\uff61]")  # full stops that IDNA takes for dots
LABEL_LENGTH_MAX = 63  # of DNS, in its ASCII form


class Label(NamedTuple):  # a third of the price of a frozen dataclass, and there are many
    """One label of a run of host characters, and the domains that may begin in it."""

    start: int
    end: int
    top_level_end: int  # where the top-level domain that it begins with ends; 0: with none
    closed: bool  # ends as a label may
    may_be_subdomain: bool
    may_be_registered: bool  # may stand directly before the top-level domain
    reach: int  # the last label that may end a domain begun here, two labels on or more; 0: none


class Domain(NamedTuple):
    start: int
    end: int
    first_label: int
    last_label: int  # the one that begins with the top-level domain


def labels_of(text: str, start: int, end: int) -> list[Label]:
    """The labels of the run; none when no domain can be in it."""
    spans = _label_spans(text, start, end)
    top_level_ends = [0, *(top_level_domain_end(text, *span) for span in spans[1:])]
    if not any(top_level_ends):
        return []
    labels: list[Label] = []  # from the right
    for index in range(len(spans) - 1, -1, -1):
        reach = 0
        if len(labels) > 1 and labels[-1].may_be_subdomain:
            follows = labels[-1].may_be_registered and labels[-2].top_level_end
            reach = labels[-1].reach or (index + 2 if follows else 0)
        labels.append(_label(text, spans[index], top_level_ends[index], reach))
    labels.reverse()
    return labels


def domain_at_start(labels: list[Label]) -> Domain | None:
    """The longest domain that begins with the first label, if one does."""
    first = labels[0]
    if len(labels) == 1 or not first.may_be_subdomain:
        return None
    if first.reach:
        return Domain(first.start, labels[first.reach].top_level_end, 0, first.reach)
    if first.may_be_registered and labels[1].top_level_end:
        return Domain(first.start, labels[1].top_level_end, 0, 1)
    return None


def next_domain(text: str, labels: list[Label], index: int, position: int) -> Domain | None:
    """The first domain that begins in label `index` or later and not before `position`."""
    for first in range(index, len(labels) - 1):
        label = labels[first]
        last = label.reach or first + 1
        if not label.closed or not labels[last].top_level_end:
            continue
        earliest = max(position, label.start)
        if not label.reach:
            earliest = max(earliest, text.rfind("_", label.start, label.end) + 1)
        start = _LABEL_START.search(text, earliest, label.end)
        if start:
            return Domain(start.start(), labels[last].top_level_end, first, last)
    return None


def latin_domains(text: str, labels: list[Label], domain: Domain) -> list[tuple[int, int]]:
    """The parts of the domain that are domains in Latin letters: what is linked without a protocol.

    In scripts without spaces, a run of host characters may be a whole sentence around them.
    """
    last_of = _latin_reach(text, labels, domain)
    parts: list[tuple[int, int]] = []
    position = domain.start
    index = domain.first_label
    while index < domain.last_label:
        label, last = labels[index], last_of[index - domain.first_label]
        start = _latin_tail(text, max(position, label.start), label.end) if last else label.end
        if start == label.end:
            index += 1
            continue
        position = labels[last].top_level_end
        parts.append((start, position))
        index = last
    return parts


def resolvable(domain: str) -> bool:
    """Whether every label has an ASCII form that DNS can hold."""
    return all(map(_fits, domain.split(".")))


def _label_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    dot = text.find(".", start, end)
    while dot >= 0:
        spans.append((start, dot))
        start = dot + 1
        dot = text.find(".", start, end)
    spans.append((start, end))
    return spans


def _label(text: str, span: tuple[int, int], top_level_end: int, reach: int) -> Label:
    start, end = span
    closed = end > start and text[end - 1] not in _INNER_ONLY
    whole = closed and text[start] not in _INNER_ONLY
    registered = whole and text.find("_", start, end) < 0
    return Label(start, end, top_level_end, closed, whole, registered, reach)


def _latin_reach(text: str, labels: list[Label], domain: Domain) -> list[int]:
    """For each label but the last, the label that ends the longest Latin domain from it; 0: none."""
    reach: list[int] = []  # from the right
    for index in range(domain.last_label - 1, domain.first_label - 1, -1):
        after = labels[index + 1]
        goes_on = reach and reach[-1] and _LATIN_LABEL.fullmatch(text, after.start, after.end)
        reach.append(reach[-1] if goes_on else index + 1 if after.top_level_end else 0)
    reach.reverse()
    return reach


def _latin_tail(text: str, start: int, end: int) -> int:
    """Where the longest stretch of Latin host characters that ends at `end` begins."""
    if _LATIN_LABEL.fullmatch(text, start, end):
        return start
    while end > start and _LATIN_LABEL.fullmatch(text, end - 1, end):
        end -= 1
    return end


def _fits(label: str) -> bool:
    if label.isascii():
        return 0 < len(label) <= LABEL_LENGTH_MAX
    # The encoding is never shorter, and its price grows with the square of the length.
    if len(label) > LABEL_LENGTH_MAX or label[:4].lower() == _ENCODED_PREFIX:
        return False
    parts = _OTHER_DOTS.split(label)
    encoded = sum(len(part if part.isascii() else _ENCODED_PREFIX + _encoded(part)) for part in parts)
    return encoded + len(parts) - 1 <= LABEL_LENGTH_MAX


def _encoded(label: str) -> str:
    return label.encode("punycode").decode("ascii")
