"""Metadata in bulk: what loads, what stays red and why, updates, references, files before and after."""

from random import Random
from threading import Barrier, Thread

import pytest
from lxml import etree
from sqlalchemy import event, func, select

from portal import clock, db, errors, states
from portal.domain.accounts import editors
from portal.domain.components import metamd5, submissions
from portal.domain.components.submission_batch import Document
from portal.domain.datasets import actions, discard, reviews
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.reports import accessions
from portal.domain.uploads import replacements
from portal.models import Component, Dataset
from tests import depositing
from tests.components.documents import Writer
from tests.components.test_metamd5 import by_md5sum, by_xmllint, well_formed
from tests.conftest import COLLEAGUE, INES, RUTH, STRANGER
from tests.counting import statements
from tests.plugins.clients import needs
from tests.reports import metadata as xml


def take(parts: dict[str, bytes] | None = None, *, person=INES, **more):
    documents = [Document(f"{name.lower()}.xml", data) for name, data in (parts or xml.parts()).items()]
    return submissions.take(documents, actor=person.account, via="api", **more)


def component(alias: str, kind: str = "") -> Component:
    db.end()
    query = select(Component).where(Component.alias == alias, Component.status != "withdrawn")
    return db.session.scalars(query.where(Component.type == kind) if kind else query).one()


def count(*where) -> int:
    db.end()
    return db.session.scalar(select(func.count()).select_from(Component).where(*where)) or 0


def receipt(outcome) -> etree._Element:
    return etree.fromstring(outcome.receipt)


def reasons(outcome) -> list:
    """Why each object that was not loaded was not, in the order of the RECEIPT."""
    return [item.reason for item in outcome.batch.sent_items if not item.is_good]


pytestmark = pytest.mark.usefixtures("receiving")


def test_delivery_becomes_a_submitted_dataset_with_components():
    outcome = take()
    told = receipt(outcome)
    assert told.get("success") == "true", outcome.receipt
    assert {one.tag: one.get("accession") for one in told if one.get("accession")} == {
        "STUDY": "OMIXP000001",
        "SAMPLE": "OMIXS000001",
        "EXPERIMENT": "OMIXX000001",
        "RUN": "OMIXR000001",
        "SUBMISSION": "OMIX000001",
    }
    dataset = depositing.get(outcome.batch.dataset.id)
    assert (dataset.title, dataset.species, dataset.state, dataset.release_date) == (
        "Kidney organoids",
        "Mus musculus",
        "submitted",
        "2027-03-01",
    )
    assert [(file.name, file.state) for file in depositing.files_of(dataset.id)] == [("r1.fastq.gz", "waiting")]


def test_stored_text_is_annotated_canonical_and_digested():
    take()
    stored = component("x1")
    assert metamd5.digests(stored.xml) == [(stored.accession, stored.md5)]
    assert b'accession="OMIXX000001"' in stored.xml and b'center_name="Northmere Institute"' in stored.xml
    assert b'<STUDY_REF refname="organoids" accession="OMIXP000001"/>' in stored.xml
    assert component("batch-1", "SUBMISSION").accession == "OMIX000001"


def test_same_alias_again_is_an_update_never_a_twin():
    first = take()
    before = component("s1").md5
    same = take()
    assert same.batch.dataset.id == first.batch.dataset.id and component("s1").md5 == before
    changed = take({"SAMPLE": xml.samples(xml.sample(title="Organoid one"))})
    assert receipt(changed).find("SAMPLE").get("accession") == "OMIXS000001"
    assert component("s1").md5 != before and component("s1").title == "Organoid one"
    assert count() == 5 and db.session.scalar(select(func.count()).select_from(Dataset)) == 1


