"""Trends: hashtags ranked by how far their use of the last hours stands above what was usual."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

HOUR_MS = 3_600_000
RECENT_HOURS = 6
"""The running hour and the five before it."""

USUAL_HOURS = 42
WINDOW_HOURS = RECENT_HOURS + USUAL_HOURS
BUSIEST_MAX = 500
"""Of each recent hour only so many tags, the most used, are candidates: it bounds what a ranking reads."""

TRENDS_MAX = 100


@dataclass(frozen=True, slots=True)
class Trend:
    tag: str
    """The tag's key: lower case, without its sign."""

    count: int
    """Authors who used it, each counted once an hour, over the last hours."""

    rise: float
    """By how many standard deviations the count exceeds the usual one."""


def hour_of(ms: int) -> int:
    """Whole hours since 1970."""
    return ms // HOUR_MS


def recent_hours(now_ms: int) -> range:
    """The hours whose use is ranked."""
    now = hour_of(now_ms)
    return range(now - RECENT_HOURS + 1, now + 1)


def usual_hours(now_ms: int) -> range:
    """The hours before, which say what is usual."""
    first = recent_hours(now_ms).start
    return range(first - USUAL_HOURS, first)


def ranked(uses: Mapping[str, Mapping[int, int]], now_ms: int, limit: int) -> list[Trend]:
    """The tags that rose most, of `uses[tag][hour]` = distinct authors; ties by count, then by tag."""
    trends = [_trend(tag, hours, now_ms) for tag, hours in uses.items()]
    used = [trend for trend in trends if trend.count]
    return sorted(used, key=lambda trend: (-trend.rise, -trend.count, trend.tag))[:limit]


def _trend(tag: str, hours: Mapping[int, int], now_ms: int) -> Trend:
    count = sum(hours.get(hour, 0) for hour in recent_hours(now_ms))
    before = sum(hours.get(hour, 0) for hour in usual_hours(now_ms))
    expected = before * RECENT_HOURS / USUAL_HOURS
    # Counts of rare events vary by the root of their mean; the 1 keeps a new tag from infinity.
    return Trend(tag, count, (count - expected) / sqrt(expected + 1))
