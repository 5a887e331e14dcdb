"""What was typed into forms has components too, and their XML follows its edits; so does XML that came from outside."""

import pytest
from lxml import etree
from sqlalchemy import select, update

from portal import db, states
from portal.domain.components import metamd5
from portal.domain.datasets import datasets
from portal.domain.files import accessions, files
from portal.maintenance import fsck
from portal.models import Component, Counter, Dataset
from tests import depositing
from tests.components.test_submissions import component, take
from tests.conftest import INES
from tests.reports import metadata as xml

pytestmark = pytest.mark.usefixtures("receiving")
ODD = 'Counts of <genes> & "proteins" at 37 °C, 漢字'


def components(*where) -> list[Component]:
    db.end()
    return list(db.session.scalars(select(Component).where(Component.status == "", *where).order_by(Component.id)))


def change(dataset_id: int, **fields) -> None:
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), fields, actor=INES.account)


def digests() -> dict[str, str]:
    return {one.accession: one.md5 for one in components()}


def test_form_yields_study_sample_and_an_analysis_a_file(run_jobs):
    dataset_id = depositing.submit({"a.txt": b"a", "run/b.txt": b"b"}, title=ODD, species="Mus musculus")
    run_jobs()
    found = components()
    assert [(one.type, one.accession, one.alias, one.origin, one.state) for one in found] == [
        ("SUBMISSION", "OMIX000001", "OMIX000001", "form", "loaded"),
        ("STUDY", "OMIXP000001", "OMIX000001", "form", "loaded"),
        ("SAMPLE", "OMIXS000001", "OMIX000001", "form", "loaded"),
        ("ANALYSIS", "OMIXZ000001", "OMIX000001-01", "form", "loaded"),
        ("ANALYSIS", "OMIXZ000002", "OMIX000001-02", "form", "loaded"),
    ]
    for one in found:
        assert metamd5.digests(one.xml) == [(one.accession, one.md5)], one.xml
        assert metamd5.canonical(one.xml.decode()) == one.xml
    assert etree.fromstring(found[1].xml).findtext("DESCRIPTOR/STUDY_TITLE") == ODD
    named = etree.fromstring(found[4].xml)
    assert named.find("FILES/FILE").get("filename") == "run/b.txt" and named.find("STUDY_REF").get("accession")
    assert named.find("FILES/FILE").get("checksum") == depositing.md5(b"b")
    assert depositing.get(dataset_id).state == "submitted"


def test_edit_changes_exactly_one_component(run_jobs):
    dataset_id = depositing.submit({"a.txt": b"a", "b.txt": b"b"})
    run_jobs()
    before = digests()
    change(dataset_id, description="Something else entirely.")
    run_jobs()
    assert {name for name, md5 in digests().items() if before[name] != md5} == {"OMIXP000001"}
    with db.transaction():
        files.edit(files.by_number(db.session.get_one(Dataset, dataset_id), 2), {"title": "B"}, actor=INES.account)
    run_jobs()
    assert {name for name, md5 in digests().items() if before[name] != md5} == {"OMIXP000001", "OMIXZ000002"}
    run_jobs()
    assert len(components()) == 5


def test_file_added_and_removed_has_its_analysis_made_and_withdrawn(run_jobs):
    dataset_id = depositing.submit({"a.txt": b"a"})
    run_jobs()
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "later.txt"}], actor=INES.account)
    run_jobs()
    assert {one.accession: one.state for one in components(Component.type != "SUBMISSION")} == {
        "OMIXP000001": "received",
        "OMIXS000001": "received",
        "OMIXZ000001": "loaded",
        "OMIXZ000002": "received",
    }
    depositing.remove_file(dataset_id, 2)
    run_jobs()
    assert [one.accession for one in components(Component.type == "ANALYSIS")] == ["OMIXZ000001"]
    assert {one.state for one in components()} == {states.LOADED}


def test_title_typed_over_xml_is_patched_into_it_and_the_rest_kept(run_jobs):
    study = xml.study().replace(b"</STUDY>", b'<STUDY_ATTRIBUTES x="1"><!-- ours --></STUDY_ATTRIBUTES></STUDY>')
    bare = xml.submission().replace(b"<TITLE>Kidney organoids</TITLE>", b"")
    dataset_id = take(xml.parts(STUDY=study, SUBMISSION=bare)).batch.dataset.id
    run_jobs()
    assert [one.type for one in components()] == ["STUDY", "SAMPLE", "EXPERIMENT", "RUN", "SUBMISSION"]
    before = digests()
    change(dataset_id, title="Typed <anew>", description="A new abstract.")
    run_jobs()
    stored = component("organoids").xml
    assert b"<STUDY_TITLE>Typed &lt;anew&gt;</STUDY_TITLE>" in stored and b"<!-- ours -->" in stored
    assert b"<STUDY_ABSTRACT>A new abstract.</STUDY_ABSTRACT>" in stored
    assert {name for name, md5 in digests().items() if before[name] != md5} == {"OMIXP000001"}
    take({"STUDY": xml.study(title="Sent anew")})
    run_jobs()
    assert depositing.get(dataset_id).title == "Sent anew" and component("organoids").title == "Sent anew"


def test_file_typed_beside_xml_has_an_analysis(run_jobs):
    dataset_id = take().batch.dataset.id
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "extra.txt"}], actor=INES.account)
    run_jobs()
    extra = components(Component.origin == "form")
    assert [(one.type, one.alias) for one in extra] == [("ANALYSIS", "OMIX000001-02")]
    assert b'<STUDY_REF accession="OMIXP000001"/><SAMPLE_REF accession="OMIXS000001"/>' in extra[0].xml


def test_accessions_are_not_used_twice_after_a_restored_backup(run_jobs):
    depositing.submit({"a.txt": b"a"})
    run_jobs()
    with db.transaction():
        db.change(update(Counter).where(Counter.name.startswith("OMIX")).values(next=1))  # as an older copy has it
        accessions.raise_to_high_water()
        assert [accessions.block(f"OMIX{letter}", 1) for letter in ("", "P", "S", "Z", "X")] == [
            ["OMIX000002"],
            ["OMIXP000002"],
            ["OMIXS000002"],
            ["OMIXZ000002"],
            ["OMIXX000001"],
        ]


def test_deep_check_finds_a_text_that_changed_behind_its_digest(run_jobs):
    depositing.submit({"a.txt": b"a"})
    run_jobs()
    assert list(fsck.check(deep=True)) == []
    with db.transaction():
        db.change(update(Component).where(Component.type == "SAMPLE").values(xml=b"<SAMPLE/>"))
    assert list(fsck.check(deep=True)) == ["component OMIXS000001: its XML is not what its MD5 was made of"]