def test_bad_object_is_red_with_its_reason_and_the_rest_green(run_jobs):
    names = [f"r{n}" for n in range(1000)]
    bad = xml.run("r500", digest="abc")
    runs = xml.runs(*(bad if name == "r500" else xml.run(name) for name in names))
    for name in names[:3]:
        depositing.send(f"{name}.fastq.gz", name.encode())
    with statements() as heard:
        outcome = take(xml.parts(RUN=runs))
    assert len(heard) < 200, "a thousand objects, and no statement for each"
    red = component("r500")
    assert (red.state, red.accession) == (states.ERROR, None)
    (reason,) = reasons(outcome)
    assert (reason.code, reason.values["name"]) == ("file_of_object_faulty", "r500.fastq.gz")
    assert red.comment == str(reason) and "An MD5 has 32 characters" in red.comment
    told = receipt(outcome)
    assert told.get("success") == "false" and len(told.findall("RUN[@accession]")) == 999
    assert [one.text for one in told.iter("ERROR")] == [f"RUN “r500”: {red.comment}"]
    run_jobs()
    assert component("r0").state == component("r2").state == states.LOADED
    assert component("r3").state == states.RECEIVED


def test_mended_object_turns_from_red_and_what_waited_for_it_follows():
    missing, waiting = reasons(take(xml.parts(EXPERIMENT=xml.experiments(xml.experiment(study="typo")))))
    assert (missing.code, missing.values["reference"].values) == (
        "reference_not_here",
        {"type": "STUDY", "alias": "typo"},
    )
    assert (waiting.code, waiting.values["reference"].values) == (
        "reference_not_loaded",
        {"type": "EXPERIMENT", "alias": "x1"},
    )
    assert (component("x1").comment, component("r1").comment) == (str(missing), str(waiting))
    outcome = take({"EXPERIMENT": xml.experiments()})
    assert outcome.success and component("x1").state == component("r1").state == states.RECEIVED
    assert [one.text for one in receipt(outcome).iter("INFO")] == ["1 objects that waited have loaded too: OMIXR000001"]
    assert [file.name for file in depositing.files_of(outcome.batch.dataset.id)] == ["r1.fastq.gz"]


@pytest.mark.parametrize("order", [("STUDY", "SAMPLE", "EXPERIMENT", "RUN"), ("RUN", "EXPERIMENT", "SAMPLE", "STUDY")])
def test_objects_sent_one_by_one_meet(order):
    """One component a delivery, in whichever order: in the end all are loaded, in as few datasets as can be."""
    found = [take({kind: xml.parts()[kind]}).batch.dataset.id for kind in order]
    assert count(Component.state == states.ERROR) == 0
    assert count(Component.type != "SUBMISSION") == 4
    assert len(set(found)) == (2 if order[0] == "STUDY" else 1)


def test_delivery_without_kin_makes_a_dataset_of_its_own():
    take(xml.parts(EXPERIMENT=xml.experiments(xml.experiment(study="typo")), SUBMISSION=b""))
    other = take({"STUDY": xml.study("another")})
    assert component("another").dataset_id == other.batch.dataset.id != component("x1").dataset_id


def test_validate_stores_nothing():
    outcome = take(xml.parts(SUBMISSION=xml.submission(action="VALIDATE"), RUN=xml.runs(xml.run(digest="abc"))))
    told = receipt(outcome)
    assert told.get("success") == "false" and "VALIDATE: nothing was stored." in [one.text for one in told.iter("INFO")]
    assert not [one for one in told if one.get("accession")]
    assert count() == 0 and db.session.scalar(select(func.count()).select_from(Dataset)) == 0


def test_modify_of_what_is_not_here_is_red_and_add_mends_it():
    outcome = take({"STUDY": xml.study()}, action="MODIFY")
    assert [(reason.code, reason.values) for reason in reasons(outcome)] == [("nothing_to_modify", {"type": "STUDY"})]
    assert component("organoids").state == states.ERROR
    assert take({"STUDY": xml.study()}).success and component("organoids").accession == "OMIXP000001"


