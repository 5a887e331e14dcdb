"""Bytes of one dataset: no arrival, act or archiving of another touches them."""

import pytest

from portal import db, errors, states, storage
from portal.domain.datasets import datasets, discard
from portal.domain.files import belonging, bulk_edit, files
from portal.domain.uploads.uploads import Place, find, taken
from portal.ingest import upload_session
from portal.models import Dataset, Upload
from tests import depositing as deposit
from tests.conftest import INES

pytestmark = pytest.mark.usefixtures("receiving")


def declare(*names: str, **fields) -> int:
    with db.transaction():
        rows = [{"name": name} if isinstance(name, str) else name for name in names]
        return datasets.create(actor=INES.account, title="T", files=rows, **{"access": "open"} | fields).id


def bytes_of(dataset_id: int) -> dict[str, bytes | None]:
    """What each file of a dataset has, read from the disk."""
    content = {}
    for file in deposit.files_of(dataset_id):
        upload = file.upload
        path = upload and storage.area_path(upload.realm, upload.account_id, upload.token)
        content[file.name] = path.read_bytes() if path else None
    return content


def in_box() -> dict[str, bytes]:
    db.end()
    query = db.session.query(Upload).filter(Upload.dataset_id.is_(None), Upload.state.in_(states.NAMED))
    return {row.name: storage.area_path(row.realm, row.account_id, row.token).read_bytes() for row in query}


def test_bytes_sent_for_a_dataset_belong_to_it_alone(send):
    first, second = declare("README"), declare("README")
    send("README", b"of the box")
    send("README", b"one", dataset_id=first)
    send("README", b"two", dataset_id=second)

    assert (bytes_of(first), bytes_of(second)) == ({"README": b"one"}, {"README": b"two"})
    assert in_box() == {"README": b"of the box"}


def test_bytes_sent_for_a_dataset_declare_their_name_and_leave_the_box_alone(send):
    send("data.xml", b"<box/>")
    dataset_id = declare()
    send("data.xml", b"<x/>", dataset_id=dataset_id)

    assert bytes_of(dataset_id) == {"data.xml": b"<x/>"} and in_box() == {"data.xml": b"<box/>"}


def test_good_file_is_replaced_in_its_place_and_identical_bytes_are_kept_once(send):
    dataset_id = declare()
    first = send("a.txt", b"old", dataset_id=dataset_id)
    assert send("a.txt", b"old", dataset_id=dataset_id).upload_id == first.upload_id
    second = send("a.txt", b"new", dataset_id=dataset_id)

    assert bytes_of(dataset_id) == {"a.txt": b"new"} and second.replaced == (first.upload_id,)
    assert db.session.get_one(Upload, first.upload_id).state == states.OBSOLETE


def test_place_of_a_dataset_refuses_while_the_file_is_checked_and_replaces_what_is_archived(send, run_jobs):
    dataset_id = deposit.submit({"a.txt": b"old"})
    with pytest.raises(errors.Frozen) as checked:
        send("a.txt", b"new", dataset_id=dataset_id)
    assert checked.value.ftp == 450
    run_jobs()
    assert deposit.states_of(dataset_id) == ["archived"]

    archived = deposit.files_of(dataset_id)[0].upload_id
    assert send("a.txt", b"old", dataset_id=dataset_id).upload_id == archived
    send("a.txt", b"new", dataset_id=dataset_id)
    assert deposit.states_of(dataset_id) == ["archived", "checking"]
    assert deposit.archived_path(dataset_id).read_bytes() == b"old"
    run_jobs()
    assert deposit.states_of(dataset_id) == ["replaced", "archived"]


def test_controlled_dataset_has_its_place_in_the_protected_realm(send):
    dataset_id = declare(access="controlled")
    receipt = send("p.txt", b"p", dataset_id=dataset_id)
    assert db.session.get_one(Upload, receipt.upload_id).realm == "protected"


def test_declared_name_takes_from_the_box_and_frees_the_name(send):
    receipt = send("a.txt", b"a")
    dataset_id = declare("a.txt")
    upload = db.session.get_one(Upload, receipt.upload_id)

    assert (upload.dataset_id, upload.taken_at is not None) == (dataset_id, True)
    place = Place("incoming", "open", "a.txt")
    assert find(INES.id, place) is None and taken(INES.id, place).id == receipt.upload_id


