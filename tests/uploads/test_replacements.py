"""A file replaced in place: the last good bytes stay until the new ones are archived; what is said of it is kept."""

import pytest

from portal import clock, db, errors
from portal.domain.datasets import datasets
from portal.domain.files import bulk_edit, files, md5_lists, spreadsheet
from portal.domain.uploads import replacements, resumable
from portal.maintenance.fsck import check
from portal.models import Dataset, Resumable
from tests.conftest import INES
from tests.depositing import (
    archived_path,
    bag_of,
    files_of,
    is_valid_bag,
    md5,
    run_until_idle,
    send,
    states_of,
    submit,
    upload_of,
)

OLD, NEW = b"old counts\n", b"new counts, and right ones\n"


pytestmark = pytest.mark.usefixtures("receiving")


@pytest.fixture
def archived(run_jobs):
    dataset_id = submit({"counts.tsv": OLD, "notes.txt": b"notes"})
    with db.transaction():
        first = files.by_number(db.session.get_one(Dataset, dataset_id), 1)
        files.edit(first, {"title": "Counts by gene", "samples": "12"}, actor=INES.account)
    run_until_idle(run_jobs, clock)
    assert states_of(dataset_id) == ["archived", "archived"]
    return dataset_id


def replace(dataset_id: int, n: int = 1, **given) -> int:
    with db.transaction():
        return replacements.replace(
            files.by_number(db.session.get_one(Dataset, dataset_id), n), actor=INES.account, **given
        ).n


def test_what_is_archived_blocks_no_name_and_is_not_touched_by_it(archived, run_jobs):
    """The same README in a second dataset, a resent file: both come, and the archived bytes are another's."""
    old = archived_path(archived)
    sent = send("counts.tsv", NEW)
    run_until_idle(run_jobs, clock)

    assert upload_of("counts.tsv").id == sent.upload_id and upload_of("counts.tsv").state == "received"
    assert states_of(archived) == ["archived", "archived"] and old.read_bytes() == OLD
    with db.transaction():
        second = datasets.create(actor=INES.account, title="Second", files=[{"name": "counts.tsv"}])
    assert files_of(second.id)[0].upload_id == sent.upload_id
    assert files_of(archived)[0].state == "archived" and old.read_bytes() == OLD


def test_new_bytes_in_the_area_are_found_by_the_file_that_is_to_be_replaced(archived, run_jobs):
    sent = send("counts.tsv", NEW)
    n = replace(archived)

    assert files_of(archived)[n - 1].upload_id == sent.upload_id


def test_old_bytes_stay_until_the_new_ones_are_archived(archived, run_jobs):
    old = archived_path(archived)
    assert replace(archived, md5=md5(NEW)) == 3
    run_until_idle(run_jobs, clock)
    assert states_of(archived) == ["archived", "archived", "waiting"]
    assert old.read_bytes() == OLD

    send("counts.tsv", NEW)
    run_until_idle(run_jobs, clock)

    assert states_of(archived) == ["replaced", "archived", "archived"]
    first, _notes, new = files_of(archived)
    assert (new.name, new.title, new.samples, new.replaces_id) == ("counts.tsv", "Counts by gene", 12, None)
    assert first.replaced_by == new.id
    assert archived_path(archived, 3).read_bytes() == NEW
    assert not old.exists()
    assert is_valid_bag(bag_of(archived))
    assert not list(check())


def test_bytes_that_differ_from_their_md5_replace_nothing(archived, run_jobs):
    replace(archived, md5=md5(NEW))
    send("counts.tsv", b"cut on its way")
    run_until_idle(run_jobs, clock)
    assert states_of(archived) == ["archived", "archived", "failed"]
    assert archived_path(archived).read_bytes() == OLD

    send("counts.tsv", NEW)
    run_until_idle(run_jobs, clock)
    assert states_of(archived) == ["replaced", "archived", "archived"]


def test_upload_of_the_old_bytes_says_what_replaced_it(archived, run_jobs):
    old = upload_of("counts.tsv").id
    replace(archived)
    send("counts.tsv", NEW)
    run_until_idle(run_jobs, clock)

    row = db.session.get_one(type(upload_of("counts.tsv")), old)
    assert (row.state, row.replaced_by) == ("obsolete", upload_of("counts.tsv").id)
    assert upload_of("counts.tsv").id != old


