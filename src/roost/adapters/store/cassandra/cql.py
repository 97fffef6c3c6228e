"""Statements as values, so that a test can hold each of them against the schema."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cql:
    """One statement, prepared once a session. `walks` marks those that go over a whole table, for rebuilds."""

    text: str
    walks: bool = False

    def __call__(self, *values: Any) -> "Bound":
        return Bound(self, values)

    @property
    def is_decision(self) -> bool:
        """Whether it is a lightweight transaction: then only who asked may ask again."""
        return " IF " in self.text


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement with its values, as part of a batch."""

    cql: Cql
    values: tuple[Any, ...]
