"""The catalogue made again from the bags alone: the same rows, field by field, and nothing on disk changed."""

import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest
from sqlalchemy import select

from portal import cli, clock, db, queue, storage
from portal.config import ROOT
from portal.domain.datasets import datasets, publications, releases, reviews
from portal.domain.files import files
from portal.domain.uploads import replacements
from portal.maintenance import database_check, fsck, reconcile
from portal.models import Account, Component, Counter, Dataset, Event, File, Job, Publication
from portal.server import bootstrap
from tests import depositing as deposit
from tests.conftest import COLLEAGUE, INES, RUTH
from tests.live import OMIX

pytestmark = pytest.mark.usefixtures("receiving")
FORGOTTEN = {
    "id",
    "account_id",
    "center_id",
    "dataset_id",
    "upload_id",
    "bag_generation",
    "replaced_by",
    "replaces_id",
    "fixity",
    "fixity_at",
    "bag_dirty",
}


def rows():
    """The catalogue without numbers that are its own: datasets, files and papers by their accessions."""
    db.end()
    found = {}
    for dataset in db.session.scalars(select(Dataset).where(Dataset.accession.is_not(None))):
        people = {"owner": dataset.account.email, "center": dataset.center.name, "account": dataset.account_id}
        found[dataset.accession] = plain(dataset) | people
        listed = db.session.scalars(select(File).where(File.dataset_id == dataset.id)).all()
        names = {file.id: file.n for file in listed}
        for file in listed:
            tied = {"replaced_by": names.get(file.replaced_by), "replaces": names.get(file.replaces_id)}
            found[f"{dataset.accession}-{file.n:02d}"] = plain(file) | tied
        for paper in db.session.scalars(select(Publication).where(Publication.dataset_id == dataset.id)):
            found[f"{dataset.accession} {paper.value}"] = plain(paper, "added_by")
    db.end()
    return found


def plain(row, *without):
    return {
        column.name: getattr(row, column.name)
        for column in row.__table__.columns
        if column.name not in FORGOTTEN.union(without)
    }


