"""Everything that can go wrong on purpose.

RoostError
├── Refused                     the rules forbid the request; repeating it cannot help
│   ├── Invalid                 a value breaks a bound; names the field, the fact and the bound
│   ├── NotSignedIn             no token, or a dead one
│   ├── WrongCredentials        unknown user or wrong password: never said which
│   ├── Forbidden               known, seen, and not allowed
│   ├── NotFound                absent, or not to be seen by this viewer: never said which
│   ├── Conflict                the state of things forbids it (following oneself)
│   ├── AlreadyTaken            a name or an address that must be unique
│   ├── RefReused               the same `ref` with another payload
│   ├── Gone                    it existed and was deleted
│   ├── TooLarge                a body or a file beyond its bound
│   ├── UnsupportedContent      bytes that are none of the accepted kinds
│   ├── BrokenContent           bytes of an accepted kind that do not decode
│   ├── QuotaExceeded           a user's share of storage is used up
│   └── TooManyRequests         a rate limit; says when to come back
└── Unavailable                 a dependency did not answer; repeating it may help
    ├── Overloaded              a bounded queue is full
    ├── Draining                this node is on its way out; another one will answer
    └── DependencyDown          a store, a log or an index does not answer
"""

from dataclasses import dataclass


class RoostError(Exception):
    """Base of every error this server raises deliberately. `str()` is fit to be shown to the caller."""


class Refused(RoostError):
    """The rules forbid the request."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request: its name as the caller wrote it, and what is wrong with it."""

    field: str
    detail: str


class Invalid(Refused):
    """A value breaks a bound. One error may report several fields at once."""

    def __init__(self, detail: str, *fields: FieldError) -> None:
        super().__init__(detail)
        self.fields = fields

    @classmethod
    def field(cls, field: str, detail: str) -> "Invalid":
        """One wrong field: the field's fact and bound are also the whole error's."""
        return cls(detail, FieldError(field, detail))


class NotSignedIn(Refused):
    """No token, or one that is unknown, expired or revoked."""

    def __init__(self, detail: str = "a valid bearer token is required") -> None:
        super().__init__(detail)


class WrongCredentials(Refused):
    """The name or the password is wrong."""

    def __init__(self) -> None:
        super().__init__("the name or the password is wrong")


class Forbidden(Refused):
    """The caller may know of the thing and may not do this to it."""


class NotFound(Refused):
    """The thing is absent, or the caller may not see it."""


class Conflict(Refused):
    """The state of things forbids the act."""


class AlreadyTaken(Refused):
    """A value that must be unique belongs to somebody else."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class RefReused(Refused):
    """The same `ref` came with another payload."""


class Gone(Refused):
    """The thing existed and was deleted."""


class TooLarge(Refused):
    """More bytes than the bound."""


class UnsupportedContent(Refused):
    """Bytes that are none of the accepted kinds of content."""


class BrokenContent(Refused):
    """Bytes of an accepted kind that cannot be decoded within the limits."""


class QuotaExceeded(Refused):
    """The user's share of storage is used up."""


class TooManyRequests(Refused):
    """A rate limit was reached."""

    def __init__(self, detail: str, *, limit: int, retry_after_s: float) -> None:
        super().__init__(detail)
        self.limit = limit
        self.retry_after_s = retry_after_s


class Unavailable(RoostError):
    """A dependency did not answer. Repeating the request may help."""

    retry_after_s: float = 1.0


class Overloaded(Unavailable):
    """A bounded queue is full: refused at once rather than answered late."""


class Draining(Unavailable):
    """This node is stopping."""


class DependencyDown(Unavailable):
    """A store, a log or an index does not answer."""
