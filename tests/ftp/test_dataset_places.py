"""Datasets as folders of the FTP tree: what is sent into one belongs to it alone."""

import ftplib
import io

import pytest

from portal import db, states
from portal.domain.datasets import datasets
from portal.models import Dataset, Editor, File, Upload
from tests.ftp.support import get, refusal
from tests.state_guard import states_unguarded


def declare(person, title="Livers", **fields) -> int:
    with db.transaction():
        return datasets.create(actor=person.account, title=title, **{"access": "open"} | fields).id


def put(client: ftplib.FTP, path: str, data: bytes = b"content") -> str:
    return client.storbinary(f"STOR {path}", io.BytesIO(data))


def names(client: ftplib.FTP, path: str) -> list[str]:
    return [name for name, _facts in client.mlsd(path)]


def standing(dataset_id: int) -> dict[str, str]:
    db.end()
    query = db.session.query(File).filter(File.dataset_id == dataset_id, File.state.not_in(states.DEAD_FILES))
    return {file.name: file.state for file in query}


def box() -> list[str]:
    db.end()
    query = db.session.query(Upload).filter(Upload.dataset_id.is_(None), Upload.state.in_(states.LISTED))
    return sorted(row.name for row in query)


def test_every_dataset_open_to_changes_is_a_folder_and_says_its_title(client, ines, stranger):
    mine, other = declare(ines), declare(stranger, title="Not hers")
    closed = declare(ines, title="Out")
    with states_unguarded():
        row = db.session.get_one(Dataset, closed)
        row.state, row.accession, row.released_at = "released", "OMIX000009", 1
    assert "datasets" in names(client, "/")
    assert names(client, "/datasets") == [str(mine)]
    assert "Livers" in client.sendcmd("CWD /datasets") and "Not hers" not in client.sendcmd("CWD /datasets")
    assert "Livers (open)" in client.sendcmd(f"CWD /datasets/{mine}")
    for ref in (other, closed, "OMIX000009"):
        assert refusal(client, f"CWD /datasets/{ref}").startswith("550")
        assert refusal(client, f"STOR /datasets/{ref}/a.txt").startswith("550")


def test_bytes_sent_into_a_dataset_are_its_file_and_in_no_box(client, ines):
    first, second = declare(ines), declare(ines, access="controlled")
    assert put(client, "/OMIX/README", b"box").startswith("226")
    assert put(client, f"/datasets/{first}/README", b"one").startswith("226")
    assert put(client, f"/datasets/{second}/run1/README", b"two").startswith("226")

    assert (standing(first), standing(second)) == ({"README": "received"}, {"run1/README": "received"})
    assert box() == ["README"] and names(client, "/OMIX") == ["README"]
    assert [row.realm for row in db.session.query(Upload).order_by(Upload.id)] == ["open", "open", "protected"]
    assert names(client, f"/datasets/{second}") == ["run1"] and names(client, f"/datasets/{second}/run1") == ["README"]
    assert get(client, f"/datasets/{first}/README") == b"one" and get(client, "/OMIX/README") == b"box"
    assert client.size(f"/datasets/{second}/run1/README") == 3


def test_accession_names_the_folder_too(client, ines):
    dataset_id = declare(ines)
    with db.transaction():
        db.session.get_one(Dataset, dataset_id).accession = "OMIX000007"
    put(client, "/datasets/OMIX000007/a.txt")
    assert names(client, "/datasets") == ["OMIX000007"] and names(client, f"/datasets/{dataset_id}") == ["a.txt"]


def test_program_that_renames_can_send_twice(client, ines):
    dataset_id = declare(ines)
    for content in (b"first", b"second"):
        put(client, f"/datasets/{dataset_id}/run/a.txt.part", content)
        client.rename(f"/datasets/{dataset_id}/run/a.txt.part", f"/datasets/{dataset_id}/run/a.txt")
        assert get(client, f"/datasets/{dataset_id}/run/a.txt") == content
        assert standing(dataset_id) == {"run/a.txt": "received"}


def test_delete_takes_the_bytes_and_what_was_said_waits(client, ines):
    dataset_id = declare(ines, files=[{"name": "said.txt", "title": "Counts"}])
    for name in ("said.txt", "bare.txt"):
        put(client, f"/datasets/{dataset_id}/{name}")
        client.delete(f"/datasets/{dataset_id}/{name}")
    assert standing(dataset_id) == {"said.txt": "waiting"} and box() == []
    assert names(client, f"/datasets/{dataset_id}") == []


def test_upload_of_the_box_is_moved_into_a_dataset_and_none_out_of_it(client, ines):
    dataset_id = declare(ines)
    put(client, "/OMIX/a.txt", b"boxed")
    client.rename("/OMIX/a.txt", f"/datasets/{dataset_id}/b.txt")
    assert standing(dataset_id) == {"b.txt": "received"} and box() == []
    assert get(client, f"/datasets/{dataset_id}/b.txt") == b"boxed"
    client.sendcmd(f"RNFR /datasets/{dataset_id}/b.txt")
    assert refusal(client, "RNTO /OMIX/c.txt").startswith("550 Files of a dataset are not")
    put(client, "/OMIX-protected/p.txt")
    client.sendcmd("RNFR /OMIX-protected/p.txt")
    assert "protected area" in refusal(client, f"RNTO /datasets/{dataset_id}/p.txt")


