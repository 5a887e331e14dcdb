"""Deposit, verification against the declared MD5, review and release, as verbs."""

import hashlib

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from portal import clock, db, errors, states
from portal.domain.datasets import actions, datasets, releases
from portal.domain.files import diagnosis, file_state, files
from portal.domain.permissions import access
from portal.domain.shared import transitions
from portal.models import Dataset, Event, File, Job, Mail
from tests.state_guard import states_unguarded

FULL = {"title": "Kidney organoids", "description": "Counts.", "species": "Mus musculus", "access": "open"}


def md5(data):
    return hashlib.md5(data).hexdigest()


@pytest.fixture
def deposit(ines):
    def make(*rows, **fields):
        with db.transaction():
            dataset = datasets.create(actor=ines.account, **(FULL | fields), files=list(rows))
        return dataset.id

    return make


def do(dataset_id, action, person, **more):
    with db.transaction():
        actions.act(db.session.get(Dataset, dataset_id), action, actor=person.account, **more)


def standing(dataset_id):
    db.end()
    query = select(File).where(File.dataset_id == dataset_id).order_by(File.n)
    return [(file.name, file.state, file.error) for file in db.session.scalars(query)]


def test_bytes_may_come_before_or_after_they_are_declared(send, deposit):
    send("before.txt", b"b")
    dataset = deposit({"name": "before.txt", "md5": md5(b"b")}, {"name": "after.txt"})

    assert standing(dataset) == [("before.txt", "received", None), ("after.txt", "waiting", None)]
    send("after.txt", b"a")

    assert standing(dataset)[1] == ("after.txt", "received", None)


def test_declared_name_means_the_only_upload_of_that_base_name(send, deposit):
    send("run1/reads.gz", b"1")
    send("run2/other.gz", b"2")
    send("run3/other.gz", b"3")

    dataset = deposit({"name": "reads.gz"}, {"name": "other.gz"})

    assert [state for _name, state, _error in standing(dataset)] == ["received", "waiting"]


def test_exact_path_takes_nothing_from_another_dataset(send, deposit):
    send("wrong/counts.tsv", b"1")
    first = deposit({"name": "fin/counts.tsv"})
    assert standing(first) == [("fin/counts.tsv", "received", None)]

    second = deposit({"name": "wrong/counts.tsv"})

    assert standing(second) == [("wrong/counts.tsv", "waiting", None)]
    assert standing(first) == [("fin/counts.tsv", "received", None)]


def test_exact_path_wins_over_a_base_name_of_the_same_dataset(send, deposit):
    send("wrong/counts.tsv", b"1")
    both = deposit({"name": "fin/counts.tsv"}, {"name": "wrong/counts.tsv"})
    assert [state for _name, state, _error in standing(both)] == ["waiting", "received"]


def test_protected_bytes_never_become_part_of_an_open_dataset(send, deposit):
    send("p.txt", b"p", realm="protected")

    opened = deposit({"name": "p.txt"})
    controlled = deposit({"name": "p.txt"}, access="controlled")

    assert standing(opened) == [("p.txt", "waiting", None)]
    assert standing(controlled) == [("p.txt", "received", None)]


def test_mismatch_is_shown_diagnosed_and_mended_without_a_new_read(send, deposit, ines):
    send("a.txt", b"right")
    dataset = deposit({"name": "a.txt", "md5": md5(b"wrong")})
    assert standing(dataset) == [("a.txt", "failed", "md5_mismatch")]

    with db.transaction():
        files.edit(files.by_number(db.session.get(Dataset, dataset), 1), {"md5": md5(b"right")}, actor=ines.account)

    assert standing(dataset) == [("a.txt", "received", None)]
    kinds = [job.kind for job in db.session.scalars(select(Job))]
    assert "digest" not in kinds and "diagnose" in kinds


def test_mismatch_is_mended_by_sending_again(send, deposit):
    send("a.txt", b"old")
    dataset = deposit({"name": "a.txt", "md5": md5(b"new")})

    send("a.txt", b"new")

    assert standing(dataset) == [("a.txt", "received", None)]


def test_swapped_files_are_named(send, deposit):
    send("one.txt", b"1")
    dataset = deposit({"name": "two.txt", "md5": md5(b"1")}, {"name": "one.txt", "md5": md5(b"2")})

    file = db.session.scalars(select(File).where(File.dataset_id == dataset, File.name == "one.txt")).one()
    finding = diagnosis.quick(file, "md5_mismatch")
    assert (finding.code, finding.values) == ("files_swapped", {"name": "two.txt"})
    assert file.comment == str(finding)


def test_empty_file_is_an_error(send, deposit):
    send("e.txt", b"")
    dataset = deposit({"name": "e.txt"})

    assert standing(dataset) == [("e.txt", "error", "empty_file")]


