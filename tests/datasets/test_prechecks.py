"""What is found beforehand: each finding stands at a field, and none tells of a dataset that its reader may not see."""

from datetime import timedelta

import pytest

from portal import clock, db
from portal.domain.datasets import datasets, prechecks
from portal.models import File
from tests.conftest import COLLEAGUE, INES, NOON
from tests.depositing import get, send, submit
from tests.state_guard import states_unguarded


def day(ahead: int) -> str:
    return (clock.day_of(NOON, "UTC") + timedelta(days=ahead)).isoformat()


GOOD = {
    "title": "Kidney organoids under ischaemia",
    "species": "Mus musculus",
    "access": "open",
    "description": "Counts of 24 organoids before and after six hours of ischaemia, with their controls.",
    "release_date": day(30),
}
HUMAN = datasets.HUMAN


def draft(files=("a.txt",), **fields):
    with db.transaction():
        return datasets.create(actor=INES.account, files=[{"name": name} for name in files], **(GOOD | fields))


def found(dataset, **more) -> dict[str, str]:
    """Field and level of what is found, without the files that wait."""
    return {one.field: one.level for one in prechecks.of(dataset, **more) if one.message.code != "files_waiting"}


def test_complete_dataset_has_nothing_but_its_waiting_file(database):
    assert [(one.level, one.field, one.n) for one in prechecks.of(draft())] == [("warning", "files", 1)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"title": ""}, {"title": "error"}),
        ({"title": "Mice"}, {"title": "warning"}),
        ({"description": "Some counts."}, {"description": "hint"}),
        ({"description": GOOD["title"]}, {"description": "warning"}),
        ({"species": HUMAN, "human": True, "filing_number": "F1"}, {"access": "warning"}),
        ({"species": HUMAN, "human": True, "access": "controlled"}, {"filing_number": "warning"}),
        ({"species": HUMAN, "access": "controlled", "filing_number": "F1"}, {"human": "warning"}),
        ({"human": True, "access": "controlled", "filing_number": "F1"}, {"species": "error"}),
        ({"release_date": ""}, {"release_date": "hint"}),
        ({"release_date": day(-1)}, {"release_date": "warning"}),
        ({"release_date": day(0)}, {}),
        ({"release_date": day(3000)}, {"release_date": "warning"}),
        ({"files": ()}, {"files": "error"}),
        ({"files": ("a.txt", "untitled.docx")}, {"files": "warning"}),
        ({"files": ("README",)}, {"files": "warning"}),
    ],
)
def test_check_finds(database, fields, expected):
    assert found(draft(**fields)) == expected


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("a.zip", 10_000_000_001, "over 10 GB"),
        ("a.bam", 20_000_000_001, "over 20 GB"),
        ("a.bam", 10_000_000_001, ""),
        ("a.txt", 0, "0 bytes"),
    ],
)
def test_sizes_are_looked_at(database, name, size, words):
    dataset = draft(files=(name,))
    with states_unguarded():
        file = db.session.query(File).filter_by(dataset_id=dataset.id).one()
        file.size, file.state = size, "archived"

    sentences = [one.sentence for one in prechecks.of(dataset)]
    assert len(sentences) == bool(words)
    assert all(words in sentence and name in sentence for sentence in sentences)


def test_many_small_files_had_better_be_packed(database):
    dataset = draft(files=[f"{n}.txt" for n in range(200)])
    with states_unguarded():
        db.session.query(File).update({"size": 10, "state": "archived"})

    assert [(one.level, one.field) for one in prechecks.of(dataset)] == [("hint", "files")]


def test_faults_lead_to_the_first_file(receiving):
    dataset = get(submit({"a.txt": b"a", "b.txt": b"b"}, declared={"b.txt": "0" * 32}, **GOOD))

    one = prechecks.of(dataset)[0]
    assert (one.level, one.n, one.anchor) == ("error", 2, "#file-2")
    assert one.message.code == "files_faulty"
    assert one.sentence == "1 of 2 files with a fault: see what to do there (b.txt)."


def test_same_bytes_elsewhere_are_told_to_those_who_may_know(receiving):
    theirs = get(submit({"x.bin": b"the same"}, person=COLLEAGUE, **GOOD)).accession
    mine = submit({"y.bin": b"the same"}, **GOOD)
    send("z.bin", b"the same")
    draft(files=("z.bin",), title="A draft of my own about mice")

    dataset = get(mine)
    seen = [one.sentence for one in prechecks.of(dataset)]
    reviewed = [one.sentence for one in prechecks.of(dataset, reviewing=True)]
    assert seen == ["1 file has the same bytes as files of your draft “A draft of my own about mice”."]
    assert reviewed == [f"1 file has the same bytes as files of {theirs}."]
