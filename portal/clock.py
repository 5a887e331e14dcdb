"""The one source of the time: integer UTC milliseconds. Tests move it; nothing else reads the clock for data."""

import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000

_offset = 0


def now() -> int:
    """The present moment in ms since the epoch."""
    return time.time_ns() // 1_000_000 + _offset


def shift(ms: int) -> None:
    """Move the clock of this process, for tests."""
    global _offset
    _offset += ms


def reset() -> None:
    global _offset
    _offset = 0


def midnight(day: date, zone: str) -> int:
    """00:00 of a day in an IANA zone, as ms: the moment a release date opens."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def day_of(moment: int, zone: str) -> date:
    return datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).date()


def today(zone: str) -> date:
    return day_of(now(), zone)


def rfc3339(moment: int | None) -> str | None:
    """A moment in UTC as RFC 3339 writes it, such as 2026-11-21T14:02:31.250+00:00."""
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