def test_every_fault_is_told_at_once(ines, database):
    with pytest.raises(errors.Invalid) as refusal, db.transaction():
        datasets.create(actor=ines.account, access="secret", release_date="soon", bioproject="X1")

    assert set(refusal.value.fields) == {"access", "release_date", "bioproject"}


def test_files_are_added_all_or_none(deposit):
    with pytest.raises(errors.Invalid) as refusal:
        deposit({"name": "ok.txt"}, {"name": "ok.txt"}, {"name": "b c"}, {"name": "d.txt", "md5": "abc"})

    assert set(refusal.value.fields) == {"files.1.name", "files.2.name", "files.3.declared_md5"}
    assert db.session.scalars(select(Dataset)).all() == []


def test_submit_names_everything_that_is_missing(deposit, ines):
    dataset = deposit(title="", species="")

    with pytest.raises(errors.Invalid) as refusal:
        do(dataset, "submit", ines)

    assert set(refusal.value.fields) == {"title", "species", "files"}


def test_submit_gives_an_accession_and_owes_the_archive(send, deposit, ines):
    send("a.txt", b"a")
    dataset = deposit({"name": "a.txt"}, {"name": "later.txt"})

    do(dataset, "submit", ines)

    row = db.session.get(Dataset, dataset)
    assert (row.accession, row.state, row.version) == ("OMIX000001", "submitted", 1)
    assert standing(dataset) == [("a.txt", "checking", None), ("later.txt", "waiting", None)]
    assert sorted(job.kind for job in db.session.scalars(select(Job))) == [
        "archive",
        "bag",
        "components",
        "mail",
        "survey",
    ]


def test_accession_is_never_used_twice(deposit, ines):
    first, second = deposit({"name": "a"}), deposit({"name": "b"})
    do(first, "submit", ines)
    do(first, "recall", ines)
    do(first, "submit", ines)
    do(second, "submit", ines)

    assert [db.session.get(Dataset, one).accession for one in (first, second)] == ["OMIX000001", "OMIX000002"]


def test_approval_is_for_the_version_that_was_seen(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    with db.transaction():
        datasets.edit(db.session.get(Dataset, dataset), {"title": "Changed"}, actor=ines.account)

    with pytest.raises(errors.Conflict) as refusal:
        do(dataset, "approve", ruth, version=1)
    do(dataset, "approve", ruth, version=2)

    assert refusal.value.more["version"] == 2
    assert db.session.get(Dataset, dataset).approved_version == 2


def test_only_the_first_of_two_decisions_counts(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)

    with pytest.raises(errors.Conflict):
        do(dataset, "return", ruth, note="Too late.")


def test_return_needs_a_remark_and_mails_it(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)

    with pytest.raises(errors.Invalid):
        do(dataset, "return", ruth, note="  ")
    do(dataset, "return", ruth, note="Name the tissue bank.")

    (mail,) = db.session.scalars(select(Mail).where(Mail.to == ines.email))
    assert "Name the tissue bank." in mail.body


def test_change_of_an_approved_text_goes_back_to_the_curator_a_new_date_does_not(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)
    with db.transaction():
        datasets.edit(db.session.get(Dataset, dataset), {"release_date": "2199-01-01"}, actor=ines.account)
    assert db.session.get(Dataset, dataset).state == "approved"

    with db.transaction():
        datasets.edit(db.session.get(Dataset, dataset), {"title": "Other"}, actor=ines.account)

    assert db.session.get(Dataset, dataset).state == "submitted"


def test_release_waits_for_what_is_missing(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)

    with pytest.raises(errors.NotReady):
        do(dataset, "release", ines)
    with pytest.raises(errors.NotReady) as refusal, db.transaction():
        releases.release(db.session.get(Dataset, dataset))

    assert "1 of 1 files are not archived yet." in refusal.value.more["obstacles"]


def test_only_submitter_and_curators_ask_for_the_release(deposit, ines, colleague, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)

    with pytest.raises(errors.Forbidden) as refused, db.transaction():
        releases.request_release(db.session.get(Dataset, dataset), actor=colleague.account)
    assert refused.value.codes == ["release_by"]
    for person in (ines, ruth):
        with pytest.raises(errors.NotReady), db.transaction():
            releases.request_release(db.session.get(Dataset, dataset), actor=person.account)


def test_due_on_the_first_open_day_of_the_site(deposit, settings, ines, ruth):
    settings.timezone = "Europe/Vienna"
    day = clock.day_of(clock.now() + 3 * clock.DAY, settings.timezone)
    dataset = deposit({"name": "a"}, release_date=day.isoformat())
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)

    clock.shift(clock.midnight(day, settings.timezone) - clock.now() - 5_000)
    before = [one.id for one in releases.due()]
    clock.shift(10_000)

    assert (before, [one.id for one in releases.due()]) == ([], [dataset])


