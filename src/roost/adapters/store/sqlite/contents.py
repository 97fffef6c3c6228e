"""Rows of contents in SQLite. TweetStore.add writes `tweet_id`; a profile's picture is named by `users.avatar`."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import msgspec

from roost.adapters.sqlite_file import SqliteFile
from roost.adapters.store.sqlite.bounded_reads import read_up_to
from roost.domain.content import Content, Digest
from roost.domain.errors import QuotaExceeded
from roost.domain.ids import ContentId, TweetId, UserId

SCHEMA = """
CREATE TABLE IF NOT EXISTS contents (
  content_id TEXT PRIMARY KEY, owner INTEGER NOT NULL, tweet_id INTEGER, version INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, quota_bytes INTEGER NOT NULL, digest TEXT, preview_digest TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS contents_by_owner ON contents (owner, content_id, quota_bytes);
CREATE INDEX IF NOT EXISTS contents_unclaimed ON contents (created_ms, content_id) WHERE tweet_id IS NULL;
CREATE INDEX IF NOT EXISTS contents_by_digest ON contents (digest) WHERE digest IS NOT NULL;
CREATE INDEX IF NOT EXISTS contents_by_preview ON contents (preview_digest) WHERE preview_digest IS NOT NULL;
"""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Content).decode


class SqliteContentStore:
    """A row is the encoded value, with columns beside it for what statements ask by or write."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    async def add(self, content: Content, quota_bytes: int) -> None:
        """A greater version of a kept row replaces it, its tweet apart: so a pending row becomes a ready one."""

        def job(connection: sqlite3.Connection) -> None:
            _check_quota(connection, content, quota_bytes)
            _upsert(connection, content)

        await self._file.write(job)

    async def get_many(self, ids: Collection[ContentId]) -> Mapping[ContentId, Content]:
        if not ids:
            return {}
        sql = "SELECT tweet_id, body FROM contents WHERE content_id IN (SELECT value FROM json_each(?))"
        rows = self._file.rows(sql, (json.dumps(list(ids)),))
        return {content.id: content for content in map(_decode, rows)}

    async def of_owner(self, owner: UserId, after: ContentId | None, limit: int) -> Sequence[Content]:
        rows = await read_up_to(
            self._file,
            limit,
            "SELECT tweet_id, body FROM contents WHERE owner = ? AND content_id > ? ORDER BY content_id LIMIT ?",
            owner,
            after or "",
        )
        return [_decode(row) for row in rows]

    async def abandoned(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        """In a thread: the pictures of profiles are in no tweet and are all looked at."""

        def job(connection: sqlite3.Connection) -> list[Content]:
            rows = connection.execute(
                "SELECT tweet_id, body FROM contents WHERE tweet_id IS NULL AND created_ms < ?"
                " AND NOT EXISTS (SELECT 1 FROM users WHERE avatar = content_id)"
                " ORDER BY created_ms, content_id LIMIT ?",
                (created_before_ms, limit),
            )
            return [_decode(row) for row in rows.fetchall()]

        return await self._file.read(job)

    async def unfinished(self, created_before_ms: int, limit: int) -> Sequence[Content]:
        """In a thread, for the same reason."""

        def job(connection: sqlite3.Connection) -> list[Content]:
            rows = connection.execute(
                "SELECT tweet_id, body FROM contents WHERE tweet_id IS NULL AND digest IS NULL AND created_ms < ?"
                " ORDER BY created_ms, content_id LIMIT ?",
                (created_before_ms, limit),
            )
            return [_decode(row) for row in rows.fetchall()]

        return await self._file.read(job)

    async def remove(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self._remove(ids, claimed_too=True)

    async def remove_unclaimed(self, ids: Collection[ContentId]) -> Sequence[str]:
        return await self._remove(ids, claimed_too=False)

    async def named(self, digests: Collection[Digest]) -> Collection[Digest]:
        def job(connection: sqlite3.Connection) -> set[Digest]:
            return {digest for digest in digests if _is_named(connection, digest)}

        return await self._file.read(job)

    async def _remove(self, ids: Collection[ContentId], *, claimed_too: bool) -> Sequence[str]:
        def job(connection: sqlite3.Connection) -> list[str]:
            dropped = connection.execute(
                "DELETE FROM contents WHERE content_id IN (SELECT value FROM json_each(?)) AND (? OR"
                " tweet_id IS NULL AND NOT EXISTS (SELECT 1 FROM users WHERE avatar = content_id))"
                " RETURNING digest, preview_digest",
                (json.dumps(list(ids)), claimed_too),
            ).fetchall()
            digests = dict.fromkeys(digest for pair in dropped for digest in pair if digest is not None)
            return [digest for digest in digests if not _is_named(connection, digest)]

        return await self._file.write(job)


def _decode(row: tuple[TweetId | None, bytes]) -> Content:
    tweet_id, body = row
    return replace(_DECODE(body), tweet_id=tweet_id)


def _check_quota(connection: sqlite3.Connection, content: Content, quota_bytes: int) -> None:
    (others,) = connection.execute(
        "SELECT ifnull(sum(quota_bytes), 0) FROM contents WHERE owner = ? AND content_id <> ?",
        (content.owner, content.id),
    ).fetchone()
    if others + content.quota_bytes > quota_bytes:
        raise QuotaExceeded(f"{others} bytes stored and {content.quota_bytes} more, at most {quota_bytes} allowed")


def _upsert(connection: sqlite3.Connection, content: Content) -> None:
    connection.execute(
        "INSERT INTO contents (content_id, owner, tweet_id, version, created_ms, quota_bytes, digest,"
        " preview_digest, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (content_id) DO UPDATE SET"
        " version = excluded.version, created_ms = excluded.created_ms, quota_bytes = excluded.quota_bytes,"
        " digest = excluded.digest, preview_digest = excluded.preview_digest, body = excluded.body"
        " WHERE excluded.version > version AND excluded.owner = owner",
        (
            content.id,
            content.owner,
            content.tweet_id,
            content.version,
            content.created_ms,
            content.quota_bytes,
            content.original and content.original.digest,
            content.preview and content.preview.digest,
            _ENCODE(content),
        ),
    )


def _is_named(connection: sqlite3.Connection, digest: str) -> bool:
    return bool(
        connection.execute(
            "SELECT 1 FROM contents WHERE digest = ?1 UNION ALL SELECT 1 FROM contents WHERE preview_digest = ?1",
            (digest,),
        ).fetchone()
    )