def test_failed_update_keeps_the_version_that_loaded():
    take()
    good = component("r1").md5
    take({"RUN": xml.runs(xml.run(digest="abc"))})
    red = component("r1")
    assert (red.state, red.md5, red.accession) == (states.ERROR, good, "OMIXR000001")
    assert take({"RUN": xml.runs()}).success
    assert (component("r1").state, component("r1").comment, component("r1").md5) == (states.RECEIVED, "", good)


def test_references_by_accession_and_by_name_and_center():
    take()
    by_accession = (
        b'<EXPERIMENT alias="x2"><STUDY_REF accession="OMIXP000001"/><DESIGN><SAMPLE_DESCRIPTOR>'
        b"<IDENTIFIERS><PRIMARY_ID>OMIXS000001</PRIMARY_ID></IDENTIFIERS></SAMPLE_DESCRIPTOR></DESIGN></EXPERIMENT>"
    )
    assert take({"EXPERIMENT": by_accession}).success
    named = b'STUDY_REF refname="organoids" refcenter="Northmere Institute"'
    by_center = by_accession.replace(b'"x2"', b'"x3"').replace(b'STUDY_REF accession="OMIXP000001"', named)
    assert take({"EXPERIMENT": by_center}).success
    assert b'refcenter="Northmere Institute" accession="OMIXP000001"' in component("x3").xml


def test_what_another_center_did_not_release_is_not_known():
    take()
    theirs = b'<ANALYSIS alias="z"><STUDY_REF accession="OMIXP000001"/></ANALYSIS>'
    outcome = take({"ANALYSIS": theirs}, person=STRANGER)
    (reason,) = reasons(outcome)
    assert reason.code == "reference_not_here"
    assert reason.values["reference"].values == {"type": "STUDY", "accession": "OMIXP000001"}
    taken_over = take({"STUDY": b'<STUDY accession="OMIXP000001" alias="organoids"/>'}, person=STRANGER)
    (reason,) = reasons(taken_over)
    assert (reason.code, reason.values) == ("object_unknown", {"type": "STUDY", "accession": "OMIXP000001"})
    colleague = take({"STUDY": xml.study(title="Mine now")}, person=COLLEAGUE)
    assert [reason.code for reason in reasons(colleague)] == ["object_of_colleague"]
    assert "belongs to a dataset of a colleague" in colleague.receipt.decode()
    assert component("organoids").title == "Kidney organoids over 28 days"


def test_co_submitter_of_the_same_center_changes_objects_and_submits_nothing():
    dataset = take().batch.dataset
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset.id)
        for person in (COLLEAGUE, STRANGER):
            editor = editors.invite(dataset, person.email, actor=INES.account)
            editors.answer(editor.id, accept=True, actor=person.account)
        actions.act(dataset, "recall", actor=INES.account)
    outcome = take({"STUDY": xml.study(title="Ours now")}, person=COLLEAGUE)
    assert outcome.success and component("organoids").title == "Ours now"
    assert depositing.get(dataset.id).state == states.RETURNED
    assert [info.code for info in outcome.batch.infos] == ["owner_submits"]
    other_center = take({"STUDY": b'<STUDY accession="OMIXP000001" alias="organoids"/>'}, person=STRANGER)
    assert [reason.code for reason in reasons(other_center)] == ["object_unknown"]


def test_submission_of_a_colleague_loads_nothing():
    """Without it nobody knows where its objects belong, so none of them is taken."""
    take()
    parts = xml.parts(STUDY=xml.study("mine"), SAMPLE=b"", EXPERIMENT=b"", RUN=b"")
    outcome = take({name: data for name, data in parts.items() if data}, person=COLLEAGUE)
    (fault,) = outcome.batch.faults
    assert (fault.code, fault.values["reason"].code) == ("object_refused", "object_of_colleague")
    assert fault.values["object"].values == {"type": "SUBMISSION", "alias": "batch-1"}
    assert [error.text for error in receipt(outcome).iter("ERROR")] == [
        "SUBMISSION “batch-1”: It belongs to a dataset of a colleague; only its submitter may change it."
    ]
    assert not outcome.success and count(Component.alias == "mine") == 0


