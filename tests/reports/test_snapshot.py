"""What one report notes for the next, and how files come to their place."""

import io

import pytest

from portal.domain.reports import schedule
from portal.domain.reports.atomic_files import AtomicFiles, sweep
from portal.domain.reports.snapshot import RECORD, Bitset, Comparison, SnapshotRow, read, short


def noted(tmp_path, *rows: SnapshotRow):
    path = tmp_path / ".files-2031-03-20.seen"
    path.write_bytes(b"".join(RECORD.pack(*row) for row in rows))
    return path


def row(key: int, content: str = "a", facts: str = "b", closed: int = 0) -> SnapshotRow:
    return SnapshotRow(key, closed, short(content), short(facts))


@pytest.mark.parametrize(
    ("now", "found"),
    [
        ([row(1), row(5)], [(False, False), (False, False)]),
        ([row(1, "other"), row(5, facts="other")], [(True, True), (False, True)]),
        ([row(1), row(3), row(5)], [(False, False), (True, True), (False, False)]),
        ([row(5), row(9)], [(False, False), (True, True)]),
    ],
)
def test_objects_are_compared_by_key(tmp_path, now, found):
    comparison = Comparison(noted(tmp_path, row(1), row(5)), target := io.BytesIO())
    assert [comparison.compare(one) for one in now] == found
    comparison.end()
    assert comparison.differs == any(changed for _, changed in found) and not comparison.newly_closed
    assert target.getvalue() == b"".join(RECORD.pack(*one) for one in now)


def test_what_is_gone_is_a_difference(tmp_path):
    comparison = Comparison(noted(tmp_path, row(1), row(5)), io.BytesIO())
    comparison.compare(row(1))
    assert not comparison.differs
    comparison.end()
    assert comparison.differs


def test_what_is_closed_now_is_told(tmp_path):
    path = noted(tmp_path, row(1), row(2, closed=1))
    for rows, closed in (([row(1), row(2, closed=1), row(3, closed=1)], False), ([row(1, closed=1)], True)):
        comparison = Comparison(path, io.BytesIO())
        for one in rows:
            comparison.compare(one)
        assert comparison.newly_closed == closed


def test_lost_or_torn_notes_are_read_as_far_as_they_go(tmp_path):
    assert list(read(tmp_path / "none")) == list(read(None)) == []
    path = noted(tmp_path, row(1), row(5))
    path.write_bytes(path.read_bytes()[:-3])
    assert list(read(path)) == [row(1)]


def test_marks_hold_what_was_added():
    marks = Bitset()
    for number in (0, 7, 8, 1_000_000, 8):
        marks.add(number)
    assert [number for number in (0, 1, 7, 8, 9, 1_000_000, 10**9) if number in marks] == [0, 7, 8, 1_000_000]
    assert marks.count == 4


def test_landing_left_early_leaves_nothing(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"old")

    def fail() -> None:
        with AtomicFiles(tmp_path) as place:
            place.open("a.txt").write(b"half")
            place.open("b.txt")
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fail()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"old")]


def test_landing_gives_names_when_all_is_written(tmp_path):
    (tmp_path / ".c.txt.0123.part").write_bytes(b"of a killed run")
    with AtomicFiles(tmp_path) as place:
        place.open("a.txt").write(b"new")
        place.open("b.txt")
        place.leave_out("b.txt")
        assert not (tmp_path / "a.txt").exists()
        place.place()
    sweep(tmp_path)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"new")]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Northmere Institute", "Northmere-Institute"),
        ("Zürich / Lab_2", "Zurich-Lab-2"),
        ("../..", ""),
        ("研究所", ""),
    ],
)
def test_center_in_a_name(name, slug):
    assert schedule.slug(name) == slug