def test_what_arrived_under_another_name_takes_the_place(archived, run_jobs):
    send("v2/counts.tsv", NEW)
    replace(archived, name="v2/counts.tsv")
    run_until_idle(run_jobs, clock)

    assert states_of(archived) == ["replaced", "archived", "archived"]
    assert files_of(archived)[2].name == "v2/counts.tsv"


def test_second_replacement_of_one_file_is_refused(archived):
    replace(archived)

    with pytest.raises(errors.Conflict) as refused:
        replace(archived)
    assert (refused.value.message.code, refused.value.message.values) == ("replaced_already", {"n": 3})


def test_replacement_deleted_again_leaves_the_old_file(archived):
    replace(archived)
    with db.transaction():
        dataset = db.session.get_one(Dataset, archived)
        bulk_edit.remove(dataset, [files.by_number(dataset, 3).id], actor=INES.account)

    assert states_of(archived) == ["archived", "archived", "removed"]
    assert replace(archived) == 4


def test_original_deleted_first_makes_the_new_one_a_file_of_its_own(archived, run_jobs):
    replace(archived)
    with db.transaction():
        dataset = db.session.get_one(Dataset, archived)
        bulk_edit.remove(dataset, [files.by_number(dataset, 1).id], actor=INES.account)
    send("counts.tsv", NEW)
    run_until_idle(run_jobs, clock)

    assert states_of(archived) == ["removed", "archived", "archived"]


def test_name_of_another_file_is_refused(archived):
    with pytest.raises(errors.Invalid) as refused:
        replace(archived, name="notes.txt")

    assert refused.value.fields == {"name": "notes.txt is declared already."}


def test_file_that_is_not_archived_keeps_its_number(run_jobs):
    dataset_id = submit({"counts.tsv": OLD}, declared={"counts.tsv": md5(NEW)})
    send("fixed.tsv", NEW)

    assert replace(dataset_id, name="fixed.tsv", md5=md5(NEW)) == 1
    run_until_idle(run_jobs, clock)
    assert states_of(dataset_id) == ["archived"]
    assert files_of(dataset_id)[0].name == "fixed.tsv"


def dataset_of(dataset_id: int) -> Dataset:
    return db.session.get_one(Dataset, dataset_id)


def test_template_names_each_file_once(archived):
    replace(archived)
    replace(archived, n=2, name="notes-2.txt")
    with db.transaction():
        made = datasets.copy(dataset_of(archived), actor=INES.account)

    assert [(file.name, file.title) for file in files_of(made.id)] == [
        ("counts.tsv", "Counts by gene"),
        ("notes-2.txt", ""),
    ]


def test_sheet_taken_home_is_taken_back_and_means_the_new_file(archived):
    replace(archived)
    sheet = spreadsheet.as_tsv(dataset_of(archived))
    assert spreadsheet.compare(dataset_of(archived), sheet).faults == []
    with db.transaction():
        spreadsheet.apply(dataset_of(archived), sheet.replace("Counts by gene", "Right counts"), actor=INES.account)

    assert [file.title for file in files_of(archived)] == ["Counts by gene", "", "Right counts"]


@pytest.mark.parametrize("path", ["counts.tsv", "home/ines/counts.tsv"])
def test_list_of_md5s_means_the_new_file(archived, path):
    replace(archived)
    with db.transaction():
        found = md5_lists.apply(dataset_of(archived), f"{md5(NEW)}  {path}\n", actor=INES.account)

    assert (found.extra, found.missing) == ([], ["notes.txt"])
    assert files_of(archived)[2].declared_md5 == md5(NEW)


def test_browser_sends_the_new_bytes_of_a_file_without_md5(archived, run_jobs):
    """What is archived is not asked to have their MD5."""
    with db.transaction():
        files.edit(files.by_number(dataset_of(archived), 1), {"md5": ""}, actor=INES.account)
    replace(archived)
    receipt = send("counts.tsv", NEW)
    row = Resumable(account_id=INES.id, dataset_id=archived, name="counts.tsv", md5=md5(NEW), described="")
    with db.transaction():
        resumable.finish(row, receipt.upload_id)

    assert [file.declared_md5 for file in files_of(archived)] == [None, md5(b"notes"), md5(NEW)]


def test_same_bytes_under_a_new_number_are_archived_and_leave_one(archived, run_jobs):
    replace(archived)
    send("counts.tsv", OLD)
    run_until_idle(run_jobs, clock)

    assert states_of(archived) == ["replaced", "archived", "archived"]
    assert archived_path(archived, 3).read_bytes() == OLD
    assert is_valid_bag(bag_of(archived)) and not list(check())
