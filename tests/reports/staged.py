"""Rows of every kind that the reports tell of, at fixed moments: datasets by state, uploads by what became of them."""

from datetime import datetime

from portal import clock, db
from portal.domain.components import xml_documents
from portal.models import Component, ComponentFile, Dataset, File, Member, Upload
from tests.conftest import INES
from tests.state_guard import states_unguarded

DAY = clock.DAY


def moment(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


AT = moment("2031-03-20T12:00:00")


def dataset(number: int, state: str, access: str = "open", *, released: bool = False) -> Dataset:
    made = Dataset(
        account_id=INES.id,
        center_id=INES.account.center_id,
        accession=f"OMIX{number:06d}",
        state=state,
        title=f"Number {number}",
        access=access,
        version=1,
        first_submitted_at=AT - 5 * DAY,
        released_at=AT - DAY if released else None,
        created_at=AT - 6 * DAY,
        updated_at=AT - DAY,
    )
    with states_unguarded() as session:
        session.add(made)
    return made


def component(owner: Dataset, kind: str, accession: str, alias: str, *, state="loaded", status="") -> Component:
    xml = f'<{kind} accession="{accession}" alias="{alias}"><TITLE>{alias}</TITLE></{kind}>'.encode()
    made = Component(
        dataset_id=owner.id,
        center_id=owner.center_id,
        type=kind,
        alias=alias,
        accession=accession,
        xml=xml,
        md5=xml_documents.md5(xml),
        state=state,
        status=status,
        received_at=AT - 5 * DAY,
        updated_at=AT - 2 * DAY,
        published_at=owner.released_at,
    )
    with states_unguarded() as session:
        session.add(made)
    return made


def upload(name: str, state: str = "received", **values) -> Upload:
    given = {
        "token": name,
        "size": 10,
        "md5": "a" * 32,
        "sha256": "b" * 64,
        "realm": "open",
        "area": "incoming",
        "file_type": "TEXT",
        "inspection": "inspected",
        "received_at": AT - 3 * DAY,
        "loaded_at": None,
    } | values
    made = Upload(
        account_id=INES.id,
        center_id=INES.account.center_id,
        name=name,
        base=name.rpartition("/")[2],
        state=state,
        heard_at=AT - 3 * DAY,
        created_at=AT - 3 * DAY,
        **given,
    )
    with states_unguarded() as session:
        session.add(made)
    return made


def file(owner: Dataset, linked: Upload, state: str = "archived", **values) -> File:
    n = owner.next_n
    owner.next_n += 1
    made = File(
        dataset_id=owner.id,
        n=n,
        name=linked.name,
        base=linked.base,
        state=state,
        upload_id=linked.id,
        archived_at=AT - 2 * DAY if state == "archived" else None,
        created_at=AT,
        updated_at=AT,
        **values,
    )
    with states_unguarded() as session:
        session.add(made)
    return made


def names(component: Component, *files: File) -> None:
    db.session.add_all(ComponentFile(component_id=component.id, file_id=one.id) for one in files)
    db.session.flush()


def members(package: Upload, *rows: tuple) -> None:
    for n, (name, size, md5, kind, error) in enumerate(rows, start=1):
        db.session.add(Member(upload_id=package.id, n=n, name=name, size=size, md5=md5, file_type=kind, error=error))
    package.member_count = len(rows)
    db.session.flush()


def objects() -> dict[str, Dataset]:
    """A dataset of each status, with components whose own status differs."""
    made = {
        state: dataset(n, state, released=n > 2)
        for n, state in enumerate(("submitted", "approved", "released", "suppressed", "withdrawn"), start=1)
    }
    made["draft"] = dataset(6, "draft")
    made["draft"].accession = None
    made["taken back"] = dataset(7, "approved", "controlled", released=True)
    component(made["submitted"], "SUBMISSION", "OMIX000001", "batch-1", state="received")
    component(made["submitted"], "STUDY", "OMIXP000001", "a\tstudy", state="received")
    component(made["released"], "SUBMISSION", "OMIX000003", "batch-3")
    component(made["released"], "SAMPLE", "OMIXS000001", "s1")
    component(made["released"], "SAMPLE", "OMIXS000002", "s2", status="suppressed")
    component(made["released"], "SAMPLE", "OMIXS000003", "cancelled", status="withdrawn")
    component(made["suppressed"], "SUBMISSION", "OMIX000004", "batch-4")
    component(made["withdrawn"], "SUBMISSION", "OMIX000005", "batch-5")
    component(made["taken back"], "SUBMISSION", "OMIX000007", "batch-7")
    component(made["draft"], "STUDY", "OMIXP000009", "of a draft", state="received")
    return made


def uploads() -> None:
    """An upload of each row of the table in docs/telemetry.md."""
    live, hidden = dataset(1, "submitted"), dataset(2, "suppressed", released=True)
    gone = dataset(3, "withdrawn", released=True)
    loaded = upload("run1/r1.fastq.gz", "archived", file_type="GZ", loaded_at=AT - 2 * DAY, realm="protected")
    both = file(live, loaded)
    for n, kind in enumerate(("RUN", "RUN", "ANALYSIS"), start=1):
        one = component(
            live,
            kind,
            f"OMIX{kind[0] if kind == 'RUN' else 'Z'}{n:06d}",
            f"c{n}",
            state="received" if n == 2 else "loaded",
        )
        names(one, both)
    names(component(live, "RUN", "OMIXR000009", "cancelled", status="withdrawn"), both)
    older = upload("old.bam", "archived", file_type="BAM", loaded_at=AT - 2 * DAY)
    shown = file(hidden, older)
    names(component(hidden, "ANALYSIS", "OMIXZ000004", "c4"), shown)
    file(gone, upload("gone.txt", "archived", loaded_at=AT - 2 * DAY))
    package = upload("pack.tar.gz", "archived", file_type="TAR", size=500, md5="c" * 32, loaded_at=AT - 2 * DAY)
    members(
        package,
        ("a/x.txt", 3, "d" * 32, "TEXT", None),
        ("a/empty", 0, "e" * 32, "EMPTY", "empty_file"),
        ("b.sff", 4, None, "SFF", "bad_read_header_length"),
    )
    file(live, package)
    torn = upload("torn.zip", file_type="ZIP", error="unzip_error", md5="f" * 32)
    members(torn, ("in.txt", 1, "1" * 32, "TEXT", None))
    upload("fresh.txt", file_type=None, inspection=None, realm="protected")
    upload("try.txt", area="test")
    upload("cut.bin", "incomplete", md5=None, sha256=None, file_type=None, inspection=None, received_at=None, size=4)
    file(live, upload("differs.txt"), "failed", error="md5_mismatch")
    file(live, upload("ours.txt"), "failed", error="copy_error")
    upload("twice.txt", error="duplicate_to_upload_1")
    upload("zero.txt", size=0, file_type="EMPTY", error="empty_file")
    newer = upload("new.txt")
    upload("was.txt", "obsolete", replaced_by=newer.id)
    upload("unused.txt", "expired")
    upload("arriving.txt", "receiving", md5=None, sha256=None, received_at=None)
