"""Tickets for sockets: single use, for 30 s, and no more of them than the bounds."""

from dataclasses import replace

import pytest

from roost.adapters.clock.manual import ManualClock
from roost.adapters.clock.system import SystemRandomness
from roost.domain.errors import Overloaded
from roost.domain.ids import UserId
from roost.domain.user import Session
from roost.edge.live.tickets import TICKET_S, TICKETS_MAX, TICKETS_PER_USER_MAX, Tickets

SESSION = Session("s1", UserId(1), b"t" * 32, 0, 0, 1_000)
TICKET_MS = round(TICKET_S * 1_000)


def _tickets(waiting_max: int = TICKETS_MAX) -> tuple[Tickets, ManualClock]:
    clock = ManualClock()
    return Tickets(clock, SystemRandomness(), waiting_max), clock


def test_a_ticket_is_taken_once() -> None:
    tickets, _ = _tickets()
    ticket = tickets.issue(SESSION)
    assert tickets.take(ticket) is SESSION
    assert tickets.take(ticket) is None


def test_a_ticket_ends_after_its_time() -> None:
    tickets, clock = _tickets()
    early, late = tickets.issue(SESSION), tickets.issue(SESSION)
    clock.advance(TICKET_MS - 1)
    assert tickets.take(early) is SESSION
    clock.advance(1)
    assert tickets.take(late) is None


@pytest.mark.parametrize("text", ["", "x", "x" * 43, "é" * 43, "x" * 10_000])
def test_what_is_no_ticket_opens_nothing(text: str) -> None:
    tickets, _ = _tickets()
    tickets.issue(SESSION)
    assert tickets.take(text) is None


def test_too_many_waiting_tickets_are_refused_until_some_expire() -> None:
    tickets, clock = _tickets(waiting_max=3)
    for _ in range(3):
        tickets.issue(SESSION)
    with pytest.raises(Overloaded):
        tickets.issue(SESSION)
    clock.advance(TICKET_MS)
    assert tickets.take(tickets.issue(SESSION)) is SESSION


def test_one_user_fills_the_room_of_nobody_else() -> None:
    tickets, _ = _tickets(waiting_max=TICKETS_PER_USER_MAX + 1)
    others = replace(SESSION, user_id=UserId(2))
    other = tickets.issue(others)
    own = [tickets.issue(SESSION) for _ in range(TICKETS_PER_USER_MAX + 2)]
    assert [tickets.take(ticket) for ticket in own[:2]] == [None, None]
    assert all(tickets.take(ticket) is SESSION for ticket in own[2:])
    assert tickets.take(other) is others