def test_strangers_find_nothing_before_release(deposit, ines, colleague, stranger, ruth):
    dataset = deposit({"name": "a"})
    row = db.session.get(Dataset, dataset)

    for person in (colleague.account, stranger.account, ruth.account, None):
        with pytest.raises(errors.NotFound):
            access.load(dataset, actor=person)
    assert access.load(dataset, actor=ines.account).id == row.id


def test_others_may_not_act(deposit, ines, colleague):
    dataset = deposit({"name": "a"})

    with pytest.raises(errors.Forbidden):
        do(dataset, "submit", colleague)
    with pytest.raises(errors.Forbidden):
        do(dataset, "discard", colleague)


def test_discard_leaves_the_bytes_in_the_area(send, deposit, ines):
    send("a.txt", b"a")
    dataset = deposit({"name": "a.txt"})

    do(dataset, "discard", ines)

    again = deposit({"name": "a.txt"})
    assert standing(again) == [("a.txt", "received", None)]


def test_every_change_has_its_event(deposit, ines, ruth):
    dataset = deposit({"name": "a"})
    do(dataset, "submit", ines)
    do(dataset, "recall", ines)
    do(dataset, "submit", ines)
    do(dataset, "approve", ruth)

    found = list(db.session.scalars(select(Event.action).where(Event.dataset_id == dataset).order_by(Event.id)))
    assert found == ["create", "add_files", "submit", "recall", "submit", "approve"]


def test_history_refuses_to_be_rewritten(deposit):
    deposit({"name": "a"})

    for statement in ("UPDATE event SET note = 'x'", "DELETE FROM event"):
        with pytest.raises(DatabaseError), db.transaction():
            db.session.execute(text(statement))


def test_database_refuses_a_state_that_is_none(deposit):
    deposit({"name": "a"})

    with pytest.raises(DatabaseError), states_unguarded():
        db.session.execute(text("UPDATE dataset SET state = 'famous'"))


def test_thousands_of_files_are_declared_linked_and_submitted(send, deposit, ines):
    send("f/7.txt", b"seven")

    dataset = deposit(*({"name": f"f/{n}.txt", "md5": md5(b"%d" % n)} for n in range(5000)))
    do(dataset, "submit", ines)

    row = db.session.get(Dataset, dataset)
    assert files.count(row) == 5000
    assert files.count(row, states.WAITING) == 4999
    assert files.count(row, states.FAILED) == 1


def test_transition_that_is_not_in_the_table_is_refused(deposit, ines, ruth):
    dataset = deposit({"name": "a"})

    with pytest.raises(errors.Forbidden), db.transaction():
        transitions.advance(db.session.get(Dataset, dataset), "approve", actor=ines.account)
    with pytest.raises(errors.Conflict), db.transaction():
        transitions.advance(db.session.get(Dataset, dataset), "approve", actor=ruth.account)


def test_recompute_state_leaves_archived_files_alone(deposit):
    dataset = deposit({"name": "a"})
    with states_unguarded():
        file = files.by_number(db.session.get(Dataset, dataset), 1)
        file.state = states.ARCHIVED
        file_state.recompute_state(file)

    assert standing(dataset) == [("a", "archived", None)]


def test_human_data_start_controlled_unless_the_access_was_chosen(database, ines):
    def access(**fields) -> str:
        with db.transaction():
            return datasets.create(actor=ines.account, **fields).access

    assert access() == "open" and access(human=False) == "open"
    assert access(human=True) == "controlled"
    assert access(human=True, access="open") == "open"
    with db.transaction():
        plain = datasets.create(actor=ines.account)
        chosen = datasets.create(actor=ines.account, access="open")
        human = {"human": "1", "species": datasets.HUMAN}
        assert datasets.with_preset({"human": "1"}, plain) == human | {"access": "controlled"}
        assert datasets.with_preset({"human": "1"}, chosen) == human
        datasets.edit(plain, {"access": "controlled"}, actor=ines.account)
        datasets.edit(plain, {"access": "open"}, actor=ines.account)
        assert datasets.with_preset({"human": "1"}, plain) == human, "changed back and forth: chosen"


def test_human_data_have_their_species_where_none_is_written(database, ines):
    with db.transaction():
        assert datasets.create(actor=ines.account, human=True, species=" ").species == datasets.HUMAN
        written = datasets.create(actor=ines.account, human=True, species="Mus musculus")
        assert written.species == "Mus musculus" and "species" in datasets.missing(written)
        assert "species" not in datasets.with_preset({"human": "1"}, written)
        assert "species" not in datasets.with_preset({"human": ""}, None)
