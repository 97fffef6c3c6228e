"""Telling the language of a message."""

from typing import Protocol

UNDETERMINED = "und"  # BCP 47's tag for "no telling"


class LanguageDetector(Protocol):
    def detect(self, text: str) -> str:
        """The language the text is written in: its two-letter tag in lower case, or `UNDETERMINED`.

        Names, hashtags, cashtags and URLs do not count. What is too short or fits several languages is
        undetermined. The same text gets the same answer; no text is an error; the price is bounded,
        whatever the length.
        """
        ...
