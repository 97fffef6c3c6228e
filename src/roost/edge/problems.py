"""Every error as the caller sees it: the one table of statuses and names, rendered as RFC 9457 problems.

RoostError -> problem_of -> Problem -> application/problem+json (REST), {"type": "error"} frames (live)
"""

from dataclasses import dataclass
from math import ceil

import msgspec

from roost.domain import errors
from roost.domain.errors import AlreadyTaken, FieldError, Invalid, Refused, RoostError, TooManyRequests, Unavailable

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "/problems/"

_encode = msgspec.json.Encoder().encode


class Malformed(Refused):
    """A request that cannot be read at all: its body is no JSON, its query no UTF-8."""


class MethodNotAllowed(Refused):
    """The path exists, with other methods."""

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method[:20]} is not answered here, only {allowed}")
        self.allowed = allowed


class RangeNotSatisfiable(Refused):
    """None of the bytes asked for exist."""

    def __init__(self, byte_size: int) -> None:
        super().__init__(f"the range lies beyond the end, there are {byte_size} bytes")
        self.byte_size = byte_size


@dataclass(frozen=True, slots=True)
class Kind:
    """How one class of errors is answered. `name` is a promise: clients tell problems apart by it."""

    status: int
    name: str
    title: str

    @property
    def type(self) -> str:
        return TYPE_PREFIX + self.name


KINDS: dict[type[RoostError], Kind] = {
    Malformed: Kind(400, "malformed", "The request cannot be read"),
    MethodNotAllowed: Kind(405, "method-not-allowed", "The method is not answered here"),
    RangeNotSatisfiable: Kind(416, "range-not-satisfiable", "There are no such bytes"),
    errors.Invalid: Kind(422, "invalid", "A value breaks a bound"),
    errors.NotSignedIn: Kind(401, "not-signed-in", "Sign in first"),
    errors.WrongCredentials: Kind(401, "wrong-credentials", "The name or the password is wrong"),
    errors.Forbidden: Kind(403, "forbidden", "This is not allowed"),
    errors.NotFound: Kind(404, "not-found", "There is no such thing to be seen"),
    errors.Conflict: Kind(409, "conflict", "The state of things forbids it"),
    errors.AlreadyTaken: Kind(409, "already-taken", "It belongs to somebody else"),
    errors.RefReused: Kind(422, "ref-reused", "The ref came with another payload before"),
    errors.Gone: Kind(410, "gone", "It was deleted"),
    errors.TooLarge: Kind(413, "too-large", "Too many bytes"),
    errors.UnsupportedContent: Kind(415, "unsupported-content", "None of the accepted kinds of content"),
    errors.BrokenContent: Kind(422, "broken-content", "The content cannot be decoded"),
    errors.QuotaExceeded: Kind(403, "quota-exceeded", "The room for content is used up"),
    errors.TooManyRequests: Kind(429, "too-many-requests", "A rate limit was reached"),
    errors.Overloaded: Kind(503, "overloaded", "Too much to do at the moment"),
    errors.Draining: Kind(503, "draining", "This node is stopping"),
    errors.DependencyDown: Kind(503, "dependency-down", "A part of the server does not answer"),
}
UNAVAILABLE = Kind(503, "unavailable", "A part of the server does not answer")
INTERNAL = Kind(500, "internal", "The server is at fault")


class ProblemField(msgspec.Struct, frozen=True):
    """One wrong field."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every refusal. `type` names the kind, `detail` states the fact and the bound."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []


@dataclass(frozen=True, slots=True)
class RenderedProblem:
    """A finished problem: status, body, and the headers that belong to it."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def kind_of(error: type[RoostError]) -> Kind:
    """The row of this class, else of its nearest ancestor."""
    for ancestor in error.__mro__:
        kind = KINDS.get(ancestor)
        if kind is not None:
            return kind
    return UNAVAILABLE if issubclass(error, Unavailable) else INTERNAL


def problem_of(error: RoostError) -> Problem:
    """The problem that tells the caller of this error."""
    kind = kind_of(type(error))
    fields = [ProblemField(_printable(one.field), _printable(one.detail)) for one in _fields(error)]
    return Problem(kind.type, kind.title, kind.status, _detail(error, kind), fields)


def render(error: RoostError) -> RenderedProblem:
    """The answer that tells the caller of this error."""
    problem = problem_of(error)
    return RenderedProblem(problem.status, _encode(problem), _headers(error))


def internal() -> RenderedProblem:
    """For what should not have happened: says so, and nothing of what it was."""
    detail = "something unforeseen happened; the operator finds it in the log"
    return RenderedProblem(INTERNAL.status, _encode(Problem(INTERNAL.type, INTERNAL.title, INTERNAL.status, detail)))


def _fields(error: RoostError) -> tuple[FieldError, ...]:
    if isinstance(error, Invalid):
        return error.fields
    if isinstance(error, AlreadyTaken):
        return (FieldError(error.field, str(error)),)
    return ()


def _detail(error: RoostError, kind: Kind) -> str:
    # Of a dependency the caller learns that it is down, not its name, address or driver's words.
    if isinstance(error, errors.DependencyDown):
        return "a part of the server does not answer; try again in a moment"
    return _printable(str(error)) or kind.title


def _printable(text: str) -> str:
    """What callers wrote may stand in it, with halves of surrogate pairs, which UTF-8 cannot say."""
    return text.encode("utf-8", "replace").decode()


def _headers(error: RoostError) -> tuple[tuple[str, str], ...]:
    if isinstance(error, TooManyRequests):
        wait_s = str(max(1, ceil(error.retry_after_s)))
        return (
            ("Retry-After", wait_s),
            ("X-RateLimit-Limit", str(error.limit)),
            ("X-RateLimit-Remaining", "0"),
            ("X-RateLimit-Reset", wait_s),
        )
    if isinstance(error, Unavailable):
        return (("Retry-After", str(max(1, ceil(error.retry_after_s)))),)
    if isinstance(error, MethodNotAllowed):
        return (("Allow", error.allowed),)
    if isinstance(error, RangeNotSatisfiable):
        return (("Content-Range", f"bytes */{error.byte_size}"),)
    if kind_of(type(error)).status == 401:  # noqa: PLR2004 - RFC 9110 wants a challenge with this status
        return (("WWW-Authenticate", "Bearer"),)
    return ()
