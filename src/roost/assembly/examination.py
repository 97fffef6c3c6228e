"""What a doctor finds: a check a line, with what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """`advice` is empty where nothing is to be done."""

    name: str
    state: State
    fact: str
    advice: str = ""


def ok(name: str, fact: str) -> Check:
    return Check(name, State.OK, fact)


def warn(name: str, fact: str, advice: str) -> Check:
    return Check(name, State.WARN, fact, advice)


def fail(name: str, fact: str, advice: str) -> Check:
    return Check(name, State.FAIL, fact, advice)
