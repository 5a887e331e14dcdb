"""How numbers, times and names are written."""

from datetime import date

import pytest

from portal.models import Dataset
from portal.web import formats, progress_chart

NOON = 1_795_173_720_000  # 20 Nov 2026 11:22 UTC
VIENNA = "Europe/Vienna"


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1024, "1.02 kB"),
        (12_083, "12.1 kB"),
        (86_221, "86.2 kB"),
        (310_499, "310 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (40_475_033, "40.5 MB"),
        (641_728_512, "642 MB"),
        (9_030_118_410, "9.03 GB"),
        (100_717_035_520, "101 GB"),
        (5 * 10**12, "5.00 TB"),
        (10**18, "1000 PB"),
        (None, ""),
    ],
)
def test_size_has_three_digits(n, shown):
    assert formats.size(n) == shown


def test_exact_counts_one_byte():
    assert formats.exact(1) == "1 byte"
    assert formats.exact(100_717_035_520) == "100,717,035,520 bytes"


def test_of_keeps_the_unit_of_the_total():
    assert formats.of(63_457_890_123, 100_717_035_520) == "63.5 of 101 GB"
    assert formats.of(10, 900) == "10 of 900 B"


def test_percent_is_full_only_when_all_is_done():
    assert formats.percent(999_999, 1_000_000) == 99
    assert formats.percent(7, 7) == 100
    assert formats.percent(0, 0) == 0


@pytest.mark.parametrize(
    ("s", "shown"), [(0.2, "1 s"), (59.4, "59 s"), (84, "1 min 24 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")]
)
def test_span_uses_two_units(s, shown):
    assert formats.span(s) == shown


def test_moment_drops_the_running_year_only():
    assert formats.moment(NOON, zone=VIENNA, now=NOON) == "20 Nov 12:22"
    assert formats.moment(NOON, zone=VIENNA, now=NOON + 60 * 86_400_000) == "2026-11-20 12:22"


def test_moment_takes_the_year_of_the_zone():
    """23:30 UTC on New Year's Eve is next year in Vienna."""
    eve = 1_798_759_800_000
    assert formats.moment(eve, zone=VIENNA, now=eve) == "1 Jan 00:30"


def test_day_takes_dates_moments_and_text():
    assert formats.day(date(2027, 3, 1), zone=VIENNA) == "2027-03-01"
    assert formats.day(NOON + 11 * 3_600_000 + 40 * 60_000, zone=VIENNA) == "2026-11-21"
    assert formats.day("with its publication", zone=VIENNA) == "with its publication"


@pytest.mark.parametrize(
    ("day", "zone", "shown"),
    [
        ("2027-03-01", "Europe/Vienna", "2027-03-01 00:00 in Europe/Vienna, 2027-02-28 23:00 UTC"),
        ("2027-07-01", "UTC", "2027-07-01 00:00 in UTC"),
        ("2026-09-06", "America/Santiago", "2026-09-06 01:00 in America/Santiago, 2026-09-06 04:00 UTC"),
        ("soon", "UTC", ""),
        (None, "UTC", ""),
    ],
)
def test_opening_moment_is_exact_also_where_midnight_is_skipped(day, zone, shown):
    assert formats.opens(day, zone=zone) == shown


def test_zone_label_names_the_offset():
    assert formats.zone_label(VIENNA, NOON) == "Europe/Vienna (UTC+1)"
    assert formats.zone_label("Asia/Kolkata", NOON) == "Asia/Kolkata (UTC+5:30)"
    assert formats.zone_label("UTC", NOON) == "UTC"


def test_wbr_escapes_and_loses_nothing():
    assert formats.wbr("a_b.<c>") == "a_<wbr>b.<wbr>&lt;c&gt;"
    assert formats.wbr("__x..") == "_<wbr>_<wbr>x.<wbr>."


def test_folder_and_base_make_the_path():
    for path in ("a/b/c.bam", "c.bam", "a/"):
        assert formats.folder(path) + formats.base(path) == path


def test_plate_splits_after_the_letters():
    assert formats.plate("OMIX000371-02") == ("OMIX", "000371-02")


def test_ticks_one_each_up_to_24():
    drawn = progress_chart.ticks({"archived": 23, "waiting": 1, "aside": 9})
    assert len(drawn) == 24
    assert drawn[-1].height < drawn[0].height
    assert progress_chart.ticks({}) == []


def test_ticks_of_many_files_stay_visible_and_inside():
    drawn = progress_chart.ticks({"archived": 99_990, "fault": 1, "waiting": 9})
    assert len(drawn) == 3
    assert min(t.width for t in drawn) >= progress_chart.LEAST
    assert drawn[-1].x + drawn[-1].width == pytest.approx(100, abs=0.05)


def test_prose_keeps_paragraphs_and_links_addresses():
    text = "First, see https://example.org/a?b=1&c=2.\nsecond <b>line</b>\r\n\r\n\nThird.\n"
    assert formats.prose(text) == (
        '<p>First, see <a href="https://example.org/a?b=1&amp;c=2" rel="nofollow ugc noopener">'
        "https://example.org/a?b=1&amp;c=2</a>.<br>second &lt;b&gt;line&lt;/b&gt;</p><p>Third.</p>"
    )
    assert formats.prose(None) == formats.prose(" \n") == ""
    assert formats.prose("javascript:alert(1)") == "<p>javascript:alert(1)</p>"


@pytest.mark.parametrize(
    ("accession", "title", "expected"),
    [
        ("OMIX000001", "Livers", "OMIX000001 Livers"),
        (None, "Livers", "Livers"),
        (None, "", "Draft without a name"),
        ("OMIX000001", "x" * 200, "OMIX000001 " + "x" * 69 + "…"),
    ],
)
def test_title_of_a_page_names_the_dataset(accession, title, expected):
    assert formats.titled(Dataset(accession=accession, title=title)) == expected
