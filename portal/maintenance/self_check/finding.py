"""What a check found: how bad, in a sentence, and what to do."""

from dataclasses import dataclass

OK, WARN, BAD = "ok", "warn", "bad"
LEVELS = (OK, WARN, BAD)


@dataclass(frozen=True)
class Finding:
    level: str
    says: str
    remedy: str = ""


def span(ms: int) -> str:
    """How long ago, in the largest unit that says something."""
    minutes = round(max(0, ms) / 60_000)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def some(n: int, noun: str) -> str:
    """1 job, 1,284 jobs."""
    return f"{n:,} {noun if n == 1 else noun + 's'}"
