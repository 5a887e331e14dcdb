"""The tree: a query, not a disk."""

import ftplib
import hashlib
import io
import subprocess

import pytest
from sqlalchemy import insert, select

from portal import db, states, storage
from portal.config import Settings
from portal.domain.datasets import datasets
from portal.models import Dataset, DownloadDay, File, Folder, Upload
from tests.counting import statements
from tests.ftp.support import get, refusal, rows
from tests.state_guard import states_unguarded
from tests.waiting import until


def put(client: ftplib.FTP, path: str, content: bytes = b"content") -> None:
    client.storbinary(f"STOR {path}", io.BytesIO(content))


def names(client: ftplib.FTP, path: str) -> list[str]:
    return [name for name, _ in client.mlsd(path)]


def release(person, accession: str, *, access: str = "open", state: str = "released") -> int:
    """A dataset with two archived files, as the archive leaves it."""
    files = {"reads.txt": b"ACGT\n" * 1000, "extra/notes.txt": b"notes\n"}
    with states_unguarded():
        account = person.account
        dataset = Dataset(
            account_id=account.id,
            center_id=account.center_id,
            accession=accession,
            state=state,
            access=access,
            released_at=1_700_000_000_000,
            created_at=0,
            updated_at=0,
        )
        db.session.add(dataset)
        db.session.flush()
        for n, (name, content) in enumerate(files.items(), 1):
            path = f"data/{accession}-0{n}/{name}"
            db.session.add(
                File(
                    dataset_id=dataset.id,
                    n=n,
                    name=name,
                    base=name.rsplit("/")[-1],
                    state="archived",
                    size=len(content),
                    md5=hashlib.md5(content).hexdigest(),
                    sha256=hashlib.sha256(content).hexdigest(),
                    archive_path=path,
                    fixity="ok",
                    archived_at=1_700_000_000_000,
                    created_at=0,
                    updated_at=0,
                )
            )
            target = storage.archived_path("open", accession, path)
            target.parent.mkdir(parents=True)
            target.write_bytes(content)
        return dataset.id


def test_first_level_is_a_contract(client):
    assert names(client, "/") == [
        "OMIX",
        "OMIX-protected",
        "datasets",
        "granted",
        "outgoing",
        "outgoing-protected",
        "test",
    ]
    assert client.cwd("/incoming").startswith("250")


def test_area_shows_folders_and_files(client):
    for path in ("/OMIX/a.txt", "/OMIX/run1/b.txt", "/OMIX/run1/deep/c.txt", "/test/t.txt", "/OMIX-protected/p.txt"):
        put(client, path)
    assert names(client, "/OMIX") == ["a.txt", "run1"]
    assert names(client, "/incoming/run1") == ["b.txt", "deep"]
    assert names(client, "/test") == ["t.txt"]
    facts = dict(client.mlsd("/OMIX"))
    assert (facts["a.txt"]["type"], facts["a.txt"]["size"], facts["run1"]["type"]) == ("file", "7", "dir")
    client.cwd("/OMIX/run1/deep")
    assert client.nlst() == ["c.txt"]
    assert client.pwd() == "/OMIX/run1/deep"
    lines: list[str] = []
    client.dir("..", lines.append)
    assert [line.split()[-1] for line in lines] == ["b.txt", "deep"] and lines[1].startswith("d")


def test_paths_stay_within_the_tree(client):
    put(client, "/OMIX/a.txt")
    for path in ("/../../OMIX/../OMIX/a.txt", "/OMIX//a.txt", "/OMIX/x/../a.txt"):
        client.voidcmd("TYPE I")
        assert client.size(path) == 7
    for path in ("/etc/passwd", "../../../etc/passwd", "/instance", "/OMIX/../portal.db"):
        assert refusal(client, f"RETR {path}").startswith("550")


def test_areas_of_others_are_not_there(door, client, stranger):
    put(client, "/OMIX/mine.txt")
    other = door.plain(stranger)
    assert names(other, "/OMIX") == []
    assert refusal(other, "RETR /OMIX/mine.txt").startswith("550")
    assert refusal(other, "DELE /OMIX/mine.txt").startswith("550")


