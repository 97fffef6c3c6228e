"""Hostile text costs in proportion to its length: no rule may be made to look at it again and again."""

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import roost.domain.text
from roost.domain.text import extract_entities, normalise_tag, overflow_start, weighted_length
from roost.domain.text.validity import is_url

LENGTH = 5_000  # beyond the longest URL; doubled in the test
HOSTILE = [
    *("a.", ".com", "a.com", "a.co/", "あ。", "あ.com", "aé.com中", "_" * 9 + "a.com.", "http://", "xn--.", "-."),
    *("a.co/(", "a.co/(a(b", "a.co/,", "a.co?", "http://t.co/,", "a!", "(", "a.co:1", "é", "\u200d.com"),
    *("@a", "@", "rt@", "@a/b-", "#", "#a", "#é", "#1", "#＃", "$a", "$", "&#a"),
    *("👩\u200d", "❤️", "🇦", "1⃣", "👨‍👩‍👧", "🏴󠁧", "\ufe0f", "🏽", "\u0301"),
]
PREFIXES = ["", "http://", "http://a.com/", "http://a.com?", "@", "#"]
FUNCTIONS: list[Callable[[str], object]] = [
    extract_entities,
    weighted_length,
    overflow_start,
    normalise_tag,
    is_url,
]


def work(function: Callable[[str], object], text: str) -> int:
    """How many calls, of Python and of C, the function makes for the text."""
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        function(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("function", FUNCTIONS)
def test_twice_the_text_is_at_most_twice_the_work(function: Callable[[str], object]) -> None:
    for unit in HOSTILE:
        text = unit * (LENGTH // len(unit))
        for prefix in PREFIXES if function is extract_entities else [""]:
            once, twice = work(function, prefix + text), work(function, prefix + text + text)
            # A tenth of grace: callbacks of the collector are counted too. Quadratic work would be four times as much.
            assert twice <= 2.2 * once + 100, (prefix, unit)


def patterns() -> Iterator[tuple[str, "re.Pattern[str]"]]:
    for module in pkgutil.iter_modules(roost.domain.text.__path__, "roost.domain.text."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name}.{name}", value


def backtracking_repeats(parsed: Any, *, last: bool = True) -> int:
    """Repeats without a bound that can give back what they took, the last of a pattern excepted."""
    found = 0
    items = list(parsed)
    for index, (operation, argument) in enumerate(items):
        name = str(operation)
        at_end = last and index == len(items) - 1
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            unbounded = argument[1] > 100
            found += unbounded and not (at_end and name == "MAX_REPEAT")
            found += backtracking_repeats(argument[2], last=False)
        elif name == "POSSESSIVE_REPEAT":
            found += backtracking_repeats(argument[2], last=False)
        elif name == "SUBPATTERN":
            found += backtracking_repeats(argument[-1], last=at_end)
        elif name == "BRANCH":
            found += sum(backtracking_repeats(branch, last=at_end) for branch in argument[1])
        elif name in ("ASSERT", "ASSERT_NOT"):
            found += backtracking_repeats(argument[1], last=False)
    return found


def parse(pattern: str) -> Any:
    return importlib.import_module("re._parser").parse(pattern)


def test_no_expression_can_backtrack_without_bound() -> None:
    found = dict(patterns())
    assert len(found) > 20
    guilty = [name for name, pattern in found.items() if backtracking_repeats(parse(pattern.pattern))]
    assert guilty == []


@pytest.mark.parametrize("pattern", ["(?:a+)+b", "a*b", "(?:a|b*)c", "(?=a*b)c", "(?:a*)++", "a+?b"])
def test_an_expression_that_can_is_noticed(pattern: str) -> None:
    assert backtracking_repeats(parse(pattern)) > 0


@pytest.mark.parametrize("pattern", ["a++b", "[ab]{1,20}c", "a*", "(?:a*+b)*+c"])
def test_an_expression_that_cannot_is_not(pattern: str) -> None:
    assert backtracking_repeats(parse(pattern)) == 0
