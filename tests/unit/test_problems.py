"""The table of problems: every error has its row, and tells the caller no more than it may."""

import inspect
import re

import msgspec
import pytest

from roost.domain import errors
from roost.domain.errors import (
    AlreadyTaken,
    DependencyDown,
    FieldError,
    Invalid,
    NotSignedIn,
    Overloaded,
    RoostError,
    TooManyRequests,
)
from roost.edge import problems
from roost.edge.problems import KINDS, MethodNotAllowed, kind_of, problem_of, render


def _all_errors(root: type[RoostError] = RoostError) -> set[type[RoostError]]:
    return {root}.union(*(_all_errors(child) for child in root.__subclasses__()))


LEAVES = sorted(
    (error for error in _all_errors() if not error.__subclasses__() and error.__module__ == errors.__name__),
    key=lambda error: error.__name__,
)


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_leaf_of_the_tree_has_a_row(leaf: type[RoostError]) -> None:
    assert leaf in KINDS


def test_the_drawing_of_the_tree_names_every_leaf() -> None:
    drawn = set(re.findall(r"── (\w+)", inspect.getdoc(errors) or ""))
    assert {leaf.__name__ for leaf in LEAVES} <= drawn


def test_no_two_kinds_share_a_name() -> None:
    names = [kind.name for kind in KINDS.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


@pytest.mark.parametrize("error", KINDS, ids=lambda error: error.__name__)
def test_a_refusal_is_the_callers_and_an_unavailability_is_the_servers(error: type[RoostError]) -> None:
    assert (400 <= KINDS[error].status < 500) is issubclass(error, errors.Refused)


def test_a_class_without_a_row_is_answered_as_its_nearest_ancestor() -> None:
    class Narrower(errors.NotFound):
        pass

    assert kind_of(Narrower) is KINDS[errors.NotFound]
    assert kind_of(errors.Unavailable).status == 503


def test_an_invalid_value_names_its_field_and_bound() -> None:
    error = Invalid("two are wrong", FieldError("a", "too long"), FieldError("b", "too short"))
    assert msgspec.to_builtins(problem_of(error)) == {
        "type": "/problems/invalid",
        "title": "A value breaks a bound",
        "status": 422,
        "detail": "two are wrong",
        "errors": [{"field": "a", "detail": "too long"}, {"field": "b", "detail": "too short"}],
    }


def test_what_is_taken_is_named_as_a_field() -> None:
    problem = problem_of(AlreadyTaken("username", "ada is taken"))
    assert (problem.status, problem.errors[0].field) == (409, "username")


def test_a_problem_without_fields_has_no_list_of_them() -> None:
    assert b"errors" not in render(NotSignedIn()).body


def test_a_rate_limit_says_when_to_come_back_in_whole_seconds_and_never_now() -> None:
    headers = dict(render(TooManyRequests("too many", limit=5, retry_after_s=0.01)).headers)
    assert headers["Retry-After"] == "1"
    assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("5", "0")
    assert dict(render(TooManyRequests("too many", limit=5, retry_after_s=2.2)).headers)["Retry-After"] == "3"


def test_what_is_unavailable_says_when_to_come_back() -> None:
    assert dict(render(Overloaded("full")).headers) == {"Retry-After": "1"}


def test_a_wrong_method_is_told_the_right_ones() -> None:
    assert dict(render(MethodNotAllowed("PUT", "GET, HEAD")).headers) == {"Allow": "GET, HEAD"}


def test_whoever_is_not_signed_in_is_told_how_to() -> None:
    assert dict(render(NotSignedIn()).headers) == {"WWW-Authenticate": "Bearer"}


def test_nothing_is_told_of_which_part_is_down() -> None:
    rendered = render(DependencyDown("sqlite at /var/lib/roost: disk I/O error"))
    assert rendered.status == 503
    assert b"sqlite" not in rendered.body
    assert b"/var" not in rendered.body


def test_nothing_is_told_of_an_error_that_nobody_foresaw() -> None:
    rendered = problems.internal()
    assert (rendered.status, msgspec.json.decode(rendered.body)["type"]) == (500, "/problems/internal")


def test_half_of_a_surrogate_pair_in_a_detail_is_rendered_all_the_same() -> None:
    assert msgspec.json.decode(render(Invalid.field("q", "\ud800 is wrong")).body)["status"] == 422


def test_the_fields_of_a_problem_may_hold_half_a_surrogate_pair_too() -> None:
    body = msgspec.json.decode(render(Invalid.field("\ud800", "wrong")).body)
    assert body["errors"][0]["detail"] == "wrong"
