"""What changed since a report that somebody kept: by command, by API, from every form in which it may be kept."""

import gzip
import io
import tarfile

import pytest
from sqlalchemy import update

from portal import cli, db, errors
from portal.domain.components import xml_documents
from portal.domain.reports import current, diff, tsv
from portal.models import Component, Dataset
from tests.conftest import INES, STRANGER
from tests.reports import staged
from tests.web.test_access_matrix import bearer

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def kept() -> bytes:
    """The Accessions report of before: since then an XML changed, a dataset was suppressed, a study came."""
    with db.transaction():
        made = {name: one.id for name, one in staged.objects().items()}
    report = b"".join(current.text("accessions", INES.account.center))
    with db.transaction():
        xml = b'<SAMPLE accession="OMIXS000001"/>'
        db.session.execute(
            update(Component).where(Component.accession == "OMIXS000001").values(xml=xml, md5=xml_documents.md5(xml))
        )
        db.session.get_one(Dataset, made["taken back"]).state = "withdrawn"
        staged.component(db.session.get_one(Dataset, made["submitted"]), "SAMPLE", "OMIXS000008", "s8")
        staged.component(db.session.get_one(Dataset, made["draft"]), "SAMPLE", "OMIXS000009", "s9")
    return report


WANTED = [("OMIXS000001", "changed"), ("OMIX000007", "status"), ("OMIXS000008", "new")]


def compare(report: bytes) -> list[tuple[str, str]]:
    found = diff.compare(INES.account.center_id, diff.read(io.BytesIO(report)))
    return [(one.accession, one.change) for one in found]


def test_nothing_differs_from_the_report_of_now(kept):
    assert compare(b"".join(current.text("accessions", INES.account.center))) == []


def test_forms_of_a_report(kept):
    assert compare(kept) == compare(gzip.compress(kept)) == WANTED
    plain = "".join("{0}\t{10}\n".format(*line.split("\t")[:11]) for line in kept.decode().splitlines()[1:])
    assert compare(plain.replace("\n\n", "\n").encode()) == [WANTED[0], WANTED[2]]


def test_dump_is_a_report_too(kept):
    packed = io.BytesIO()
    current.dump(INES.account.center, packed)
    assert compare(packed.getvalue()) == []
    old = kept.decode().splitlines()
    assert compare("\n".join([old[0], "OMIXS000077" + old[4][11:], *old[1:]]).encode()) == [
        ("OMIXS000077", "gone"),
        *WANTED,
    ]


def test_portions_and_another_center(kept, monkeypatch):
    monkeypatch.setattr(diff, "SOME", 3)
    assert compare(kept) == WANTED
    found = diff.compare(STRANGER.account.center_id, diff.read(io.BytesIO(kept)))
    assert {one.change for one in found} == {"gone"}


@pytest.mark.parametrize(
    "report",
    [b"\x1f\x8bnonsense", b"accession\tx\nOMIX000001\t1\n", b"\xff\xfe\x00\x00a\n", b"OMIX000001\n", b"x" * 50_000],
)
def test_what_is_no_report_is_refused(report):
    with pytest.raises(errors.Invalid):
        compare(report)


def test_command_says_the_same(kept, settings, tmp_path, capfd):
    path = tmp_path / "before.tsv"
    path.write_bytes(kept)
    assert cli.main(["report", "changed", "--since", str(path)]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].split("\t") == list(diff.HEAD)
    assert [tuple(line.split("\t")[:2]) for line in lines[1:]] == WANTED
    assert cli.main(["report", "accessions", "--center", "Northmere Institute", "-o", str(path)]) == 0
    assert cli.main(["report", "changed", "--since", str(path), "--center", "Northmere Institute"]) == 0
    assert cli.main(["report", "files", "--center", "Nowhere"]) == 1
    assert "There is no center Nowhere." in capfd.readouterr().err


