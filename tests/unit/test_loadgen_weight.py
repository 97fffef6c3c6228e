"""The load generator's own weighted length against the reference suite of tweet parsing."""

import os
from pathlib import Path

import pytest
import yaml

from roost_loadgen.weight import is_postable, weighted_length

_ROOT = Path(__file__).parents[2]
_SHARED = Path(os.environ.get("ROOST_SHARED", _ROOT.parent / "shared"))  # noqa: TID251  where test data lies is no setting of the server
_SUITE = _SHARED / "data/twitter-text/conformance/validate.yml"
_GROUPS_OF_VERSION_3 = (
    "WeightedTweetsWithDiscountedEmojiCounterTest",
    "UnicodeDirectionalMarkerCounterTest",
)


@pytest.mark.parametrize("group", _GROUPS_OF_VERSION_3)
def test_every_case_of_the_reference_suite_weighs_what_it_should(group: str) -> None:
    if not _SUITE.exists():
        pytest.skip(f"no reference suite at {_SUITE}")
    cases = yaml.safe_load(_SUITE.read_text("utf-8"))["tests"][group]
    assert cases
    weighed = {case["text"]: weighted_length(case["text"]) for case in cases}
    assert weighed == {case["text"]: case["expected"]["weightedLength"] for case in cases}
    assert {text: is_postable(text) for text in weighed} == {case["text"]: case["expected"]["valid"] for case in cases}


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("cafe\u0301", 4),  # composed first
        ("see https://example.com/" + "x" * 200, 4 + 23),
        ("see example.com/a?b=c now", 4 + 23 + 4),
        ("end.Of a sentence", 17),
        ("\u2764\ufe0f", 2),
        ("no picture before it \ufe0f", 21 + 2),
        ("1\ufe0f\u20e3 1", 2 + 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 2),
        (
            "\U0001f1e9\U0001f1ea\U0001f1e6\U0001f1e6",
            2 + 4,
        ),  # a flag, and two letters that are none
        ("\u00a9 \u00a9\ufe0f", 1 + 1 + 2),
    ],
)
def test_a_text_weighs(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


def test_the_bound_is_280_weighted_characters() -> None:
    assert is_postable("あ" * 140)
    assert not is_postable("あ" * 140 + "a")
    assert is_postable("a" * 280)
    assert not is_postable("a" * 281)


def test_a_byte_order_mark_makes_a_text_unpostable() -> None:
    assert not is_postable("\ufeffhello")
