"""Celebrities: users with so many followers that their tweets are merged when read, not fanned out."""

from dataclasses import dataclass
from enum import StrEnum

from roost.domain.ids import UserId, Version

THRESHOLD_DEFAULT = 10_000
COUNT_MAX_DEFAULT = 2_000
DEMOTION_SHARE = 0.8
"""A celebrity stays one until below this share of the threshold: no flapping around it."""


class CelebrityState(StrEnum):
    """MERGED: not fanned out. RETURNING: fanned out again, and still merged until every home has it all."""

    MERGED = "merged"
    RETURNING = "returning"


@dataclass(frozen=True, slots=True)
class Celebrity:
    """A row of the celebrity table: whose tweets every reader who follows merges in."""

    user_id: UserId
    state: CelebrityState
    version: Version


def should_promote(followers: int, threshold: int) -> bool:
    return followers >= threshold


def should_demote(followers: int, threshold: int) -> bool:
    return followers < threshold * DEMOTION_SHARE
