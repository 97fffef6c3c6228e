"""What an endpoint of the native REST interface is: its address, what it takes, what it answers, who handles it.

edge.native.app (routing, auth, decoding) -> Endpoint.handler(Call) -> Answer | Stream -> edge.native.app (writing)

A route module is a frozen dataclass of the commands and queries it needs, with `endpoints() -> list[Endpoint]`.
The same values make the routing and /openapi.json, so that neither can lag the other.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum, auto
from typing import Any, Generic, TypeVar

import msgspec

from roost.domain.errors import Invalid, NotSignedIn, Refused, RoostError
from roost.domain.ids import ID_MAX, TweetId, UserId, parse_id
from roost.domain.timeline import PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX, Page
from roost.domain.user import Session

T = TypeVar("T")
BodyT = TypeVar("BodyT")
ChoiceT = TypeVar("ChoiceT", bound=StrEnum)

BODY_BYTES_MAX = 65_536
"""Of a JSON body: as much as a message on a socket."""

POSITION_HEADER = "X-Roost-Position"
LIMIT_DIGITS_MAX = 9
JSON = "application/json"

_encode = msgspec.json.Encoder().encode


class SignedIn(Enum):
    """Whether an endpoint wants a session."""

    REQUIRED = auto()
    OPTIONAL = auto()  # a stranger may ask, unless the server's `public_read` is off
    JUDGED = auto()  # anybody may ask, also with no more than a signed address: the handler judges
    NONE = auto()  # a token is not looked at


class Place(StrEnum):
    """Where a parameter stands."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """A value beside the body. `read` gets its text and raises Invalid; `schema` is its JSON Schema.

    An absent parameter has the value `default`, unless it is `required`: then it is refused as Invalid.
    """

    name: str
    place: Place
    read: Callable[[str], T]
    meaning: str
    schema: Mapping[str, object]
    default: T
    required: bool = False


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that the handler reads itself by `Call.chunks`, at most `bytes_max` of it (beyond: TooLarge)."""

    media_type: str
    bytes_max: int
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer. `headers` go out beside those that every answer has; `Content-Length` is one of them."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is made while it is sent. Without `length` it is sent in chunks.

    Raise refusals before answering one: an error of `chunks` can only cut the connection off.
    """

    status: int
    chunks: AsyncIterator[bytes]
    media_type: str
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """What an answer of one status is, for /openapi.json. `shape` is a msgspec Struct, None for no body."""

    meaning: str
    shape: type[msgspec.Struct] | None = None
    media_type: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call(Generic[BodyT]):
    """One request, parsed. `values` are the parameters' by name: read them with `value`."""

    session: Session | None
    address: str
    """The client's, also behind a trusted proxy."""

    values: Mapping[str, Any]
    body: BodyT
    headers: Mapping[bytes, bytes]
    """Names in lower case."""

    chunks: Callable[[], AsyncIterator[bytes]]
    """The body as it comes, where the endpoint has a RawBody. Raises TooLarge beyond its bound."""

    def value(self, parameter: Parameter[T]) -> T:
        """The value of one of the endpoint's parameters."""
        found: T = self.values[parameter.name]
        return found

    @property
    def viewer(self) -> UserId | None:
        """Who asks; None for a stranger."""
        return None if self.session is None else self.session.user_id

    @property
    def user(self) -> UserId:
        """Who asks, where an endpoint requires it. Raises NotSignedIn for a stranger."""
        if self.session is None:
            raise NotSignedIn
        return self.session.user_id

    def header(self, name: str) -> str | None:
        """The header of that lower-case name."""
        value = self.headers.get(name.encode("latin-1"))
        return None if value is None else value.decode("latin-1")


