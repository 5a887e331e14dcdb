"""Rules of the archive on rows that are staged: each job fails and replaces what is its own; a bag tells of files
without bytes; what is removed may still lie there."""

import hashlib
import json
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select

from portal import clock, db
from portal.domain.archive import archiving, bag_reader, bags, fixity, restore
from portal.domain.uploads import replacements
from portal.models import Dataset, Event, File, Job, Upload
from tests.conftest import INES
from tests.reports import staged
from tests.state_guard import states_unguarded


def archived(dataset: Dataset, name: str, **values) -> File:
    path = f"data/{dataset.accession}-{dataset.next_n:02d}/{name}"
    kept = {"size": 10, "md5": "a" * 32, "sha256": "b" * 64, "archive_path": path} | values
    return staged.file(
        dataset,
        staged.upload(f"{dataset.accession}/{name}", "archived"),
        **kept,
    )


def test_archive_that_gives_up_fails_its_own_dataset_alone(database):
    with db.transaction():
        datasets = [staged.dataset(n, "submitted") for n in (1, 2)]
        for dataset in datasets:
            staged.file(dataset, staged.upload(f"{dataset.accession}.txt"), "checking")
        archiving.give_up(datasets[0].id, "The disk is gone.")

    rows = db.session.execute(select(File.state, File.error, Upload.detail).join(Upload).order_by(File.id))
    assert list(rows) == [("failed", "copy_error", "The disk is gone."), ("checking", None, "")]


def test_replacement_is_written_down_with_both_numbers(database):
    with db.transaction():
        dataset = staged.dataset(1, "submitted")
        old = archived(dataset, "a.txt")
        new = replacements.replace(old, actor=INES.account, name="b.txt")

    (event,) = db.session.scalars(select(Event).where(Event.action == "replace_file"))
    assert (event.file_id, event.actor_id) == (new.id, INES.id)
    assert (event.before, event.after) == ({"n": 1, "name": old.name}, {"n": 2, "name": "b.txt"})


def staged_bag() -> Dataset:
    """A dataset of five files: archived, to replace it, waiting, removed, replaced by the first."""
    dataset = staged.dataset(1, "submitted")
    first = archived(dataset, "a.txt")
    staged.file(dataset, staged.upload("a2.txt"), "received", replaces_id=first.id)
    staged.file(dataset, staged.upload("w.txt"), "received")
    staged.file(dataset, staged.upload("gone.txt", "obsolete"), "removed")
    staged.file(dataset, staged.upload("old.txt", "obsolete"), "replaced", replaced_by=first.id)
    return dataset


def made_again(changes: dict[str, str]) -> Dataset:
    """The staged dataset under another accession, made from what its bag says but for these changes."""
    with db.transaction():
        content = json.loads(bags.describe(staged_bag()).tags["metadata.json"])
    content |= {"accession": "OMIX000002"} | changes
    with states_unguarded():
        people = restore.People()
        people.hear(content)
        return restore.add(restore.ReadableBag("open", content, stale=True), people)


def write(bag: bags.Bag, root: Path) -> Path:
    folder = root / bag.accession
    folder.mkdir()
    for name, content in bag.tags.items():
        (folder / name).write_bytes(content)
    return folder


def lay(folder: Path, inside: str) -> None:
    (folder / inside).parent.mkdir(parents=True)
    (folder / inside).write_bytes(b"0123456789")


def test_bag_tells_of_files_that_it_holds_no_bytes_of(database):
    with db.transaction():
        tags = bags.describe(staged_bag()).tags
    catalogue = json.loads(tags["metadata.json"])
    assert tags["metadata.xml"].startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<DATASET accession=\"OMIX000001\"")
    assert [row["n"] for row in catalogue["files"]] == [1]
    others = [(row["n"], row["state"], row["replaces"], row["replaced_by"]) for row in catalogue["others"]]
    assert others == [
        (2, "received", 1, None),
        (3, "received", None, None),
        (4, "removed", None, None),
        (5, "replaced", None, 1),
    ]


def test_xml_of_a_bag_tells_readers_what_is_known_and_no_more(database):
    with db.transaction():
        root = etree.fromstring(bags.describe(staged_bag()).tags["metadata.xml"])

    told = {element.tag: element.text for element in root}
    assert told["TITLE"] == "Number 1" and told["OWNER"] == INES.email
    assert not {name.upper() for name in (*bags.UNTOLD, "species", "others", "papers", "components")} & set(told)
    (file,) = root.find("FILES")
    assert file.get("accession") == "OMIX000001-01"
    assert {"NAME", "SIZE", "MD5", "SHA256"} <= {element.tag for element in file}
    assert not {"ACCESSION", "TITLE", "DECLARED_MD5"} & {element.tag for element in file}


def test_bytes_of_what_was_removed_or_replaced_are_no_strangers(database, tmp_path):
    with db.transaction():
        folder = write(bags.describe(staged_bag()), tmp_path)
    for inside in ("01/a.txt", "03/w.txt", "04/gone.txt", "05/old.txt", "07/x.txt"):
        lay(folder, f"data/OMIX000001-{inside}")
    bag, faults = bag_reader.read("open", folder, deep=False)

    assert [(stranger.n, stranger.digests is None) for stranger in bag.strangers] == [
        (3, False),
        (4, True),
        (5, True),
        (7, False),
    ]
    assert faults == []