def test_own_bytes_can_be_read_back_and_resumed(client):
    put(client, "/OMIX/a.bin", bytes(range(256)) * 4000)
    assert get(client, "/OMIX/a.bin") == bytes(range(256)) * 4000
    part = io.BytesIO()
    client.retrbinary("RETR /OMIX/a.bin", part.write, rest=1_000_000)
    assert part.getvalue() == (bytes(range(256)) * 4000)[1_000_000:]
    client.sendcmd("REST 5000000")
    assert refusal(client, "RETR /OMIX/a.bin").startswith("554")


def test_rename_delete_and_folders_change_rows_only(client):
    put(client, "/OMIX/a.txt")
    token = rows()[0].token
    client.rename("/OMIX/a.txt", "/OMIX/run2/b.txt")
    assert names(client, "/OMIX/run2") == ["b.txt"]
    assert rows()[0].token == token
    assert client.mkd("/OMIX/empty") == "/OMIX/empty"
    assert refusal(client, "MKD /OMIX/empty").startswith("550")
    assert "empty" in names(client, "/OMIX")
    client.rmd("/OMIX/empty")
    assert refusal(client, "RMD /OMIX/run2").startswith("550")
    client.delete("/OMIX/run2/b.txt")
    assert names(client, "/OMIX") == []
    client.sendcmd("MKD /OMIX/x")
    client.sendcmd("RNFR /OMIX/x")
    assert refusal(client, "RNTO /elsewhere/x").startswith("550 Files go into")
    client.sendcmd("RNFR /OMIX/x")
    assert refusal(client, "RNTO /OMIX/x y").startswith("553")


def test_rename_takes_the_place_of_what_has_the_name(client, ines):
    """lftp's use-temp-file and rclone send under another name and rename: the second time too. What a dataset took the
    first time stays in it."""
    with db.transaction():
        dataset = datasets.create(actor=ines.account, title="T", files=[{"name": "run/a.txt"}])
    first = None
    for content in (b"first", b"second", b"third"):
        put(client, "/OMIX/run/in.a.txt.tmp", content)
        client.rename("/OMIX/run/in.a.txt.tmp", "/OMIX/run/a.txt")

        assert get(client, "/OMIX/run/a.txt") == content and names(client, "/OMIX/run") == ["a.txt"]
        first = first or rows()[-1].id
        assert db.session.query(File).filter_by(dataset_id=dataset.id).one().upload_id == first
        db.end()


def test_rename_onto_the_same_bytes_keeps_the_earlier_upload(client):
    put(client, "/OMIX/a.txt", b"same")
    first = rows()[0].id
    put(client, "/OMIX/a.tmp", b"same")
    client.rename("/OMIX/a.tmp", "/OMIX/a.txt")

    assert names(client, "/OMIX") == ["a.txt"]
    assert [row.id for row in rows() if row.state == "received"] == [first]


def test_rename_of_a_cut_upload_takes_no_place(client, ines):
    put(client, "/OMIX/a.txt", b"good")
    with states_unguarded():
        put_row = rows()[0]
        values = {"name": "b.tmp", "base": "b.tmp", "state": "incomplete", "token": "f" * 32}
        keep = ("account_id", "center_id", "realm", "area", "heard_at", "created_at", "detail", "via")
        db.session.add(Upload(**values, **{name: getattr(put_row, name) for name in keep}))
    client.sendcmd("RNFR /OMIX/b.tmp")

    assert "has not arrived whole" in refusal(client, "RNTO /OMIX/a.txt")
    assert get(client, "/OMIX/a.txt") == b"good"


def test_rename_onto_a_folder_or_of_a_folder_onto_something_is_refused(client):
    put(client, "/OMIX/run/a.txt")
    put(client, "/OMIX/b.txt")
    for old, new in (("/OMIX/b.txt", "/OMIX/run"), ("/OMIX/run", "/OMIX/b.txt")):
        client.sendcmd(f"RNFR {old}")
        assert refusal(client, f"RNTO {new}").startswith("550")
    assert set(names(client, "/OMIX")) == {"run", "b.txt"}


def test_companions_of_a_mirrored_folder_are_stored(client):
    for name in ("._a.csv", ".DS_Store", "Thumbs.db"):
        put(client, f"/OMIX/{name}")
        put(client, f"/OMIX/{name}")
    put(client, "/OMIX/._b.csv.tmp")
    client.rename("/OMIX/._b.csv.tmp", "/OMIX/._b.csv")

    assert set(names(client, "/OMIX")) == {"._a.csv", ".DS_Store", "Thumbs.db", "._b.csv"}
    assert refusal(client, "MKD /OMIX/._folder").startswith("553")


