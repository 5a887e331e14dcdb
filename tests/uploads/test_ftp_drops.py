"""XML dropped by FTP: read folder by folder, once, in whichever order it came; data that is XML stays data."""

import pytest
from lxml import etree
from sqlalchemy import func, select

from portal import clock, db, storage
from portal.domain.datasets import datasets
from portal.ingest import upload_session
from portal.models import Component, Delivery, Upload
from tests import depositing
from tests.conftest import INES
from tests.reports import metadata as xml

pytestmark = pytest.mark.usefixtures("receiving")


def drop(name: str, data: bytes, realm: str = "open") -> None:
    session = upload_session.open(INES.id, realm=realm, area="incoming", name=name, via="ftp")
    session.write(data)
    session.finish()


def rest(run_jobs) -> None:
    """Nothing arrives for a while."""
    clock.shift(20_000)
    run_jobs()


def count(model) -> int:
    db.end()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def names() -> list[str]:
    db.end()
    return list(db.session.scalars(select(Upload.name).order_by(Upload.id)))


def test_folder_is_read_together_and_answered_beside(run_jobs):
    for kind, data in reversed(xml.parts().items()):
        drop(f"batch/{kind.lower()}.xml", data)
    drop("batch/r1.fastq.gz", b"r1")
    run_jobs()
    assert count(Component) == 0  # more may be on its way
    rest(run_jobs)
    assert count(Component) == 5 and names()[-1] == "batch/receipt-1.xml"
    upload = depositing.upload_of("batch/receipt-1.xml")
    receipt = etree.parse(storage.area_path(upload.realm, upload.account_id, upload.token)).getroot()
    assert receipt.get("success") == "true" and receipt.find("RUN").get("accession") == "OMIXR000001"
    rest(run_jobs)
    assert depositing.states_of(1) == ["archived"]
    assert count(Delivery) == 1


def test_mended_file_is_read_again_alone(run_jobs):
    drop("submission.xml", b"<SUBMISSION_SET/>")
    drop("study.xml", xml.study())
    drop("run.xml", xml.runs())
    rest(run_jobs)
    drop("study.xml", xml.study(title="Better"))
    rest(run_jobs)
    assert [one for one in names() if one.startswith("receipt")] == ["receipt-1.xml", "receipt-2.xml"]
    db.end()
    assert db.session.scalar(select(Component.title).where(Component.type == "STUDY")) == "Better"
    drop("study.xml", xml.study(title="Better"))  # the same bytes
    rest(run_jobs)
    assert count(Delivery) == 2


def test_data_that_is_xml_stays_data(run_jobs):
    with db.transaction():
        datasets.create(actor=INES.account, title="T", files=[{"name": "cells/samples.xml"}])
    drop("cells/samples.xml", xml.samples())
    drop("page.xml", b"<html/>")
    drop("broken.xml", b"<STUDY")
    rest(run_jobs)
    assert count(Component) == count(Delivery) == 0


def test_validate_is_answered_once(run_jobs):
    for kind, data in xml.parts(SUBMISSION=xml.submission(action="VALIDATE")).items():
        drop(f"{kind.lower()}.xml", data)
    rest(run_jobs)
    drop("r9.xml", xml.runs(xml.run("r9")))
    rest(run_jobs)
    assert count(Delivery) == 2 and [one for one in names() if "receipt" in one] == ["receipt-1.xml", "receipt-2.xml"]


def test_what_is_dropped_in_the_protected_realm_is_controlled(run_jobs):
    for kind, data in xml.parts().items():
        drop(f"{kind.lower()}.xml", data, realm="protected")
    drop("r1.fastq.gz", b"r1", realm="protected")
    rest(run_jobs)
    rest(run_jobs)
    assert (depositing.get(1).access, depositing.get(1).realm, depositing.states_of(1)) == (
        "controlled",
        "protected",
        ["archived"],
    )