def test_files_sent_before_and_after_link(run_jobs):
    depositing.send("run7/r1.fastq.gz", b"r1")
    outcome = take(xml.parts(RUN=xml.runs(xml.run("r1", files={"r1.fastq.gz": b"r1"}), xml.run("r2"))))
    run_jobs()
    assert component("r1").state == states.LOADED and component("r2").state == states.RECEIVED
    assert component("x1").state == component("organoids").state == states.RECEIVED
    depositing.send("r2.fastq.gz", b"r2")
    run_jobs()
    assert depositing.states_of(outcome.batch.dataset.id) == ["archived", "archived"]
    assert count(Component.state == states.LOADED) == 6


def test_run_that_names_other_files_lets_go_of_the_old():
    dataset = take().batch.dataset
    take({"RUN": xml.runs(xml.run("r1", files={"b.bam": b"b", "c.bam": b"c"}))})
    assert [(file.name, file.state) for file in depositing.files_of(dataset.id)] == [
        ("r1.fastq.gz", "removed"),
        ("b.bam", "waiting"),
        ("c.bam", "waiting"),
    ]
    take({"RUN": xml.runs(xml.run("r1", files={"b.bam": b"other", "c.bam": b"c"}))})
    mended = {file.name: file.declared_md5 for file in depositing.files_of(dataset.id)}
    assert mended["b.bam"] == depositing.md5(b"other")


def test_change_of_metadata_is_a_change_of_its_dataset():
    dataset_id = take().batch.dataset.id
    depositing.approve(dataset_id)
    take({"STUDY": xml.study(title="A better title")})
    dataset = depositing.get(dataset_id)
    assert (dataset.title, dataset.state) == ("A better title", "submitted") and dataset.version > 1


def test_targets_are_held_released_cancelled_and_suppressed():
    dataset_id = take().batch.dataset.id
    order = (
        '<SUBMISSION><ACTIONS><ACTION><HOLD target="OMIX000001" HoldUntilDate="2028-05-04"/></ACTION>'
        '<ACTION><SUPPRESS target="OMIXS000001"/></ACTION><ACTION><CANCEL target="OMIXX000001"/></ACTION>'
        '<ACTION><CANCEL target="OMIXS999999"/></ACTION></ACTIONS></SUBMISSION>'
    )
    outcome = take({"SUBMISSION": order.encode()})
    never_public, unknown = outcome.batch.faults
    assert (never_public.code, never_public.values["action"], never_public.values["target"]) == (
        "target_refused",
        "SUPPRESS",
        "OMIXS000001",
    )
    assert (never_public.values["reason"].code, unknown.values["reason"].code) == (
        "object_never_public",
        "no_such_object",
    )
    assert unknown.values["target"] == "OMIXS999999"
    wrong = [error.text for error in receipt(outcome).iter("ERROR")]
    assert wrong[0] == "SUPPRESS OMIXS000001: It was never public. Use CANCEL." and len(wrong) == 2
    assert depositing.get(dataset_id).release_date == "2028-05-04"
    assert count(Component.status == "withdrawn") == 2  # the EXPERIMENT and the RUN that refers to it
    assert [file.state for file in depositing.files_of(dataset_id)] == ["removed"]
    assert take({"EXPERIMENT": xml.experiments()}).success and component("x1").accession == "OMIXX000002"


def test_cancel_of_what_has_no_files_of_its_own_and_cancel_again_are_answered():
    take()
    order = (
        '<SUBMISSION><ACTIONS><ACTION><CANCEL target="OMIXR000001"/></ACTION>'
        '<ACTION><CANCEL target="OMIXS000001"/></ACTION></ACTIONS></SUBMISSION>'
    )
    for _again in range(2):
        told = receipt(take({"SUBMISSION": order.encode()}))
        assert [one.get("status") for one in told.iter("TARGET")] == ["CANCELLED", "CANCELLED"]
    assert count(Component.status == "withdrawn") == 3  # the RUN, and the SAMPLE with its EXPERIMENT


