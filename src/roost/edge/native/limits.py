"""Rate limits: so many requests of one rule in so long, by user or by client address.

edge.native.app, edge.live -> RateLimits
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address
from math import ceil

from roost.domain.errors import TooManyRequests
from roost.domain.ids import UserId
from roost.ports.clock import Clock

KEYS_MAX = 100_000
"""Users and addresses remembered a rule, some 20 MB at most. The longest unseen is forgotten first: it is the likeliest
to have its whole limit again.
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `amount` at once, and then as many in each `per_s` seconds, evenly."""

    name: str
    amount: int
    per_s: float

    def __post_init__(self) -> None:
        if self.amount < 1 or self.per_s <= 0:
            raise ValueError(f"rule {self.name}: {self.amount} in {self.per_s} s is no rate")


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left after a request: `reset_s` is when one more will be."""

    limit: int
    remaining: int
    reset_s: int

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset_s)),
        )

    @property
    def raw(self) -> bytes:
        """The same as finished lines."""
        lines = (self.limit, self.remaining, self.reset_s)
        return b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\n" % lines


class RateLimits:
    """A token bucket a key, kept as one number: the moment at which it is full again. A refused request costs
    nothing. Where the limits are off, nothing is counted.
    """

    def __init__(self, rules: Iterable[Rule], clock: Clock, *, on: bool = True, keys_max: int = KEYS_MAX) -> None:
        self._clock = clock
        self._on = on
        self._keys_max = keys_max
        self._rules = {rule.name: (rule, OrderedDict[str, float]()) for rule in rules}

    def __contains__(self, name: str) -> bool:
        return name in self._rules

    def take(self, name: str, key: str) -> Spent | None:
        """Count one request; None where limits are off. Raises TooManyRequests."""
        if not self._on:
            return None
        rule, full_at = self._rules[name]
        now_s = self._clock.monotonic_s()
        each_s = rule.per_s / rule.amount
        owed_s = max(full_at.get(key, now_s) - now_s, 0.0)
        # A millionth of a token of grace, so that rounding never takes a token that is due.
        free = (rule.per_s - owed_s) / each_s + 1e-6
        if free < 1:
            wait_s = (1 - free) * each_s
            detail = f"more than {rule.amount} in {rule.per_s:g} s"
            raise TooManyRequests(detail, limit=rule.amount, retry_after_s=wait_s)
        full_at[key] = now_s + owed_s + each_s
        full_at.move_to_end(key)
        if len(full_at) > self._keys_max:
            full_at.popitem(last=False)
        remaining = int(free) - 1
        return Spent(rule.amount, remaining, ceil((1 - free % 1) * each_s))


def user_key(user: UserId) -> str:
    """Whose requests count together: a user's, from wherever they come."""
    return f"user:{user}"


def address_key(address: str) -> str:
    """A client's address; of IPv6 the first 64 bits, since one client has all that begin with them."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> 64:x}::/64"