def test_tag_manifest_names_every_other_tag_file(database):
    with db.transaction():
        tags = bags.describe(staged_bag()).tags

    for algorithm in ("md5", "sha256"):
        lines = [line.split("  ") for line in tags[f"tagmanifest-{algorithm}.txt"].decode().splitlines()]
        assert {name: digest for digest, name in lines} == {
            name: hashlib.new(algorithm, body).hexdigest()
            for name, body in tags.items()
            if not name.startswith("tagmanifest")
        }


def without_seal(tags: dict[str, bytes]) -> None:
    """As the first bags were written."""
    content = json.loads(tags["metadata.json"])
    del content["seal"]
    tags["metadata.json"] = bags.text(content)
    tags["tagmanifest-sha256.txt"] = bags._tag_lines(tags, "sha256")


def without_manifest(tags: dict[str, bytes]) -> None:
    del tags["manifest-md5.txt"]


@pytest.mark.parametrize(
    ("realm", "state", "change", "is_stale"),
    [
        ("open", "removed", None, False),
        ("protected", "removed", None, True),
        ("open", "received", None, True),
        ("open", "removed", without_seal, True),
        ("open", "removed", without_manifest, True),
    ],
)
def test_bag_that_says_something_else_than_its_rows_will_is_written_again(
    database, tmp_path, realm, state, change, is_stale
):
    with db.transaction():
        dataset = staged.dataset(1, "submitted")
        archived(dataset, "a.txt")
        staged.file(dataset, staged.upload("b.txt"), state)
        bag = bags.describe(dataset)
    if change is not None:
        change(bag.tags)
    assert bag_reader.read(realm, write(bag, tmp_path), deep=False)[0].stale is is_stale


def test_bag_that_tells_of_another_dataset_is_none(database, tmp_path):
    with db.transaction():
        folder = write(bags.describe(staged_bag()), tmp_path)
    with pytest.raises(bag_reader.BadBag) as refused:
        bag_reader.read("open", folder.rename(tmp_path / "OMIX000002"), deep=False)
    assert refused.value.codes == ["bag_metadata_of_another"]


@pytest.mark.parametrize(
    ("content", "verdict"), [(b"0123456789", "ok"), (b"012345678X", "bad"), (b"0", "bad"), (None, "bad")]
)
def test_bytes_of_a_bag_are_as_its_manifest_says_or_bad(database, tmp_path, content, verdict):
    digests = {name: hashlib.new(name, b"0123456789").hexdigest() for name in ("md5", "sha256")}
    with db.transaction():
        dataset = staged.dataset(1, "submitted")
        path = archived(dataset, "a.txt", **digests).archive_path
        folder = write(bags.describe(dataset), tmp_path)
    lay(folder, path)
    (folder / path).write_bytes(content) if content is not None else (folder / path).unlink()
    bag, faults = bag_reader.read("open", folder, deep=True)

    assert [lying.fixity for lying in bag.lying] == [verdict]
    assert len(faults) == (verdict == "bad")


def test_files_made_again_from_a_bag_take_each_others_places_as_before(database):
    dataset = made_again({})
    files = list(db.session.scalars(select(File).where(File.dataset_id == dataset.id).order_by(File.n)))
    numbers = {None: None} | {file.id: file.n for file in files}

    assert [(file.state, numbers[file.replaces_id], numbers[file.replaced_by]) for file in files] == [
        ("archived", None, None),
        ("waiting", 1, None),
        ("waiting", None, None),
        ("removed", None, None),
        ("replaced", None, 1),
    ]


@pytest.mark.parametrize(("ahead", "jobs"), [(2, 1), (3, 0)])
def test_what_opens_within_two_days_is_read_before(database, ahead, jobs):
    with db.transaction():
        dataset = staged.dataset(1, "approved")
        dataset.release_date = str(clock.day_of(clock.now() + ahead * clock.DAY, "UTC"))
        archived(dataset, "a.txt", fixity="ok", fixity_at=clock.now() - 8 * clock.DAY)
        fixity.plan()

    assert db.session.query(Job).filter_by(kind="fixity", priority=6).count() == jobs


@pytest.mark.parametrize(
    ("state", "access", "kinds"),
    [
        ("submitted", "open", ["bag", "components"]),
        ("submitted", "controlled", ["bag", "components", "move"]),
        ("withdrawn", "controlled", ["bag"]),
    ],
)
def test_dataset_made_again_from_its_bag_is_worked_on_unless_it_is_withdrawn(database, state, access, kinds):
    made = made_again({"state": state, "access": access})
    assert sorted(db.session.scalars(select(Job.kind).where(Job.dataset_id == made.id))) == kinds


def test_what_was_read_six_days_ago_is_read_again_before_a_release_asks_for_it(database):
    """A release believes readings of seven days: those of six are renewed before they are too old."""
    with db.transaction():
        dataset = staged.dataset(1, "approved")
        for hours in (5 * 24, 6 * 24 - 1, 6 * 24 + 1, 8 * 24):
            read = {"fixity": "ok", "fixity_at": clock.now() - hours * clock.HOUR}
            archived(dataset, f"{hours}.txt", **read)
        archived(dataset, "silent.txt", fixity="unknown", fixity_at=clock.now())
        archived(dataset, "never.txt")

    names = [target.path.name for target in fixity.targets(dataset)]
    assert sorted(names) == ["145.txt", "192.txt", "never.txt", "silent.txt"]
    assert len(fixity.targets(dataset, all_of_it=True)) == 6
