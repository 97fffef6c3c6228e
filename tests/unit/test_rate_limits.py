"""Rate limits: a bucket a key, refilled evenly, with bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.adapters.clock.manual import ManualClock
from roost.domain.errors import TooManyRequests
from roost.domain.ids import UserId
from roost.edge.native.limits import RateLimits, Rule, Spent, address_key, user_key

FIVE_A_MINUTE = Rule("five", 5, 60.0)


def _limits(rule: Rule = FIVE_A_MINUTE, keys_max: int = 100) -> tuple[RateLimits, ManualClock]:
    clock = ManualClock()
    return RateLimits([rule], clock, keys_max=keys_max), clock


def test_so_many_may_come_at_once_and_no_more() -> None:
    limits, _ = _limits()
    spent = [limits.take("five", "a") for _ in range(5)]
    assert [one.remaining for one in spent if one is not None] == [4, 3, 2, 1, 0]
    with pytest.raises(TooManyRequests) as refused:
        limits.take("five", "a")
    assert refused.value.limit == 5
    assert refused.value.retry_after_s == pytest.approx(12.0)


def test_who_comes_back_when_told_is_served() -> None:
    limits, clock = _limits()
    for _ in range(5):
        limits.take("five", "a")
    clock.advance(11_999)
    with pytest.raises(TooManyRequests):
        limits.take("five", "a")
    clock.advance(1)
    assert limits.take("five", "a") == Spent(5, 0, 12)


def test_the_whole_limit_is_back_after_its_time() -> None:
    limits, clock = _limits()
    for _ in range(5):
        limits.take("five", "a")
    clock.advance(60_000)
    for _ in range(5):
        limits.take("five", "a")
    with pytest.raises(TooManyRequests):
        limits.take("five", "a")


def test_a_refused_request_costs_nothing() -> None:
    limits, clock = _limits()
    for _ in range(5):
        limits.take("five", "a")
    for _ in range(50):
        with pytest.raises(TooManyRequests):
            limits.take("five", "a")
    clock.advance(12_000)
    assert limits.take("five", "a") is not None


def test_keys_do_not_share_a_limit() -> None:
    limits, _ = _limits()
    for _ in range(5):
        limits.take("five", "a")
    assert limits.take("five", "b") == Spent(5, 4, 12)


def test_nothing_is_counted_where_limits_are_off() -> None:
    limits = RateLimits([FIVE_A_MINUTE], ManualClock(), on=False)
    assert [limits.take("five", "a") for _ in range(50)] == [None] * 50


def test_the_longest_unseen_key_is_forgotten_first() -> None:
    limits, _ = _limits(keys_max=2)
    for _ in range(5):
        limits.take("five", "a")
    for key in ("b", "a", "c"):
        try:
            limits.take("five", key)
        except TooManyRequests:
            assert key == "a"
    limits.take("five", "d")
    assert limits.take("five", "a") is not None


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=60), st.integers(1, 7))
def test_no_more_are_let_through_than_the_bucket_and_its_refill(waits_ms: list[int], amount: int) -> None:
    limits, clock = _limits(Rule("rule", amount, 60.0))
    let_through = 0
    for wait_ms in waits_ms:
        clock.advance(wait_ms)
        try:
            limits.take("rule", "a")
        except TooManyRequests:
            continue
        let_through += 1
    assert let_through <= amount + sum(waits_ms) / 60_000 * amount + 0.01


@pytest.mark.parametrize(("amount", "per_s"), [(0, 1.0), (1, 0.0), (-1, 60.0)])
def test_what_is_no_rate_is_no_rule(amount: int, per_s: float) -> None:
    with pytest.raises(ValueError, match="no rate"):
        Rule("rule", amount, per_s)


def test_addresses_of_one_client_are_one_key() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:2")
    assert address_key("2001:db8::1") != address_key("2001:db8:0:1::1")
    assert address_key("::ffff:192.0.2.1") == address_key("192.0.2.1") == "192.0.2.1"
    assert address_key("fe80::1%eth0") == address_key("fe80::2")
    assert address_key("not:an:address") == "not:an:address"


def test_a_user_and_an_address_never_share_a_key() -> None:
    assert user_key(UserId(1)) != address_key("1")