Handler = Callable[[Call[Any]], Awaitable[Answer | Stream]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` names its path parameters in braces. `refusals` are the errors that a caller should expect beside
    those that follow from the rest (no token, a wrong parameter or body, a rate limit, an unavailable part).

    A GET answers HEAD too. `rate_limit` names a rule of edge.native.limits; it is counted by user, else by address.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Described]
    signed_in: SignedIn = SignedIn.REQUIRED
    parameters: tuple[Parameter[Any], ...] = ()
    body: type[msgspec.Struct] | None = None
    raw_body: RawBody | None = None
    body_bytes_max: int = BODY_BYTES_MAX
    rate_limit: str | None = "read"
    refusals: tuple[type[RoostError], ...] = ()
    tag: str = field(default="", kw_only=True)
    """The chapter of the documentation that it belongs to."""

    def __post_init__(self) -> None:
        if self.body is not None and self.raw_body is not None:
            raise ValueError(f"{self.method} {self.path} has two bodies")
        named = {part[1:-1] for part in self.path.split("/") if part.startswith("{")}
        if named != {one.name for one in self.parameters if one.place is Place.PATH}:
            raise ValueError(f"{self.method} {self.path}: path and path parameters differ")
        if not all(issubclass(error, Refused) for error in self.refusals):
            raise ValueError(f"{self.method} {self.path}: every endpoint may be Unavailable; only refusals are listed")


def answer(status: int, value: object, *headers: tuple[str, str]) -> Answer:
    """`value` (a Struct of edge.native.shapes, or what msgspec can encode) as JSON."""
    return Answer(status, _encode(value), headers)


NO_CONTENT = Answer(204)


def id_in_path(name: str, meaning: str, kind: Callable[[int], T]) -> Parameter[T]:
    """An id such as `{userId}`; `kind` is its NewType."""
    return Parameter(name, Place.PATH, _id_reader(name, kind), meaning, _ID_SCHEMA, kind(0), required=True)


def text_in_path(name: str, meaning: str, length_max: int) -> Parameter[str]:
    """Any text without a slash, percent-decoded."""
    schema = {"type": "string", "minLength": 1, "maxLength": length_max}
    return Parameter(name, Place.PATH, _text_reader(name, length_max), meaning, schema, "", required=True)


def text_in_query(name: str, meaning: str, length_max: int) -> Parameter[str | None]:
    """Any text; None where it is absent."""
    schema = {"type": "string", "maxLength": length_max}
    return Parameter(name, Place.QUERY, _text_reader(name, length_max), meaning, schema, None)


def required_text(name: str, meaning: str, length_max: int) -> Parameter[str]:
    """Text in the query that may not be absent."""
    schema = {"type": "string", "maxLength": length_max}
    return Parameter(name, Place.QUERY, _text_reader(name, length_max), meaning, schema, "", required=True)


def header_text(name: str, meaning: str, length_max: int) -> Parameter[str | None]:
    """A header; None where it is absent."""
    schema = {"type": "string", "minLength": 1, "maxLength": length_max}
    return Parameter(name, Place.HEADER, _text_reader(name, length_max), meaning, schema, None)


def choice_in_query(name: str, meaning: str, choices: type[ChoiceT], default: ChoiceT) -> Parameter[ChoiceT]:
    """One of the words of an enumeration."""

    def read(text: str) -> ChoiceT:
        try:
            return choices(text)
        except ValueError:
            words = ", ".join(choices)
            raise Invalid.field(name, f"{text[:40]!r} is none of {words}") from None

    schema = {"type": "string", "enum": [str(one) for one in choices], "default": str(default)}
    return Parameter(name, Place.QUERY, read, meaning, schema, default)


def id_in_query(name: str, meaning: str, kind: Callable[[int], T]) -> Parameter[T | None]:
    """An id or a cursor in the query; None where it is absent."""
    return Parameter(name, Place.QUERY, _id_reader(name, kind), meaning, _ID_SCHEMA, None)


def _read_limit(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= LIMIT_DIGITS_MAX and 1 <= int(text) <= PAGE_LIMIT_MAX:
        return int(text)
    raise Invalid.field("limit", f"{text[:40]!r} is not a number of 1..{PAGE_LIMIT_MAX}")


def _id_reader(name: str, kind: Callable[[int], T]) -> Callable[[str], T]:
    return lambda text: kind(parse_id(text, name))


def _text_reader(name: str, length_max: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if len(text) > length_max:
            raise Invalid.field(name, f"{len(text)} characters, at most {length_max} allowed")
        return text

    return read


_ID_SCHEMA = {"type": "string", "pattern": "^[0-9]{1,19}$", "description": f"a decimal id, at most {ID_MAX}"}

USER_ID = id_in_path("userId", "the user", UserId)
TWEET_ID = id_in_path("tweetId", "the tweet", TweetId)
LIMIT: Parameter[int] = Parameter(
    "limit",
    Place.QUERY,
    _read_limit,
    "how many are wanted",
    {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT_DEFAULT},
    PAGE_LIMIT_DEFAULT,
)
BEFORE = id_in_query("before", "only tweets older than this one", TweetId)
AFTER = id_in_query("after", "the page just above this tweet; not together with `before`", TweetId)
CURSOR = id_in_query("before", "where to go on: the `before` of the page above", int)
"""The cursor of pages of anything but tweets: opaque to callers."""


def page_of(call: Call[Any]) -> Page:
    """The page that LIMIT, BEFORE and AFTER ask for. Raises Invalid where both cursors are given."""
    return Page(call.value(LIMIT), call.value(BEFORE), call.value(AFTER))