def test_rename_goes_into_another_area_and_realm(client):
    put(client, "/OMIX/run/a.txt", b"abc")
    client.rename("/OMIX/run", "/OMIX-protected/safe")
    assert names(client, "/OMIX") == []
    assert get(client, "/OMIX-protected/safe/a.txt") == b"abc"
    client.rename("/OMIX-protected/safe/a.txt", "/test/a.txt")
    assert get(client, "/test/a.txt") == b"abc"


def test_site_copy_gives_a_second_name(client):
    put(client, "/OMIX/run/a.txt", b"abc")
    assert refusal(client, "SITE CPTO /OMIX/b.txt").startswith("503")
    assert client.sendcmd("SITE CPFR /OMIX/run").startswith("350")
    assert client.sendcmd("SITE CPTO /OMIX-protected/run").startswith("250 Copied, 1 file")
    assert get(client, "/OMIX/run/a.txt") == get(client, "/OMIX-protected/run/a.txt") == b"abc"
    client.sendcmd("SITE CPFR /OMIX/run/a.txt")
    assert refusal(client, "SITE CPTO /OMIX-protected/run/a.txt").startswith("550 There is a run/a.txt already")
    assert refusal(client, "SITE CPFR /OMIX/nothing").startswith("550")


def test_digests_come_from_the_records(client):
    put(client, "/OMIX/a.txt", b"known")
    md5, sha256 = hashlib.md5(b"known").hexdigest(), hashlib.sha256(b"known").hexdigest()
    assert client.sendcmd("HASH /OMIX/a.txt") == f"213 MD5 0-5 {md5} /OMIX/a.txt"
    assert client.sendcmd("XMD5 /OMIX/a.txt") == f"250 {md5}"
    assert client.sendcmd("XSHA256 /OMIX/a.txt") == f"250 {sha256}"
    assert client.sendcmd("OPTS HASH SHA-256") == "200 SHA-256"
    assert client.sendcmd("HASH /OMIX/a.txt") == f"213 SHA-256 0-5 {sha256} /OMIX/a.txt"
    assert "HASH MD5;SHA-256*" in client.sendcmd("FEAT")
    assert refusal(client, "HASH /OMIX/none").startswith("550")
    assert refusal(client, "OPTS HASH CRC32").startswith("501")


def test_facts_of_one_file(client):
    put(client, "/OMIX/a.txt")
    facts = client.sendcmd("MLST /OMIX/a.txt")
    assert " type=file;" in facts and ";size=7;" in facts and facts.endswith("250 End.")
    assert client.sendcmd("MDTM /OMIX/a.txt")[:5] == "213 2"
    assert refusal(client, "MLSD /OMIX/a.txt").startswith("501")
    assert "a.txt" in client.sendcmd("STAT /OMIX")
    assert client.sendcmd("OPTS UTF8 ON").startswith("200")
    assert client.sendcmd("SITE CHMOD 644 /OMIX/a.txt").startswith("202")
    assert refusal(client, "MFMT 20200101000000 /OMIX/a.txt").startswith("502")


def test_ten_thousand_entries_are_listed_by_as_many_questions_as_ten(client, ines):
    row = {
        "account_id": ines.id,
        "center_id": ines.account.center_id,
        "realm": "open",
        "area": "incoming",
        "size": 3,
        "state": states.RECEIVED,
        "heard_at": 1,
        "received_at": 1,
        "created_at": 1,
        "via": "ftp",
    }
    with db.transaction():
        db.session.execute(
            insert(Upload),
            [
                row | {"token": f"t{n}", "name": f"{folder}f{n}.gz", "base": f"f{n}.gz"}
                for n, folder in [
                    *((n, "") for n in range(10_000)),
                    *((n, f"d{n % 50}/e/") for n in range(10_000, 20_000)),
                ]
            ],
        )
        db.session.execute(
            insert(Folder), [{"account_id": ines.id, "area": "incoming", "realm": "open", "path": "made", "made_at": 1}]
        )
    with statements() as of_few:
        assert names(client, "/OMIX/d7") == ["e"]
    with statements() as of_many:
        assert len(names(client, "/OMIX")) == 10_051
    assert len(of_many) <= len(of_few) + 2, of_many
    assert len(client.nlst("/OMIX/d7/e")) == 200


