"""How numbers, sizes, times and names are written for people.

Pure functions; init_app() registers them as template filters. Times are UTC milliseconds and are shown in the
zone of the site.
"""

import re
from datetime import UTC, date, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2.utils import urlize
from markupsafe import Markup, escape

from portal import clock
from portal.domain.shared import sizes
from portal.models import Dataset
from portal.web import progress_chart

LONGEST_TITLE = 80
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def size(n: float | None) -> str:
    """A size in bytes as 8.41 GB; bytes are whole."""
    return "" if n is None else sizes.size(n)


def exact(n: int | None) -> str:
    """The number behind a size, for the title: 100,717,035,520 bytes."""
    return "" if n is None else f"{n:,} byte{'' if n == 1 else 's'}"


def of(done: int, total: int) -> str:
    """Two sizes as 59.1 of 93.8 GB: both in the unit of the total."""
    divisor, unit = sizes.scale(total)
    if unit == "B":
        return f"{done} of {total} B"
    return f"{sizes.digits(done / divisor)} of {sizes.digits(total / divisor)} {unit}"


def percent(done: float, total: float) -> int:
    """Whole percent, rounded down, so that 100 means all."""
    return min(100, int(done * 100 // total)) if total else 0


def thousands(n: int | None) -> str:
    return "" if n is None else f"{n:,}"


def plural(n: int, singular: str, many: str | None = None) -> str:
    """A number with its noun: 1 file, 1,284 files."""
    return f"{n:,} {singular if n == 1 else many or singular + 's'}"


def compared(files: int, equal: int) -> str:
    """What is true of the digests of archived files, where `equal` of them were declared and are what arrived."""
    if equal == files:
        return "equal to the declared MD5" if files == 1 else "each equal to its declared MD5"
    if not equal:
        return "digest recorded, none declared" if files == 1 else "digests recorded, none declared"
    return f"{equal:,} equal to the declared MD5, {files - equal:,} with the digest recorded, none declared"


def span(seconds: float | None) -> str:
    """How long it takes, in the two largest units: 1 min 24 s."""
    if seconds is None:
        return ""
    left = max(1, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min {left % 60} s"
    if left < 86400:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86400} d {left % 86400 // 3600} h"


def rate(n: float | None) -> str:
    """Bytes per second as 412 MB/s; empty for none."""
    return f"{size(n)}/s" if n else ""


def local(ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone))


def moment(ms: int | None, *, zone: str, now: int | None = None) -> str:
    """A time as 20 Nov 14:02 in the running year, 2025-11-20 14:02 in any other."""
    if ms is None:
        return ""
    at, today = local(ms, zone), local(clock.now() if now is None else now, zone)
    if at.year != today.year:
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at.day} {MONTHS[at.month - 1]} {at:%H:%M}"


def day(value: int | date | str | None, *, zone: str) -> str:
    """A date that is data: 2027-03-01. Text passes as it is."""
    if value is None or isinstance(value, str):
        return value or ""
    return (local(value, zone) if isinstance(value, int) else value).strftime("%Y-%m-%d")


def opens(value: str | None, *, zone: str) -> str:
    """The exact moment at which a date begins: 2027-03-01 00:00 in Europe/Vienna, 2027-02-28 23:00 UTC."""
    try:
        first = datetime.combine(date.fromisoformat(value or ""), time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    at_site = first.astimezone(ZoneInfo(zone))
    return f"{at_site:%Y-%m-%d %H:%M} in {zone}" + ("" if zone == "UTC" else f", {first:%Y-%m-%d %H:%M} UTC")


def second(ms: int | None, *, zone: str) -> str:
    """The time of day as 14:02:31, for what happened just now."""
    return "" if ms is None else f"{local(ms, zone):%H:%M:%S}"


def iso(ms: int | None, *, zone: str) -> str:
    """A time in ISO 8601 with the offset, for machines: 2026-11-20T14:02:31+01:00."""
    return "" if ms is None else local(ms, zone).isoformat(timespec="seconds")


def zone_label(zone: str, ms: int) -> str:
    """The zone with its offset now: Europe/Vienna (UTC+1)."""
    offset = local(ms, zone).utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if not minutes:
        return zone if zone == "UTC" else f"{zone} (UTC)"
    hours, rest = divmod(abs(minutes), 60)
    return f"{zone} (UTC{'+' if minutes > 0 else '-'}{hours}{f':{rest:02d}' if rest else ''})"


def folder(path: str) -> str:
    """The folder of a path: hcc_atlas/batch03/ of hcc_atlas/batch03/x.bam; empty where there is none."""
    head, slash, _ = path.rpartition("/")
    return head + slash


def base(path: str) -> str:
    return path.rpartition("/")[2]


def wbr(name: str) -> Markup:
    """A name that may break after _ and . and is never cut short."""
    return Markup("<wbr>").join(escape(part) for part in re.findall(r"[^_.]*[_.]|[^_.]+", name))


def halves(digest: str) -> Markup:
    """A digest that may break in its middle."""
    middle = len(digest) // 2
    return Markup("{}<wbr>{}").format(digest[:middle], digest[middle:])


def plate(accession: str) -> tuple[str, str]:
    """OMIX and 000371-02 of OMIX000371-02: the prefix is printed lighter."""
    letters = len(accession) - len(accession.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return accession[:letters], accession[letters:]


def prose(text: str | None) -> Markup:
    """Text as it was typed: its paragraphs and lines stand, its addresses are links."""
    paragraphs = re.split(r"\n\s*\n", (text or "").strip().replace("\r\n", "\n"))
    lines = [[_linked(line) for line in part.split("\n")] for part in paragraphs]
    return Markup("").join(Markup("<p>{}</p>").format(Markup("<br>").join(part)) for part in lines if any(part))


def _linked(line: str) -> Markup:
    return Markup(urlize(line, rel="nofollow ugc noopener"))  # noqa: S704 - urlize() escapes what it is given


def titled(dataset: Dataset) -> str:
    """A dataset in the title of a page: OMIX000001 Livers under stress, of a long name the beginning."""
    name = f"{dataset.accession or ''} {dataset.title}".strip() or "Draft without a name"
    return name if len(name) <= LONGEST_TITLE else f"{name[:LONGEST_TITLE].rstrip()}…"


def init_app(app: Flask) -> None:
    """Register every format; times take the zone of the site."""
    zone = app.config["SETTINGS"].timezone
    plain = (prose, titled, size, exact, of, percent, rate, thousands, plural, compared, span)
    names = (folder, base, wbr, halves, plate)
    app.jinja_env.filters.update({f.__name__: f for f in (*plain, *names)})
    app.jinja_env.filters.update({f.__name__: partial(f, zone=zone) for f in (moment, day, opens, second, iso)})
    app.jinja_env.filters.update(ticks=progress_chart.ticks, tally_sentence=progress_chart.sentence)
