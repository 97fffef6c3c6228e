"""Times as callers read and write them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime


def rfc3339(ms: int) -> str:
    """Unix milliseconds as `2026-11-22T10:00:00.123Z`."""
    whole = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