def test_call_says_the_same(app, kept):
    headers = bearer("ines")
    answer = app.test_client().post("/api/v1/reports/changed", data=kept, headers=headers, buffered=True)
    assert [(one["accession"], one["change"]) for one in answer.json["items"]] == WANTED
    assert answer.json["items"][0]["md5_now"] == xml_documents.md5(b'<SAMPLE accession="OMIXS000001"/>')
    for kind in ("application/x-www-form-urlencoded", "application/gzip"):  # the first is what curl says unasked
        told = app.test_client().post(
            "/api/v1/reports/changed", data=gzip.compress(kept), headers=headers, content_type=kind, buffered=True
        )
        assert told.json == answer.json
    long = kept + b"OMIXS000001\tOMIX000003\n" * 100_000  # no form is that long
    assert (
        app.test_client().post("/api/v1/reports/changed", data=long, headers=headers, buffered=True).status_code == 422
    )
    empty = app.test_client().post("/api/v1/reports/changed", headers=headers, buffered=True)
    assert empty.status_code == 422
    refused = app.test_client().post(
        "/api/v1/reports/changed", data=b"accession\tx\na\tb\n", headers=headers, buffered=True
    )
    assert refused.status_code == 422 and "Line 2 is no line of an Accessions report" in refused.text


@pytest.mark.parametrize("apart", [0, 5])
def test_object_that_comes_twice_is_refused(kept, monkeypatch, apart):
    monkeypatch.setattr(diff, "SOME", 3)
    rows = kept.decode().splitlines()
    with pytest.raises(errors.Invalid) as refused:
        compare("\n".join([rows[0], rows[1], *rows[2 : 2 + apart], rows[1]]).encode())
    assert (refused.value.codes, refused.value.message.values["accession"]) == (["accession_twice"], "OMIX000001")


def test_component_that_comes_twice_far_apart_is_refused(kept, monkeypatch):
    monkeypatch.setattr(diff, "SOME", 2)
    rows = kept.decode().splitlines()
    sample = next(row for row in rows if row.startswith("OMIXS"))
    others = [row for row in rows[1:] if row != sample]
    with pytest.raises(errors.Invalid) as refused:
        compare("\n".join([rows[0], sample, *others, sample]).encode())
    assert (refused.value.codes, refused.value.message.values["accession"]) == (["accession_twice"], sample[:11])


def test_report_is_compared_while_it_is_read(database, monkeypatch):
    """Memory does not grow with the report: the first difference is told before the rest is read."""
    monkeypatch.setattr(diff, "SOME", 3)
    entries = iter([diff.Entry(f"OMIXS{n:06d}", "1") for n in range(900, 910)])

    assert next(diff.compare(INES.account.center_id, entries)).accession == "OMIXS000900"
    assert next(entries).accession == "OMIXS000903"


def tar(name: str, data: bytes, claimed: int = 0) -> bytes:
    """A tar of one file; its header may claim another length and be that of a long name."""
    member = tarfile.TarInfo(name)
    member.size = claimed or len(data)
    member.type = tarfile.GNUTYPE_LONGNAME if claimed else tarfile.REGTYPE
    return member.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512) + bytes(1024)


BOMBS = {
    "lines": b"\n" * 3000,
    "bytes": b" " * 9000 * 400,
    "before the report": tar("long", bytes(3 << 20)) + tar("x_Accessions", b"accession\tmd5sum\n"),
    "a name": tar("long", b"", claimed=2 << 20),
}


@pytest.mark.parametrize("name", BOMBS)
def test_report_unpacks_to_no_more_than_reports_have(name, monkeypatch):
    monkeypatch.setattr(diff, "MOST_LINES", 2000)
    monkeypatch.setattr(diff, "MOST_BYTES", 1 << 20)
    with pytest.raises(errors.TooLarge):
        list(diff.read(io.BytesIO(gzip.compress(BOMBS[name])), limited=True))


def test_own_reports_are_read_whatever_their_size(monkeypatch):
    """The command and the archive read their own files, which no limit holds."""
    monkeypatch.setattr(diff, "MOST_LINES", 10)
    monkeypatch.setattr(diff, "MOST_BYTES", 100)
    monkeypatch.setattr(diff, "AT_ONCE", 100)
    report = b"accession\tmd5sum\n" + b"".join(b"OMIXS%06d\t1\n" % n for n in range(2000))

    assert len(list(diff.read(io.BytesIO(gzip.compress(report))))) == 2000
    assert "".join(diff.lines(io.BytesIO(gzip.compress(report)))).encode() == report


def test_lines_are_sent_in_portions(monkeypatch):
    monkeypatch.setattr(tsv, "PORTION", 2)

    assert list(diff.joined("abcde")) == [b"ab", b"cd", b"e"]
