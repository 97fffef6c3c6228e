"""Language detection: the promise of the port over its adapter, and saboteurs that break it."""

import itertools
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.adapters.language.fasttext_detector import FastTextLanguageDetector
from roost.ports.language import UNDETERMINED, LanguageDetector

DETECTOR = FastTextLanguageDetector()  # one for all: its model is read once a process

SENTENCES = {
    "en": "I am waiting for the train and it is late again this morning",
    "fr": "Je vais manger avec mes amis ce soir, il fait beau aujourd'hui",
    "de": "Heute Abend gehe ich mit meinen Freunden ins Kino, das Wetter ist schön",
    "es": "Esta noche voy a cenar con mis amigos porque mañana no trabajo",
    "it": "Questa sera vado a mangiare con i miei amici, che bella giornata",
    "pt": "Hoje à noite vou jantar com os meus amigos, não trabalho amanhã",
    "ru": "Сегодня вечером я иду в кино с друзьями",
    "ar": "سوف أذهب إلى السينما مع أصدقائي هذا المساء",
    "ja": "今日は友達と映画を見に行きます",
    "ko": "오늘 저녁에 친구들과 영화를 보러 갑니다",
    "zh": "今天晚上我和朋友们去看电影",
    "el": "Απόψε θα πάω σινεμά με τους φίλους μου",
}


def check_names_the_language_of_prose(detector: LanguageDetector) -> None:
    assert {language: detector.detect(text) for language, text in SENTENCES.items()} == {
        language: language for language in SENTENCES
    }


def check_what_is_too_short_is_undetermined(detector: LanguageDetector) -> None:
    for text in ("", " ", "ok", "a", "lol", "123 456", "!!! ???", "😀😀😀"):
        assert detector.detect(text) == UNDETERMINED


def check_names_tags_and_links_do_not_count(detector: LanguageDetector) -> None:
    bare = "@the_weather_is_lovely #ThisIsEnglishText https://example.com/this/is/english/text $ENGLISH"
    assert detector.detect(bare) == UNDETERMINED
    assert detector.detect(f"{SENTENCES['de']} {bare}") == "de"


def check_the_same_text_gets_the_same_answer(detector: LanguageDetector) -> None:
    for text in (*SENTENCES.values(), "mixed words palabras mots"):
        assert len({detector.detect(text) for _ in range(5)}) == 1


def check_no_text_is_an_error(detector: LanguageDetector) -> None:
    hostile = ("\x00" * 20, "lines\nof\r\ntext\u2028here", "\ud800 alone and lost here", "a" * 65_536, "\ufeff" * 9)
    for text in hostile:
        answer = detector.detect(text)
        assert answer == UNDETERMINED or (len(answer) == 2 and answer.islower())


CHECKS = [
    check_names_the_language_of_prose,
    check_what_is_too_short_is_undetermined,
    check_names_tags_and_links_do_not_count,
    check_the_same_text_gets_the_same_answer,
    check_no_text_is_an_error,
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_adapter_keeps_the_promise(check: Callable[[LanguageDetector], None]) -> None:
    check(DETECTOR)


class Guesses(FastTextLanguageDetector):
    def detect(self, text: str) -> str:
        answer = DETECTOR.detect(text)
        return "en" if answer == UNDETERMINED else answer


class KnowsNothing(FastTextLanguageDetector):
    def detect(self, text: str) -> str:
        return UNDETERMINED


class ReadsNames(FastTextLanguageDetector):
    def detect(self, text: str) -> str:
        return DETECTOR.detect(text.translate(str.maketrans("@#$/_", "     ")))


class ChangesItsMind(FastTextLanguageDetector):
    def __init__(self) -> None:
        super().__init__()
        self._calls = itertools.count()

    def detect(self, text: str) -> str:
        return DETECTOR.detect(text) if next(self._calls) % 2 else UNDETERMINED


class Raises(FastTextLanguageDetector):
    def detect(self, text: str) -> str:
        text.encode("utf-8")
        return DETECTOR.detect(text)


@pytest.mark.parametrize(
    ("saboteur", "check"),
    [
        (Guesses, check_what_is_too_short_is_undetermined),
        (KnowsNothing, check_names_the_language_of_prose),
        (ReadsNames, check_names_tags_and_links_do_not_count),
        (ChangesItsMind, check_the_same_text_gets_the_same_answer),
        (Raises, check_no_text_is_an_error),
    ],
)
def test_a_saboteur_is_caught(
    saboteur: type[FastTextLanguageDetector], check: Callable[[LanguageDetector], None]
) -> None:
    with pytest.raises((AssertionError, UnicodeError)):
        check(saboteur())


@given(st.text(st.characters()))
def test_any_text_gets_a_tag(text: str) -> None:
    answer = DETECTOR.detect(text)
    assert answer == UNDETERMINED or (len(answer) == 2 and answer.isascii() and answer.islower())


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from roost.adapters.language.fasttext_detector import FastTextLanguageDetector as D;"
        "d = D(); d.detect('ok'); assert 'fasttext' not in sys.modules;"
        "d.load(); assert 'fasttext' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)  # noqa: S603  # a program of this test's own
