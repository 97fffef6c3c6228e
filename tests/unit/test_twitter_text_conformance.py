"""The twitter-text reference suite: every case of extraction and validation."""

import os
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from roost.domain.text import extract_entities, overflow_start, weighted_length
from roost.domain.text.cashtags import find_cashtags
from roost.domain.text.characters import has_refused_characters
from roost.domain.text.entities import without_overlaps
from roost.domain.text.hashtags import Hashtag, find_hashtags
from roost.domain.text.mentions import find_handles, find_mentions, reply_username
from roost.domain.text.urls import find_urls
from roost.domain.text.validity import is_hashtag, is_list, is_tweet, is_url, is_username
from roost.domain.text.weight import MESSAGE_WEIGHT_MAX, WeightRules

PROJECT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("ROOST_SHARED", PROJECT.parent / "shared"))  # noqa: TID251  # where test data lies is no setting of the product
SUITE = SHARED / "data" / "twitter-text" / "conformance"

pytestmark = pytest.mark.skipif(not SUITE.is_dir(), reason="the twitter-text suite is not here")

# The rules before emoji counted as one, and those of messages of 140 equal characters.
RULES_2 = WeightRules(emoji_weight=None)
RULES_1 = WeightRules(weight_max=140, heavy_weight=1, emoji_weight=None)


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def measures(text: str, rules: WeightRules) -> dict[str, int | bool]:
    """What the reference parser says of a text, its offsets being UTF-16 units of the text as given."""
    normal = unicodedata.normalize("NFC", text)
    weight = weighted_length(text, rules)
    fitting = overflow_start(text, rules)
    fitting = len(normal) if fitting is None else fitting
    allowed = next((at for at, char in enumerate(normal) if has_refused_characters(char)), fitting)
    grown_by = utf16_length(text) - utf16_length(normal)
    return {
        "weightedLength": weight,
        "valid": is_tweet(text, rules),
        "permillage": weight * 1000 // MESSAGE_WEIGHT_MAX,
        "displayRangeStart": 0,
        "displayRangeEnd": utf16_length(text) - 1,
        "validRangeStart": 0,
        "validRangeEnd": utf16_length(normal[: min(fitting, allowed)]) - 1 + grown_by,
    }


def hashtags_outside_urls(text: str) -> list[Hashtag]:
    kept = without_overlaps([*find_urls(text), *find_hashtags(text)])
    return [entity for entity in kept if isinstance(entity, Hashtag)]


EXTRACTORS: dict[str, Callable[[str], object]] = {
    "mentions": lambda text: [found.username for found in find_mentions(text)],
    "mentions_with_indices": lambda text: [
        {"screen_name": found.username, "indices": [found.start, found.end]} for found in find_mentions(text)
    ],
    "mentions_or_lists_with_indices": lambda text: [
        {
            "screen_name": found.username,
            "list_slug": found.list_slug,
            "indices": [found.start, found.end],
        }
        for found in find_handles(text)
    ],
    "replies": reply_username,
    "urls": lambda text: [found.url for found in extract_entities(text).urls],
    "urls_with_indices": lambda text: [
        {"url": found.url, "indices": [found.start, found.end]} for found in extract_entities(text).urls
    ],
    "hashtags": lambda text: [found.tag for found in hashtags_outside_urls(text)],
    "hashtags_with_indices": lambda text: [
        {"hashtag": found.tag, "indices": [found.start, found.end]} for found in hashtags_outside_urls(text)
    ],
    "cashtags": lambda text: [found.cashtag for found in find_cashtags(text)],
    "cashtags_with_indices": lambda text: [
        {"cashtag": found.cashtag, "indices": [found.start, found.end]} for found in find_cashtags(text)
    ],
}
EXTRACTORS |= {
    "urls_with_directional_markers": EXTRACTORS["urls_with_indices"],
    "tco_urls_with_params": EXTRACTORS["urls"],
    "hashtags_from_astral": EXTRACTORS["hashtags"],
}
VALIDATORS: dict[str, Callable[[str], object]] = {
    "tweets": lambda text: is_tweet(text, RULES_1),
    "usernames": is_username,
    "lists": is_list,
    "hashtags": is_hashtag,
    "urls": is_url,
    "urls_without_protocol": lambda text: is_url(text, require_protocol=False),
    "WeightedTweetsCounterTest": lambda text: measures(text, RULES_2),
    "WeightedTweetsWithDiscountedEmojiCounterTest": lambda text: measures(text, WeightRules()),
    "UnicodeDirectionalMarkerCounterTest": lambda text: measures(text, WeightRules()),
}
TOP_LEVEL_DOMAINS = {"country": EXTRACTORS["urls"], "generic": EXTRACTORS["urls"]}


@dataclass(frozen=True)
class Case:
    section: str
    description: str
    text: str
    expected: object


@cache
def cases(file: str) -> list[Case]:
    if not SUITE.is_dir():
        return []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (SUITE / file).open(encoding="utf-8") as stream:
        sections: dict[str, list[dict[str, Any]]] = yaml.load(stream, Loader=loader)["tests"]  # noqa: S506  # both are safe loaders
    return [
        Case(section, case["description"], case["text"], case["expected"])
        for section, listed in sections.items()
        for case in listed
    ]


def name_of(case: Case) -> str:
    return f"{case.section}: {case.description}".encode("ascii", "replace").decode("ascii")


@pytest.mark.parametrize("case", cases("extract.yml"), ids=name_of)
def test_extracts_what_the_reference_extracts(case: Case) -> None:
    assert EXTRACTORS[case.section](case.text) == case.expected


@pytest.mark.parametrize("case", cases("validate.yml"), ids=name_of)
def test_judges_as_the_reference_judges(case: Case) -> None:
    assert VALIDATORS[case.section](case.text) == case.expected


@pytest.mark.parametrize(
    ("file", "functions", "at_least"),
    [
        ("extract.yml", EXTRACTORS, 200),
        ("validate.yml", VALIDATORS, 70),
        ("tlds.yml", TOP_LEVEL_DOMAINS, 1500),
    ],
)
def test_no_case_of_the_suite_is_missed(
    file: str,
    functions: dict[str, Callable[[str], object]],
    at_least: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    listed = cases(file)
    failed = [case for case in listed if functions[case.section](case.text) != case.expected]
    with capsys.disabled():  # to stderr, which the workers of a parallel run share with the terminal
        passed = len(listed) - len(failed)
        print(f"\ntwitter-text {file}: {passed} of {len(listed)} cases pass", file=sys.stderr)  # noqa: T201  # asked for in the summary
    assert failed == []
    assert len(listed) >= at_least
    assert {case.section for case in listed} == set(functions)