@pytest.mark.parametrize("state", ["checking", "archived"])
def test_bytes_that_a_job_or_the_archive_holds_are_not_touched(client, ines, state):
    dataset_id = declare(ines)
    put(client, f"/datasets/{dataset_id}/a.txt", b"held")
    with states_unguarded():
        file, upload = db.session.query(File).one(), db.session.query(Upload).one()
        file.state, upload.state = state, state
        file.size, file.md5, file.sha256 = upload.size, upload.md5, upload.sha256
    assert refusal(client, f"DELE /datasets/{dataset_id}/a.txt").startswith("450" if state == "checking" else "550")
    if state == "checking":
        client.voidcmd("TYPE I")
        assert refusal(client, f"STOR /datasets/{dataset_id}/a.txt").startswith("450 a.txt is being checked")
    else:
        assert put(client, f"/datasets/{dataset_id}/a.txt", b"newer").startswith("226")
        assert sorted(file.state for file in db.session.query(File)) == ["archived", "received"]


def test_cut_upload_shows_its_length_and_is_resumed(client, ines):
    from portal.ingest import upload_session

    dataset_id = declare(ines)
    session = upload_session.open(ines.id, realm="open", name="a.bin", via="ftp", dataset_id=dataset_id)
    session.write(b"first ")
    session.abort("the line broke")
    assert client.size(f"/datasets/{dataset_id}/a.bin") == 6 and names(client, "/OMIX") == []
    client.storbinary(f"STOR /datasets/{dataset_id}/a.bin", io.BytesIO(b"second"), rest=6)
    assert get(client, f"/datasets/{dataset_id}/a.bin") == b"first second"


def test_mirror_of_a_folder_with_companions_does_not_fail(client, ines):
    dataset_id = declare(ines)
    assert client.mkd(f"/datasets/{dataset_id}/run") == f"/datasets/{dataset_id}/run"
    for name in ("a.txt", "._a.txt", ".DS_Store"):
        assert put(client, f"/datasets/{dataset_id}/run/{name}").startswith("226")
    assert standing(dataset_id) == {"run/a.txt": "received"}
    assert sorted(names(client, f"/datasets/{dataset_id}/run")) == [".DS_Store", "._a.txt", "a.txt"]
    assert refusal(client, f"RMD /datasets/{dataset_id}/run").startswith("550")
    client.mkd(f"/datasets/{dataset_id}/empty")
    client.rmd(f"/datasets/{dataset_id}/empty")
    assert names(client, f"/datasets/{dataset_id}") == ["run"]


def test_names_that_cannot_stand_together_are_refused(client, ines):
    dataset_id = declare(ines, files=[{"name": "run"}])
    client.voidcmd("TYPE I")
    assert "run is a file" in refusal(client, f"STOR /datasets/{dataset_id}/run/a.txt")
    assert refusal(client, f"STOR /datasets/{dataset_id}/a b").startswith("553")


def test_appended_bytes_go_to_the_file_of_that_name_alone(client, ines):
    """An upload keeps the name that it was sent under; what goes on is the file that is called so now."""
    dataset_id = declare(ines)
    place = f"/datasets/{dataset_id}"
    put(client, f"{place}/a.part", b"first ")
    client.rename(f"{place}/a.part", f"{place}/a.txt")
    client.storbinary(f"APPE {place}/a.part", io.BytesIO(b"another"))
    client.storbinary(f"APPE {place}/a.txt", io.BytesIO(b"second"))
    assert get(client, f"{place}/a.txt") == b"first second" and get(client, f"{place}/a.part") == b"another"


def test_nobody_appends_to_what_somebody_else_sent_or_what_is_archived(client, ines, colleague):
    from portal.ingest import upload_session

    dataset_id = declare(ines)
    with db.transaction():
        email, me = colleague.email, colleague.account
        db.session.add(
            Editor(
                dataset_id=dataset_id, email=email, account_id=me.id, invited_by=ines.id, invited_at=1, accepted_at=1
            )
        )
    session = upload_session.open(colleague.id, realm="open", name="a.txt", via="ftp", dataset_id=dataset_id)
    session.write(b"whole")
    session.finish()
    client.voidcmd("TYPE I")
    assert "sent by somebody else" in refusal(client, f"APPE /datasets/{dataset_id}/a.txt")
    with states_unguarded():
        file, upload = db.session.query(File).one(), db.session.query(Upload).one()
        file.state = upload.state = "archived"
    assert "is archived" in refusal(client, f"APPE /datasets/{dataset_id}/a.txt")
    assert standing(dataset_id) == {"a.txt": "archived"}


def test_folder_is_renamed_with_all_that_is_declared_in_it_or_not_at_all(client, ines):
    dataset_id = declare(ines, files=[{"name": "run/late.txt"}, {"name": "other/late.txt"}])
    put(client, f"/datasets/{dataset_id}/run/a.txt")
    client.sendcmd(f"RNFR /datasets/{dataset_id}/run")
    assert "declared already" in refusal(client, f"RNTO /datasets/{dataset_id}/other")
    assert standing(dataset_id) == {"run/late.txt": "waiting", "other/late.txt": "waiting", "run/a.txt": "received"}
    client.rename(f"/datasets/{dataset_id}/run", f"/datasets/{dataset_id}/run2")
    assert set(standing(dataset_id)) == {"run2/late.txt", "other/late.txt", "run2/a.txt"}


def test_delete_of_what_was_to_replace_an_archived_file_leaves_that(client, ines):
    dataset_id = declare(ines, files=[{"name": "a.txt", "title": "Counts"}])
    put(client, f"/datasets/{dataset_id}/a.txt", b"archived")
    with states_unguarded():
        file, upload = db.session.query(File).one(), db.session.query(Upload).one()
        file.state = upload.state = "archived"
        file.size, file.md5, file.sha256 = upload.size, upload.md5, upload.sha256
    put(client, f"/datasets/{dataset_id}/a.txt", b"newer")
    client.delete(f"/datasets/{dataset_id}/a.txt")
    assert standing(dataset_id) == {"a.txt": "archived"} and client.size(f"/datasets/{dataset_id}/a.txt") == 8
