"""Follows, requests, blocks and mutes in SQLite.

A row lies in four trees: by what its subject does (the primary key), by subject and by object newest first,
and by object with the subjects rising, which is what a fan-out pages through.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.bounded_reads import read_columns
from roost.domain.errors import Invalid
from roost.domain.events import RelationChanged
from roost.domain.ids import ID_MAX, Position, UserId, Version
from roost.domain.relation import Relation, RelationKind, Relations

SCHEMA = """
CREATE TABLE IF NOT EXISTS relations (
  kind TEXT NOT NULL, subject INTEGER NOT NULL, object INTEGER NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY (kind, subject, object)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS relations_by_object ON relations (kind, object, version);
CREATE INDEX IF NOT EXISTS relations_by_subject ON relations (kind, subject, version);
CREATE INDEX IF NOT EXISTS relations_rising ON relations (kind, object, subject);
"""

RELATIONS_MAX = 1_000_000
"""Rows a kind in one read of a user's relations: FOLLOWING_MAX bounds follows, this all the rest."""

# One statement, so that blocks and follows are of one moment.
_OF_VIEWER = """
SELECT
  (SELECT json_group_array(object) FROM
    (SELECT object FROM relations WHERE kind = 'follow' AND subject = ?1 LIMIT ?2)),
  (SELECT json_group_array(object) FROM
    (SELECT object FROM relations WHERE kind = 'block' AND subject = ?1 LIMIT ?2)),
  (SELECT json_group_array(subject) FROM
    (SELECT subject FROM relations WHERE kind = 'block' AND object = ?1 LIMIT ?2)),
  (SELECT json_group_array(object) FROM
    (SELECT object FROM relations WHERE kind = 'mute' AND subject = ?1 LIMIT ?2)),
  (SELECT json_group_array(object) FROM
    (SELECT object FROM relations WHERE kind = 'request' AND subject = ?1 LIMIT ?2))"""
_OF_SUBJECT = """
SELECT json_group_array(object), json_group_array(version) FROM (
  SELECT object, version FROM relations INDEXED BY relations_by_subject
  WHERE kind = ? AND subject = ? AND version < ? ORDER BY version DESC LIMIT ?)"""
_OF_OBJECT = """
SELECT json_group_array(subject), json_group_array(version) FROM (
  SELECT subject, version FROM relations INDEXED BY relations_by_object
  WHERE kind = ? AND object = ? AND version < ? ORDER BY version DESC LIMIT ?)"""
_FOLLOWERS = """
SELECT json_group_array(subject) FROM (
  SELECT subject FROM relations INDEXED BY relations_rising
  WHERE kind = 'follow' AND object = ? AND subject > ? ORDER BY subject LIMIT ?)"""
_NAMING = """
SELECT kind, subject, object, version FROM relations
WHERE kind IN ('follow', 'request', 'block', 'mute') AND subject = ?1
UNION ALL
SELECT kind, subject, object, version FROM relations
WHERE kind IN ('follow', 'request', 'block', 'mute') AND object = ?1 AND subject <> ?1 LIMIT ?2"""


class SqliteRelationStore:
    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def relations(self, viewer: UserId) -> Relations:
        columns = await read_columns(self._file, RELATIONS_MAX, _OF_VIEWER, viewer)
        follows, blocks, blocked_by, mutes, requested = map(frozenset, columns)
        return Relations(viewer, follows, blocks, blocked_by, mutes, requested)

    async def add(self, relation: Relation, following_max: int) -> Position | None:
        """A follow or request that meets a block, or a request that meets a follow, keeps nothing: what came
        first stands, as if this had come just before it and been ended by it.
        """

        def job(connection: sqlite3.Connection) -> Position | None:
            pair = (relation.subject, relation.object)
            if _row(connection, relation.kind, *pair) is not None:
                return None
            facts: list[RelationChanged] = []
            match relation.kind:
                case RelationKind.FOLLOW | RelationKind.REQUEST:
                    if _stands_in_the_way(connection, relation):
                        return None
                    facts += _drop(connection, RelationKind.REQUEST, *pair)
                    _check_following(connection, relation.subject, following_max)
                case RelationKind.BLOCK:
                    for subject, object_ in (pair, pair[::-1]):
                        facts += _drop(connection, RelationKind.FOLLOW, subject, object_)
                        facts += _drop(connection, RelationKind.REQUEST, subject, object_)
                case RelationKind.MUTE:
                    pass
            return self._file.leave(connection, [*facts, _insert(connection, relation)])

        return await self._file.write(job)

    async def remove(self, kind: RelationKind, subject: UserId, object: UserId, version: Version) -> Position | None:
        """`version` decides nothing here, where the order of commits does."""

        def job(connection: sqlite3.Connection) -> Position | None:
            facts = _drop(connection, kind, subject, object)
            return self._file.leave(connection, facts) if facts else None

        return await self._file.write(job)

    async def accept(self, requests: Collection[Relation]) -> Position | None:
        def job(connection: sqlite3.Connection) -> Position | None:
            facts: list[RelationChanged] = []
            for request in requests:
                dropped = _drop(connection, RelationKind.REQUEST, request.subject, request.object)
                if dropped:
                    follow = Relation(RelationKind.FOLLOW, request.subject, request.object, request.version)
                    facts += [*dropped, _insert(connection, follow)]
            return self._file.leave(connection, facts) if facts else None

        return await self._file.write(job)

    async def holds(self, kind: RelationKind, subject: UserId, object: UserId) -> Relation | None:
        sql = "SELECT version FROM relations WHERE kind = ? AND subject = ? AND object = ?"
        rows = self._file.rows(sql, (kind.value, subject, object))
        return Relation(kind, subject, object, Version(rows[0][0])) if rows else None

    async def of_subject(
        self, kind: RelationKind, subject: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        below = ID_MAX if before is None else before
        others, versions = await read_columns(self._file, limit, _OF_SUBJECT, kind.value, subject, below)
        return [Relation(kind, subject, *row) for row in zip(others, versions, strict=True)]

    async def of_object(
        self, kind: RelationKind, object: UserId, before: Version | None, limit: int
    ) -> Sequence[Relation]:
        below = ID_MAX if before is None else before
        others, versions = await read_columns(self._file, limit, _OF_OBJECT, kind.value, object, below)
        return [Relation(kind, other, object, version) for other, version in zip(others, versions, strict=True)]

    async def followers(self, user: UserId, after: UserId, limit: int) -> Sequence[UserId]:
        (ids,) = await read_columns(self._file, limit, _FOLLOWERS, user, after)
        return ids

    async def follower_counts(self, users: Collection[UserId]) -> Mapping[UserId, int]:
        """In a thread: a celebrity's count walks over all of its rows."""

        def job(connection: sqlite3.Connection) -> dict[UserId, int]:
            counted = connection.execute(
                "SELECT object, count(*) FROM relations INDEXED BY relations_rising WHERE kind = 'follow'"
                " AND object IN (SELECT value FROM json_each(?)) GROUP BY object",
                (json.dumps(list(users)),),
            )
            return dict.fromkeys(users, 0) | dict(counted.fetchall())

        return await self._file.read(job)

    async def erase(self, user: UserId, limit: int) -> int:
        def job(connection: sqlite3.Connection) -> int:
            rows = connection.execute(_NAMING, (user, limit)).fetchall()
            connection.executemany(
                "DELETE FROM relations WHERE kind = ? AND subject = ? AND object = ?", [row[:3] for row in rows]
            )
            self._file.leave(
                connection,
                [RelationChanged(subject, object_, kind, False, version) for kind, subject, object_, version in rows],
            )
            return len(rows)

        return await self._file.write(job)

    async def scan(self, after: Relation | None, limit: int) -> Sequence[Relation]:
        rows = self._file.rows(
            "SELECT kind, subject, object, version FROM relations WHERE (kind, subject, object) > (?, ?, ?)"
            " ORDER BY kind, subject, object LIMIT ?",
            (*(("", 0, 0) if after is None else (after.kind.value, after.subject, after.object)), limit),
        )
        return [Relation(RelationKind(kind), *row) for kind, *row in rows]


def _row(connection: sqlite3.Connection, kind: RelationKind, subject: UserId, object_: UserId) -> Version | None:
    row = connection.execute(
        "SELECT version FROM relations WHERE kind = ? AND subject = ? AND object = ?", (kind.value, subject, object_)
    ).fetchone()
    return None if row is None else Version(row[0])


def _insert(connection: sqlite3.Connection, relation: Relation) -> RelationChanged:
    """Keep the row; the fact to be told."""
    kind, subject, object_, version = relation.kind.value, relation.subject, relation.object, relation.version
    connection.execute(
        "INSERT INTO relations (kind, subject, object, version) VALUES (?, ?, ?, ?)", (kind, subject, object_, version)
    )
    return RelationChanged(subject, object_, kind, now=True, version=version)


def _drop(
    connection: sqlite3.Connection, kind: RelationKind, subject: UserId, object_: UserId
) -> list[RelationChanged]:
    """Drop the row if it is there; the fact to be told, with the version that the row had."""
    dropped = connection.execute(
        "DELETE FROM relations WHERE kind = ? AND subject = ? AND object = ? RETURNING version",
        (kind.value, subject, object_),
    ).fetchall()
    return [RelationChanged(subject, object_, kind.value, now=False, version=version) for (version,) in dropped]


def _stands_in_the_way(connection: sqlite3.Connection, asked: Relation) -> bool:
    """A block between the two; for a request the follow too."""
    pair = (asked.subject, asked.object)
    blocked = any(_row(connection, RelationKind.BLOCK, *each) is not None for each in (pair, pair[::-1]))
    return blocked or (asked.kind is RelationKind.REQUEST and _row(connection, RelationKind.FOLLOW, *pair) is not None)


def _check_following(connection: sqlite3.Connection, subject: UserId, following_max: int) -> None:
    """Refuse one more. Counts the rows, 50 ns each: 0.4 ms of the writer for a user who is at the bound."""
    (count,) = connection.execute(
        "SELECT count(*) FROM relations WHERE kind IN ('follow', 'request') AND subject = ?", (subject,)
    ).fetchone()
    if count >= following_max:
        raise Invalid(f"{count} users followed or asked, at most {following_max} allowed")