def lying(folder):
    """Every file below with its digest and time: what must not change."""
    return {
        path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def lose(settings):
    db.dispose()
    for name in ("portal.db", "portal.db-wal", "portal.db-shm"):
        (settings.instance / name).unlink(missing_ok=True)


def omix(*words):
    """A command of this process on this instance; its exit code."""
    code = cli.main(list(words))
    queue.configure("")
    return code


@pytest.fixture
def idle(run_jobs):
    def run():
        for _turn in range(2):
            deposit.run_until_idle(run_jobs, clock)

    return run


@pytest.fixture
def deposited(once, idle):
    """Datasets in every state, with all that may happen to their files."""

    def make():
        made = {"open": deposit.submit({"a.bin": b"one", "deep/er/b_2.bin": b"two"}, title="Öffne <dich> & 測定")}
        made["controlled"] = deposit.submit(
            {"c.bin": b"three"}, person=COLLEAGUE, access="controlled", human=True, species="Human (Homo sapiens)"
        )
        made["many"] = deposit.submit({f"m/{n:03d}.bin": b"%d" % n for n in range(30)})
        made["returned"] = deposit.submit({"r1.bin": b"r1", "r2.bin": b"r2", "r3.bin": b"r3"})
        made["approved"] = deposit.submit({"p.bin": b"p"}, release_date="2199-01-01")
        made["suppressed"] = deposit.submit({"s.bin": b"s"})
        made["withdrawn"] = deposit.submit({"w.bin": b"w"})
        with db.transaction():
            waiting = datasets.create(
                actor=INES.account,
                title="Nothing came yet",
                description="D",
                species="Mus musculus",
                files=[{"name": "later.bin", "md5": "0" * 32, "title": "Later"}],
            )
            datasets.submit(waiting, actor=INES.account)
            made["waiting"] = waiting.id
        idle()
        change_files(made)
        idle()
        for name in ("open", "controlled", "approved", "suppressed", "withdrawn"):
            deposit.approve(made[name])
        for name in ("open", "controlled", "suppressed"):
            act(made[name], releases.request_release, INES if name != "controlled" else COLLEAGUE)
        idle()
        act(made["suppressed"], releases.suppress, RUTH)
        act(made["withdrawn"], releases.withdraw, RUTH, note="By mistake.")
        act(made["returned"], reviews.return_, RUTH, note="Say more.")
        with db.transaction():
            publications.record(db.session.get_one(Dataset, made["open"]), "10.1234/abc.2026.5", actor=INES.account)
        idle()
        return made

    return once(make)


def act(dataset_id, verb, person, **more):
    with db.transaction():
        verb(db.session.get_one(Dataset, dataset_id), actor=person.account, **more)


def change_files(made):
    """One replaced, one removed, one that is to be replaced by bytes that never came."""
    deposit.send("new/r1.bin", b"better")
    with db.transaction():
        dataset = db.session.get_one(Dataset, made["returned"])
        replacements.replace(files.by_number(dataset, 1), actor=INES.account, name="new/r1.bin")
        replacements.replace(files.by_number(dataset, 3), actor=INES.account)
        datasets.send_to_archive(dataset)
        said = {"title": "Größe & 測定 <1>", "description": "Ñandú\u2028", "samples": "7", "unit": "files"}
        files.edit(files.by_number(dataset, 3), said, actor=INES.account)
    deposit.remove_file(made["returned"], 2)


def test_the_catalogue_is_the_same_again(deposited, settings, idle, run_jobs, client, capsys):
    before, disk = rows(), lying(settings.root("archive", "open").parent)
    assert {row["state"] for row in before.values() if "bioproject" in row} == {
        "released",
        "suppressed",
        "withdrawn",
        "approved",
        "returned",
        "submitted",
    }
    assert {row["state"] for row in before.values() if "base" in row} == {"archived", "replaced", "removed", "waiting"}
    lose(settings)

    with pytest.raises(database_check.LostDatabase, match=r"is missing, but .* `omix rebuild`"):
        bootstrap.prepare()
    assert not (settings.instance / "portal.db").exists()
    assert omix("migrate") == 1 and omix("fsck") == 1
    assert "omix rebuild" in capsys.readouterr().err
    assert omix("rebuild", "--deep") == 0, capsys.readouterr()
    said = capsys.readouterr()
    assert said.err == "" and said.out.startswith("8 datasets, ")

    after = rows()
    assert after.keys() == before.keys()
    assert {name: row for name, row in after.items() if row != before[name]} == {}
    assert lying(settings.root("archive", "open").parent) == disk
    read = select(File.fixity).where(File.state == "archived", File.archive_path.is_not(None)).distinct()
    assert db.session.scalars(read).all() == ["ok"]
    assert list(fsck.check(deep=True)) == []
    assert [event.action for event in db.session.scalars(select(Event).where(Event.dataset_id.is_not(None)))] == [
        "site.rebuild"
    ] * 8
    db.end()
    assert omix("rebuild") == 1 and "This database is not empty" in capsys.readouterr().err

    first = bootstrap.prepare()
    db.configure(settings.database)
    assert first and first[0].startswith("curator@")
    idle()
    assert rows() == before and list(fsck.check(deep=True)) == []
    assert client.get("/datasets/OMIX000001").status_code == 200
    with client.get("/datasets/OMIX000001/files/a.bin") as download:
        assert download.data == b"one"
    assert "Öffne" in client.get("/?q=測定").text
    assert deposit.get(deposit.submit({"fresh.bin": b"fresh"})).accession == "OMIX000009"


def test_people_have_no_password_and_keep_their_numbers(deposited, settings, client):
    numbers = {person.email: person.id for person in (INES, COLLEAGUE)}
    lose(settings)
    assert omix("rebuild") == 0

    with db.reading():
        found = {one.email: one for one in db.session.scalars(select(Account))}
        assert {email: one.id for email, one in found.items()} == numbers
        assert {(one.state, one.role, one.password_hash) for one in found.values()} == {("active", "submitter", None)}
        assert {one.center.name for one in found.values()} == {INES.center}
    assert client.send("/login", email=INES.email, password=INES.password).status_code == 422


def test_without_deep_nothing_counts_as_read(deposited, settings, idle):
    lose(settings)
    assert omix("rebuild") == 0

    with db.reading():
        assert set(db.session.scalars(select(File.fixity).where(File.state == "archived"))) == {None}
    idle()
    assert list(fsck.check(deep=True)) == []


@pytest.mark.full
def test_a_killed_rebuild_goes_on(deposited, settings, capsys):
    before = rows()
    lose(settings)
    env = os.environ | {"OMIX_INSTANCE": str(settings.instance), "PYTHONPATH": str(ROOT)}
    for at in ("rebuild.added:1:kill", "rebuild.added:3:kill", "rebuild.recorded:2:kill"):
        killed = subprocess.run(
            [*OMIX, "rebuild", "--deep"], env=env | {"OMIX_FAULT": at}, cwd=ROOT, capture_output=True
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(database_check.LostDatabase, match="has not ended"):
        bootstrap.prepare()

    assert omix("rebuild", "--deep") == 0
    assert "(4 were there from an earlier try)" in capsys.readouterr().out
    assert rows() == before
    assert list(fsck.check(deep=True)) == []


def test_damaged_and_foreign_folders_are_told_and_skipped(deposited, settings, capsys):
    bags = {name: deposit.bag_of(made) for name, made in deposited.items()}
    (bags["open"] / "metadata.json").write_bytes(b"{")
    forged = bags["controlled"] / "metadata.json"
    forged.write_text(forged.read_text().replace('"access": "controlled"', '"access": "open"'))
    lost = deposit.archived_path(deposited["many"], 1)
    short = deposit.archived_path(deposited["many"], 2)
    lost.unlink()
    short.chmod(0o644)
    short.write_bytes(b"longer than it was")
    (bags["many"] / "bag-info.txt").write_text("damaged, but not needed")
    (bags["open"].parent / "notes").mkdir()
    shutil.copytree(bags["approved"], bags["approved"].with_name("OMIX000077"))
    disk = lying(settings.root("archive", "open").parent)
    lose(settings)

    assert omix("rebuild") == 1
    said = capsys.readouterr()
    for words in (
        "OMIX000001: skipped, its metadata.json is damaged",
        "OMIX000002: skipped, its metadata.json is not",
        "open/notes: skipped, no bag",
        "OMIX000077: skipped, its metadata.json tells of OMIX000005",
        "OMIX000003-01 (m/000.bin): missing",
        "OMIX000003-02 (m/001.bin): 18 bytes",
    ):
        assert words in said.err, said.err
    assert "6 datasets" in said.out and "4 folders skipped, 2 files damaged" in said.out
    assert lying(settings.root("archive", "open").parent) == disk
    with db.reading():
        bad = db.session.scalars(select(File.n).where(File.fixity == "bad").order_by(File.n)).all()
        assert bad == [1, 2]
        assert db.session.scalar(select(Counter.next).where(Counter.name == "OMIX")) == 78


def test_bag_of_an_older_version_is_enough(deposited, settings, idle):
    """Without what was added for the rebuild: its seal is the tag manifest's, its center and owner have no numbers."""
    added = {
        "seal",
        "others",
        "papers",
        "generation",
        "written_at",
        "owner_id",
        "owner_state",
        "owner_center",
        "owner_center_id",
        "center_id",
        "replaces",
        "pending",
        "release_wanted_at",
    }
    before = rows()
    for made in deposited.values():
        path = deposit.bag_of(made) / "metadata.json"
        said = {key: value for key, value in json.loads(path.read_bytes()).items() if key not in added}
        for row in said["files"]:
            del row["created_at"], row["updated_at"]
        path.write_text(json.dumps(said))
        for name in ("md5", "sha256"):
            sums = path.with_name(f"tagmanifest-{name}.txt")
            lines = [line for line in sums.read_text().splitlines() if not line.endswith("metadata.json")]
            new = hashlib.new(name, path.read_bytes()).hexdigest()
            sums.write_text("\n".join([*lines, f"{new}  metadata.json"]) + "\n")
    lose(settings)
    assert omix("rebuild") == 0
    after = rows()
    idle()

    archived = [name for name, row in before.items() if row.get("state") == "archived" and row["archive_path"]]
    for name in archived:
        changed = {field for field, value in before[name].items() if after[name][field] != value}
        assert changed <= {"created_at", "updated_at"}
    assert {name: row["title"] for name, row in rows().items() if "bioproject" in row} == {
        name: row["title"] for name, row in before.items() if "bioproject" in row
    }
    assert list(fsck.check(deep=True)) == []
    assert "seal" in json.loads((deposit.bag_of(deposit.get(1).id) / "metadata.json").read_bytes())


def test_bytes_that_no_manifest_names_yet_are_taken_in(settings, run_jobs, idle):
    """The catalogue is lost between the archiving of a file and the writing of its manifest."""
    dataset_id = deposit.submit({"first.bin": b"first"})
    idle()
    deposit.send("second.bin", b"second")
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        files.add(dataset, [{"name": "second.bin"}], actor=INES.account)
        datasets.send_to_archive(dataset)
    run_jobs()
    assert deposit.states_of(dataset_id) == ["archived", "archived"] and deposit.get(dataset_id).bag_dirty
    lose(settings)
    assert omix("rebuild") == 0

    assert [(file.name, file.state, file.md5) for file in deposit.files_of(1)] == [
        (f"{name}.bin", "archived", deposit.md5(name.encode())) for name in ("first", "second")
    ]
    idle()
    assert deposit.archived_path(1, 2).read_bytes() == b"second"
    assert list(fsck.check(deep=True)) == []


def test_bytes_in_the_areas_are_kept(deposited, settings):
    deposit.send("in-area.bin", b"not archived yet")
    path = deposit.area_path("in-area.bin")
    long_ago = path.stat().st_mtime - 30 * 86_400
    os.utime(path, (long_ago, long_ago))
    lose(settings)
    clock.reset()
    assert omix("rebuild") == 0

    reconcile.run()
    assert path.read_bytes() == b"not archived yet"
    newer = path.with_name(storage.token())
    newer.write_bytes(b"never acknowledged")
    with db.transaction():
        row = db.session.scalars(select(Event).where(Event.action == "site.rebuild", Event.dataset_id.is_(None))).one()
    after = row.at / 1000 + 5
    os.utime(newer, (after, after))
    reconcile.run()
    assert newer.exists()


def test_components_get_fresh_accessions_even_without_the_keys(deposited, settings, idle):
    def given():
        db.end()
        return set(db.session.scalars(select(Component.accession).where(Component.type != "SUBMISSION")))

    before = given()
    lose(settings)
    shutil.rmtree(settings.keys)
    assert omix("rebuild") == 0
    idle()
    assert given() and not given() & before


def test_what_is_owed_after_a_rebuild(deposited, settings):
    lose(settings)
    assert omix("rebuild") == 0
    with db.reading():
        assert {job.kind for job in db.session.scalars(select(Job))} == {"components"}


def test_an_instance_without_data_begins_as_before(settings):
    lose(settings)
    assert bootstrap.prepare()
    db.dispose()


def test_a_write_ahead_log_without_its_database_is_left_alone(settings, capsys):
    lose(settings)
    (settings.instance / "portal.db-wal").write_bytes(b"rows")
    assert omix("rebuild") == 1
    assert "Set it aside" in capsys.readouterr().err
    assert (settings.instance / "portal.db-wal").read_bytes() == b"rows"


@pytest.mark.parametrize("words", [("migrate",), ("fsck",), ("rebuild",)])
def test_garbage_gives_a_sentence(settings, database, capsys, words):
    db.dispose()
    path = settings.instance / "portal.db"
    path.write_bytes(b"no database at all " * 1000)
    assert omix(*words) == 1
    said = capsys.readouterr().err
    assert f"The database {path} is damaged (file is not a database)" in said and "Traceback" not in said
    assert path.read_bytes().startswith(b"no database")


def test_a_corrupt_page_stops_the_start(settings, database):
    with db.engine().connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.dispose()
    path = settings.instance / "portal.db"
    data = bytearray(path.read_bytes())
    data[8192:12288] = os.urandom(4096)
    path.write_bytes(bytes(data))
    with pytest.raises(database_check.DatabaseFault, match="is damaged"):
        bootstrap.prepare()
    db.dispose()


def test_a_database_that_cannot_be_written_stops_the_start(settings, database):
    db.dispose()
    settings.database_url = f"sqlite:///file:{settings.instance}/portal.db?mode=ro&uri=true"
    with pytest.raises(database_check.DatabaseFault, match="cannot be opened for writing"):
        bootstrap.prepare()
    db.dispose()