@pytest.mark.parametrize("first_md5", [None, "agrees", "differs"])
def test_where_two_drafts_wait_for_one_name_the_md5_decides_or_none_takes_it(send, first_md5):
    declared = {None: None, "agrees": deposit.md5(b"x"), "differs": deposit.md5(b"y")}[first_md5]
    first, second = declare({"name": "a.txt", "md5": declared}), declare("a.txt")
    send("a.txt", b"x")

    wanted = b"x" if first_md5 == "agrees" else None
    assert bytes_of(first) == {"a.txt": wanted} and bytes_of(second) == {"a.txt": None}
    assert in_box() == ({} if wanted else {"a.txt": b"x"})


def test_what_waits_elsewhere_is_not_taken_by_who_submits_first(send):
    first, second = declare("a.txt"), declare("a.txt")
    send("a.txt", b"x")
    with db.transaction():
        files.edit(files.by_number(db.session.get_one(Dataset, first), 1), {"name": "b.txt"}, actor=INES.account)
        files.edit(files.by_number(db.session.get_one(Dataset, second), 1), {"title": "Counts"}, actor=INES.account)
        files.add(db.session.get_one(Dataset, first), [{"name": "a.txt"}], actor=INES.account)
    assert (bytes_of(first), bytes_of(second)) == ({"b.txt": None, "a.txt": None}, {"a.txt": None})


def test_second_draft_gets_the_same_readme(send):
    """Each dataset has its own, also where the bytes are the same."""
    first = declare("README")
    send("README", b"read me")
    second = declare("README")
    send("README", b"read me")

    assert (bytes_of(first), bytes_of(second)) == ({"README": b"read me"}, {"README": b"read me"})
    uploads = {deposit.files_of(dataset_id)[0].upload_id for dataset_id in (first, second)}
    assert len(uploads) == 2


def test_identical_arrival_is_acknowledged_with_the_earlier_number(send):
    receipt = send("a.txt", b"a")
    declare("a.txt")
    assert send("a.txt", b"a").upload_id == receipt.upload_id and in_box() == {}


@pytest.mark.parametrize("act", ["remove", "discard"])
def test_bytes_of_what_leaves_its_dataset_lie_in_the_box_again(send, act):
    send("a.txt", b"first")
    dataset_id = declare("a.txt")
    send("a.txt", b"second")
    send("b.txt", b"sent for it", dataset_id=dataset_id)
    first = deposit.files_of(dataset_id)[0].upload_id
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        if act == "remove":
            bulk_edit.remove(dataset, [1, 2], actor=INES.account)
        else:
            discard.discard(dataset, actor=INES.account)

    assert in_box() == {
        "a.txt": b"second",
        f"returned-{first}/a.txt": b"first",
        "b.txt": b"sent for it",
    }


def test_cut_bytes_of_a_discarded_draft_go_on_in_the_box(send):
    dataset_id = declare()
    session = upload_session.open(INES.id, realm="open", name="a.bin", via="api", dataset_id=dataset_id)
    session.write(b"first ")
    session.abort("the line broke")
    with db.transaction():
        discard.discard(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    session = upload_session.open(INES.id, realm="open", name="a.bin", via="api", append=True)
    session.write(b"second")
    session.finish()

    assert in_box() == {"a.bin": b"first second"}


def test_dataset_that_goes_while_bytes_come_leaves_them_in_the_box(send):
    send("a.bin", b"before")
    dataset_id = declare()
    session = upload_session.open(INES.id, realm="open", name="a.bin", via="api", dataset_id=dataset_id)
    session.write(b"in flight")
    with db.transaction():
        discard.discard(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    receipt = session.finish()

    assert in_box() == {"a.bin": b"before", f"returned-{receipt.upload_id}/a.bin": b"in flight"}


def test_who_is_too_late_takes_nothing(send):
    """Two processes: the upload went, or the file was filled, after this one looked."""
    first, second = declare(), declare("a.txt")
    sent = send("a.txt", b"of the first", dataset_id=first).upload_id
    with db.transaction():
        file = files.by_number(db.session.get_one(Dataset, second), 1)
        assert not belonging.take(file, db.session.get_one(Upload, sent))
        assert (file.upload_id, file.state) == (None, states.WAITING)
    assert bytes_of(first) == {"a.txt": b"of the first"}


def test_cut_replacement_of_a_good_file_goes_on_and_takes_its_place(send):
    dataset_id = declare()
    send("a.bin", b"good", dataset_id=dataset_id)
    session = upload_session.open(INES.id, realm="open", name="a.bin", via="web", dataset_id=dataset_id)
    session.write(b"first ")
    session.abort("the line broke")
    assert bytes_of(dataset_id) == {"a.bin": b"good"}
    session = upload_session.open(INES.id, realm="open", name="a.bin", via="web", dataset_id=dataset_id, offset=6)
    session.write(b"second")
    session.finish()
    assert bytes_of(dataset_id) == {"a.bin": b"first second"}