def test_hundred_thousand_objects_need_no_loop_of_statements():
    """The number of statements does not grow with the number of objects, only with portions of them."""
    counted = []
    engine = db.engine()
    event.listen(engine, "before_cursor_execute", lambda *words: counted.append(words[2]))
    take({"SAMPLE": xml.samples(*(xml.sample(f"a{n}") for n in range(10)))})
    few = len(counted)
    counted.clear()
    take({"SAMPLE": xml.samples(*(xml.sample(f"b{n}") for n in range(2000)))})
    assert len(counted) <= few + 4


def test_large_delivery_is_written_in_portions(monkeypatch):
    """Whatever its size, nobody waits long for the write lock, and the outcome is that of one piece."""
    monkeypatch.setattr(submissions, "PORTION", 3)
    runs = xml.runs(*(xml.run(f"r{n}", digest="no" if n == 4 else "") for n in range(10)))
    outcome = take(xml.parts(RUN=runs))
    assert len(receipt(outcome).findall("RUN[@accession]")) == 9
    assert count(Component.state == states.ERROR) == 1 and count() == 14
    assert len(depositing.files_of(outcome.batch.dataset.id)) == 9
    assert depositing.get(outcome.batch.dataset.id).state == "submitted"


def test_draft_of_red_objects_can_be_discarded():
    dataset_id = take({"RUN": xml.runs(xml.run(experiment="nowhere"))}).batch.dataset.id
    with db.transaction():
        discard.discard(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    assert count() == 0 and db.session.scalar(select(func.count()).select_from(Dataset)) == 0
    assert take().success


def test_draft_with_an_accession_is_nobody_elses_matter_and_can_be_discarded():
    """Objects without a file are not submitted: no line of the Accessions report, no curator sees them."""
    outcome = take({"STUDY": xml.study(), "SAMPLE": xml.samples(xml.sample())})
    (info,), dataset = outcome.batch.infos, outcome.batch.dataset
    assert (info.code, info.values["dataset"]) == ("not_submitted_yet", "OMIX000001")
    assert (dataset.state, dataset.accession, dataset.first_submitted_at) == ("draft", "OMIX000001", None)
    assert list(accessions.lines(INES.account.center_id)) == []
    assert not access.may_see(dataset, RUTH.account) and access.may_see(dataset, INES.account)
    with pytest.raises(errors.NotFound):
        access.load("OMIX000001", actor=RUTH.account)
    with db.transaction():
        actions.act(db.session.get_one(Dataset, dataset.id), "discard", actor=INES.account)
    assert count() == 0
    take()
    assert "OMIX000002" in {line.accession for line in accessions.lines(INES.account.center_id)}


def test_receipt_names_no_alias_that_nobody_gave():
    told = receipt(take({"STUDY": xml.study()}))
    assert dict(told.find("SUBMISSION").attrib) == {"accession": "OMIX000001"}


def test_draft_to_which_others_refer_is_not_discarded():
    take({"STUDY": xml.study(), "SAMPLE": xml.samples(xml.sample())})
    other = b'<ANALYSIS_SET><ANALYSIS alias="z"><STUDY_REF accession="OMIXP000001"/></ANALYSIS></ANALYSIS_SET>'
    take({"SUBMISSION": b'<SUBMISSION alias="another"/>', "ANALYSIS": other})
    with pytest.raises(errors.Conflict) as refused, db.transaction():
        actions.act(db.session.get_one(Dataset, 1), "discard", actor=INES.account)
    assert "refers to it" in refused.value.sentence
    assert depositing.get(1).state == "draft"


def test_returned_dataset_is_handed_in_again_only_once_mended():
    dataset_id = take().batch.dataset.id
    with db.transaction():
        reviews.return_(db.session.get_one(Dataset, dataset_id), note="Name the strain.", actor=RUTH.account)
    take()
    assert depositing.get(dataset_id).state == "returned"
    take({"SAMPLE": xml.samples(xml.sample(title="Organoid 1, strain C57BL/6J"))})
    assert depositing.get(dataset_id).state == "submitted"


def test_two_deliveries_of_the_same_names_at_once_make_no_twin():
    parts = xml.parts(RUN=xml.runs(*(xml.run(f"r{n}") for n in range(50))))
    gate, outcomes = Barrier(3), []

    def deliver() -> None:
        try:
            gate.wait()
            outcomes.append(take(parts))
        finally:
            db.end()

    threads = [Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.success for outcome in outcomes] == [True] * 3
    assert count() == 54 and len({outcome.batch.dataset.id for outcome in outcomes}) == 1
    assert len({outcome.receipt.count(b"OMIXR0000") for outcome in outcomes}) == 1


def test_whatever_is_sent_is_answered_by_a_receipt():
    """Documents with a few bytes changed, dropped or doubled: always a RECEIPT, never a fault of ours."""
    chance = Random(7)
    whole = list(xml.parts().items())
    for _ in range(150):
        name, data = chance.choice(whole)
        text = bytearray(data)
        for _change in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            piece = text[at : at + chance.randint(1, 30)]
            text[at : at + len(piece)] = chance.choice(
                (b"", piece * 2, bytes([chance.randrange(256)]), b"<", b"&x;", b'"')
            )
        outcome = take({name: bytes(text)})
        assert receipt(outcome).tag == "RECEIPT"
        assert outcome.success or receipt(outcome).findtext("MESSAGES/ERROR")


@needs("xmllint", "md5sum")
def test_stored_digest_is_that_of_xmllint_whatever_was_sent(tmp_path):
    """Odd but well-formed objects, in a set: what is stored and served is its own canonical form."""
    writer, sent = Writer(11), []
    while len(sent) < 300:
        text = writer.document()
        if well_formed(text):
            sent.append(text.replace(b' accession="OMIXS000001"', b' alias="s%d"' % len(sent)))
    whole = b'<SAMPLE_SET xmlns:o="urn:o">' + b"\n".join(sent) + b"</SAMPLE_SET>"
    outcome = take({"SAMPLE": whole})
    assert len(outcome.batch.good) > 290, outcome.receipt[:2000]
    rows = list(
        db.session.execute(
            select(Component.xml, Component.md5).where(Component.type == "SAMPLE", Component.md5.is_not(None))
        )
    )
    canonical = by_xmllint(tmp_path, [row.xml for row in rows])
    assert canonical == [row.xml for row in rows]
    assert by_md5sum(tmp_path, canonical) == [row.md5 for row in rows]


def test_object_that_names_the_new_bytes_of_a_replaced_file_keeps_the_old_until_they_are_archived(run_jobs):
    made = take().batch.dataset.id
    depositing.send("r1.fastq.gz", b"r1")
    depositing.run_until_idle(run_jobs, clock)
    assert depositing.states_of(made) == ["archived"]
    with db.transaction():
        first = files.by_number(db.session.get_one(Dataset, made), 1)
        replacements.replace(first, actor=INES.account)

    anew = {"RUN": xml.runs(xml.run(files={"r1.fastq.gz": b"right"}))}
    assert receipt(take(anew, action="MODIFY")).get("success") == "true"
    assert depositing.states_of(made) == ["archived", "waiting"]
    depositing.send("r1.fastq.gz", b"right")
    depositing.run_until_idle(run_jobs, clock)

    assert depositing.states_of(made) == ["replaced", "archived"]
    assert depositing.files_of(made)[1].declared_md5 == depositing.md5(b"right")
    assert component("r1", "RUN").state == "loaded"
