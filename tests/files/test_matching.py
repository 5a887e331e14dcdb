"""Which upload a declared file claims when the bytes come after it was declared, and whose bytes it never gets."""

import pytest

from portal import db, errors
from portal.domain.datasets import datasets, handover
from portal.domain.files import belonging, file_state, files
from portal.domain.uploads import folders
from portal.domain.uploads.uploads import Place
from portal.models import Dataset, Job, Upload
from tests import depositing as deposit
from tests.conftest import COLLEAGUE, INES, STRANGER
from tests.state_guard import states_unguarded

pytestmark = pytest.mark.usefixtures("receiving")


def declare(*names: str, person=INES, **fields) -> int:
    """A draft whose files wait for these names."""
    with db.transaction():
        rows = [{"name": name} for name in names]
        return datasets.create(actor=person.account, title="T", files=rows, **{"access": "open"} | fields).id


def claimed(dataset_id: int) -> list[int | None]:
    """The uploads that its files claim, by number."""
    return [file.upload_id for file in deposit.files_of(dataset_id)]


def test_protected_bytes_that_come_later_are_claimed_by_no_file_of_an_open_dataset(send):
    opened = declare("p.txt")
    send("p.txt", b"p", realm="protected")
    assert claimed(opened) == [None]

    controlled = declare("q.txt", access="controlled")
    receipt = send("q.txt", b"q", realm="protected")
    assert claimed(controlled) == [receipt.upload_id]


def test_bytes_of_somebody_else_are_claimed_by_no_file(send):
    mine = declare("a.txt")
    send("a.txt", b"theirs", person=COLLEAGUE)
    assert claimed(mine) == [None]

    send("b.txt", b"theirs", person=COLLEAGUE)
    assert claimed(declare("b.txt")) == [None]

    theirs = declare("a.txt", person=COLLEAGUE)
    assert (claimed(mine), claimed(theirs)) == ([None], [deposit.upload_of("a.txt").id])


def test_two_people_who_wait_for_one_name_each_get_their_own(send):
    mine, theirs = declare("a.txt"), declare("a.txt", person=COLLEAGUE)
    receipt = send("a.txt", b"theirs", person=COLLEAGUE)
    assert (claimed(mine), claimed(theirs)) == ([None], [receipt.upload_id])


def test_bytes_of_the_test_area_are_claimed_by_no_file(send):
    waiting = declare("a.txt")
    send("a.txt", b"try", area="test")
    assert claimed(waiting) == [None]
    assert claimed(declare("a.txt", "b.txt")) == [None, None]


def test_what_a_dataset_took_moves_to_no_other_area(send):
    receipt = send("a.txt", b"a")
    dataset_id = declare("a.txt")
    for area, realm in (("test", "open"), ("incoming", "protected")):
        with pytest.raises(errors.Conflict), db.transaction():
            folders.move(INES.account, Place("incoming", "open", "a.txt"), Place(area, realm, "a.txt"))
    assert claimed(dataset_id) == [receipt.upload_id]


def test_file_handed_over_waits_for_the_bytes_of_its_new_submitter(send):
    dataset_id = declare("a.txt")
    with db.transaction():
        handover.hand_over(db.session.get_one(Dataset, dataset_id), STRANGER.account, actor=None)
    send("a.txt", b"of the former")
    assert claimed(dataset_id) == [None]
    receipt = send("a.txt", b"of the new", person=STRANGER)
    assert claimed(dataset_id) == [receipt.upload_id]


def test_second_upload_of_a_base_name_is_claimed_by_nobody(send):
    send("run1/reads.gz", b"1")
    waiting = declare("reads.gz", "other.gz")
    first = deposit.upload_of("run1/reads.gz").id
    assert claimed(waiting) == [first, None]

    send("run1/other.gz", b"2")
    with db.transaction():
        belonging.give_back(files.by_number(db.session.get_one(Dataset, waiting), 1))
    send("run2/reads.gz", b"3")
    assert claimed(waiting)[0] is None, "two bear the name: it is not guessed"


def test_two_files_that_wait_for_one_base_name_get_none_of_it(send):
    waiting = declare("a/reads.gz", "b/reads.gz")
    send("c/reads.gz", b"1")
    assert claimed(waiting) == [None, None]
    receipt = send("b/reads.gz", b"2")
    assert claimed(waiting) == [None, receipt.upload_id]


def test_two_files_never_claim_one_upload(send):
    receipt = send("reads.gz", b"1")
    first, second = declare("reads.gz"), declare("reads.gz")
    assert (claimed(first), claimed(second)) == ([receipt.upload_id], [None])
    assert claimed(declare("x/reads.gz", "y/reads.gz")) == [None, None]

    other = send("counts.gz", b"2")
    assert claimed(declare("x/counts.gz", "y/counts.gz")) == [other.upload_id, None]


def test_archived_file_keeps_its_upload_and_state_whatever_becomes_of_the_bytes_in_the_area(send, run_jobs):
    dataset_id = deposit.submit({"a.bin": b"one"})
    run_jobs()
    upload_id = deposit.upload_of("a.bin").id
    with db.transaction():
        upload = db.session.get_one(Upload, upload_id)
        belonging.let_go(upload)
        file_state.recompute_state(files.by_number(db.session.get_one(Dataset, dataset_id), 1))
    (file,) = deposit.files_of(dataset_id)
    assert (file.state, file.upload_id, file.md5) == ("archived", upload_id, deposit.md5(b"one"))


def test_file_of_a_released_dataset_claims_nothing(send, run_jobs):
    dataset_id = declare("late.txt")
    with states_unguarded():
        db.session.get_one(Dataset, dataset_id).state = "released"
    send("late.txt", b"late")
    assert claimed(dataset_id) == [None]


def test_newer_upload_of_the_name_stays_beside_good_bytes_and_takes_the_place_of_red_ones(send):
    first = send("a.txt", b"old")
    dataset_id = declare("a.txt")
    send("a.txt", b"new")
    assert claimed(dataset_id) == [first.upload_id]

    with db.transaction():
        file = files.by_number(db.session.get_one(Dataset, dataset_id), 1)
        files.edit(file, {"md5": deposit.md5(b"newest")}, actor=INES.account)
        assert file.state == "failed"
    receipt = send("a.txt", b"newest")
    assert claimed(dataset_id) == [receipt.upload_id]
    assert deposit.files_of(dataset_id)[0].state == "received"
    assert db.session.get_one(Upload, first.upload_id).replaced_by == receipt.upload_id


@pytest.mark.parametrize(("state", "jobs"), [("draft", 0), ("submitted", 1)])
def test_file_added_after_its_bytes_goes_on_to_the_archive_where_its_dataset_is_submitted(send, state, jobs):
    dataset_id = declare("first.txt")
    with states_unguarded():
        db.session.get_one(Dataset, dataset_id).state = state
    send("late.txt", b"late")
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "late.txt"}], actor=INES.account)
    db.end()
    assert db.session.query(Job).filter_by(kind="archive", dataset_id=dataset_id).count() == jobs
