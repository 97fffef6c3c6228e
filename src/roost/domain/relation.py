"""How two users stand to each other, and all that a viewer's sight depends on."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from roost.domain.ids import UserId, Version


class RelationKind(StrEnum):
    """A directed relation from one user to another."""

    FOLLOW = "follow"
    REQUEST = "request"  # a follow that waits for a protected user
    BLOCK = "block"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class Relation:
    """One row. `version` orders lists (newest first) and decides between repeated facts."""

    kind: RelationKind
    subject: UserId
    object: UserId
    version: Version


@dataclass(frozen=True, slots=True)
class Relations:
    """All that decides what `viewer` may see. `follows` are accepted follows."""

    viewer: UserId
    follows: AbstractSet[UserId] = frozenset()
    blocks: AbstractSet[UserId] = frozenset()
    blocked_by: AbstractSet[UserId] = frozenset()
    mutes: AbstractSet[UserId] = frozenset()
    requested: AbstractSet[UserId] = frozenset()

    def blocked(self, other: UserId) -> bool:
        """A block stands between the two, either way."""
        return other in self.blocks or other in self.blocked_by


STRANGER = Relations(viewer=UserId(0))
"""Whoever is not signed in: nobody has id 0, so nobody's rule matches."""