def test_anonymous_sees_released_open_datasets_only(door, ines):
    release(ines, "OMIX000001")
    release(ines, "OMIX000002", access="controlled")
    release(ines, "OMIX000003", state="approved")
    release(ines, "OMIX000004", state="suppressed")
    client = door.plain()
    client.login()
    assert names(client, "/") == ["OMIX"]
    assert names(client, "/OMIX") == ["OMIX000001"]
    assert names(client, "/OMIX/OMIX") == ["000001"]
    assert get(client, "/OMIX/OMIX/000001/extra/notes.txt") == b"notes\n"
    assert get(client, "/OMIX/OMIX000004/extra/notes.txt") == b"notes\n"
    hidden = {refusal(client, f"CWD /OMIX/OMIX00000{n}").replace(f"OMIX00000{n}", "it") for n in (2, 3, 9)}
    assert len(hidden) == 1 and hidden.pop().startswith("550")
    for command in ("STOR /OMIX/a", "DELE /OMIX/OMIX000001/reads.txt", "MKD /OMIX/x", "RNFR /OMIX/OMIX000001"):
        client.voidcmd("TYPE I")
        assert refusal(client, command).startswith("550 Released datasets cannot be changed.")


def test_downloaded_dataset_checks_with_md5sum(door, ines, tmp_path):
    dataset_id = release(ines, "OMIX000001")
    client = door.plain()
    client.login()
    client.cwd("/OMIX/OMIX000001")
    assert names(client, "") == ["extra", "manifest-md5.txt", "md5sum.txt", "reads.txt"]
    (tmp_path / "extra").mkdir()
    for path in ("reads.txt", "extra/notes.txt", "md5sum.txt"):
        (tmp_path / path).write_bytes(get(client, path))
    assert client.size("md5sum.txt") == (tmp_path / "md5sum.txt").stat().st_size
    subprocess.run(["md5sum", "-c", "--strict", "md5sum.txt"], cwd=tmp_path, check=True)
    until(lambda: counted(dataset_id) == (2, 5006))


def counted(dataset_id: int) -> tuple[int, int] | None:
    with db.reading():
        return db.session.execute(
            select(DownloadDay.files, DownloadDay.bytes).where(DownloadDay.dataset_id == dataset_id)
        ).first()


def test_signed_in_reaches_released_datasets_beside_the_own_area(client, ines):
    release(ines, "OMIX000001")
    put(client, "/OMIX/mine.txt")
    assert names(client, "/OMIX") == ["mine.txt"]
    assert get(client, "/OMIX/OMIX000001/extra/notes.txt") == b"notes\n"


def test_closed_dataset_is_closed_at_the_next_command(door, ines):
    dataset_id = release(ines, "OMIX000001")
    client = door.plain()
    client.login()
    client.cwd("/OMIX/OMIX000001")
    with db.transaction():
        db.session.get(Dataset, dataset_id).access = "controlled"
    assert refusal(client, "RETR reads.txt").startswith("550")
    assert refusal(client, "SIZE reads.txt").startswith("550")


def test_damaged_file_is_not_served(door, ines):
    dataset_id = release(ines, "OMIX000001")
    with db.transaction():
        db.session.scalars(select(File).where(File.dataset_id == dataset_id, File.n == 1)).one().fixity = "bad"
    client = door.plain()
    client.login()
    assert "damaged" in refusal(client, "RETR /OMIX/OMIX000001/reads.txt")


def test_reports_of_the_center_are_read_only(client, settings: Settings, ines):
    assert (names(client, "/outgoing"), names(client, "/outgoing/Files")) == (["Files"], [])
    folder = settings.instance / "outgoing" / str(ines.account.center_id) / "Files"
    folder.mkdir(parents=True)
    (folder / "OMIX_Files.gz").write_bytes(b"report")
    (folder / "link").symlink_to("/etc/passwd")
    assert names(client, "/outgoing/Files") == ["OMIX_Files.gz"]
    assert get(client, "/outgoing/Files/OMIX_Files.gz") == b"report"
    assert refusal(client, "RETR /outgoing/Files/link").startswith("550")
    assert refusal(client, "DELE /outgoing/Files/OMIX_Files.gz").startswith("550 Reports are made by the portal")


@pytest.mark.parametrize("command", ["RETR", "CWD", "SIZE", "LIST", "MLST", "DELE", "RMD", "RNFR", "HASH"])
def test_absent_things_are_550(client, command):
    assert refusal(client, f"{command} /OMIX/none").startswith("550")
