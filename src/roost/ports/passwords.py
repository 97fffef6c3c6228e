"""Turning passwords into what may be stored, and telling whether one fits."""

from typing import Protocol


class PasswordHasher(Protocol):
    async def hash(self, password: str) -> str:
        """What to store: salted, so that equal passwords have different hashes.

        Texts that look the same (canonically equivalent) are the same password.
        Raises Overloaded at once where too many hashes are asked for already; so does `verify`.
        """
        ...

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether `stored` was made of this password.

        None, or a text that is no hash, is False after the same work: an unknown user costs what a wrong
        password costs, so that the time of an answer tells nobody which names exist.
        """
        ...

    def needs_rehash(self, stored: str) -> bool:
        """Whether `stored` was made at another cost than `hash` uses now: to ask after a good log-in."""
        ...
