"""The round trip of a LIMS, by nothing but calls: XML and files in either order, events polled, everything fetched back
and compared; then one sample changes, and the next day tells of exactly that."""

import hashlib
import tarfile
from io import BytesIO

import pytest
from lxml import etree

from portal import clock
from tests.conftest import INES
from tests.reports import metadata as xml
from tests.reports.reading import ACCESSIONS, FILES, table
from tests.reports.test_reports import night
from tests.web.api.test_api import Program
from tests.web.api.test_submit import post, receipt

__all__ = ["night"]
pytestmark = pytest.mark.usefixtures("receiving")
READS = b"reads of the first run"
SENT = xml.parts(RUN=xml.runs(xml.run("r1", files={"run1/r1.fastq.gz": READS})))


class Poller:
    """Follows the feed of events by the number of the last one it saw."""

    def __init__(self, call) -> None:
        self.call, self.last = call, 0

    def news(self) -> list[dict]:
        found: list[dict] = []
        while items := self.call("GET", f"/events?since={self.last}&limit=50").json["items"]:
            assert [one["id"] for one in items] == sorted({one["id"] for one in items}) and items[0]["id"] > self.last
            found, self.last = found + items, items[-1]["id"]
        return found


def plain(document: bytes) -> bytes:
    """An object without what the archive added to it."""
    root = etree.fromstring(document, etree.XMLParser(remove_blank_text=True))
    for element in root.iter():
        element.attrib.pop("accession", None)
    root.attrib.pop("center_name", None)
    return etree.tostring(root, method="c14n")


def sent_objects() -> dict[str, bytes]:
    """What was sent, object by object, by kind."""
    roots = [etree.fromstring(data) for name, data in SENT.items() if name != "SUBMISSION"]
    return {
        one.tag: etree.tostring(one, with_tail=False)
        for root in roots
        for one in (root if root.tag.endswith("_SET") else [root])
    }


@pytest.mark.parametrize("files_first", [True, False])
def test_what_is_fetched_back_differs_in_nothing_and_then_in_one_sample(app, night, run_jobs, files_first):
    program = Program(app, INES)

    def call(method: str, path: str, **more):
        return program(method, path, buffered=True, **more)

    poller = Poller(call)
    steps = [lambda: call("PUT", "/uploads/open/run1/r1.fastq.gz", data=READS), lambda: post(app.test_client(), SENT)]
    answers = [step() for step in (steps if files_first else reversed(steps))]
    told = receipt(answers[1] if files_first else answers[0])
    accessions = {one.tag: one.get("accession") for one in told if one.get("accession") and one.tag in sent_objects()}
    assert set(accessions) == {"STUDY", "SAMPLE", "EXPERIMENT", "RUN"}

    for _turn in range(4):
        run_jobs()
        clock.shift(clock.MINUTE)
    actions = [event["action"] for event in poller.news()]
    assert {"receive", "submit", "archive"} <= set(actions) and poller.news() == []

    report = table(call("GET", "/reports/accessions").get_data(as_text=True), ACCESSIONS)
    digests = {row["accession"]: row["md5sum"] for row in report}
    for kind, original in sent_objects().items():
        fetched = call("GET", f"/components/{accessions[kind]}.xml").data
        assert hashlib.md5(fetched).hexdigest() == digests[accessions[kind]]
        assert plain(fetched) == plain(original)
    (file,) = table(call("GET", "/reports/files").get_data(as_text=True), FILES)
    assert (file["file_md5sum"], file["file_status"], file["loaded_runs"]) == (
        hashlib.md5(READS).hexdigest(),
        "Loaded",
        accessions["RUN"],
    )

    kept = call("GET", "/reports/accessions").data
    night("2031-03-21")
    assert call("POST", "/reports/changed", data=kept, content_type="application/octet-stream").json["items"] == []
    receipt(post(app.test_client(), {"SAMPLE": xml.samples(xml.sample(title="Organoid one"))}))
    (name,) = [name for name in night("2031-03-22") if "Metadata" in name]
    with tarfile.open(fileobj=BytesIO(call("GET", f"/reports/metadata/{name}").data)) as tar:
        documents = [one.name for one in tar if one.name.endswith(".xml")]
    assert len(documents) == 1 and documents[0].endswith(".sample.xml")
    (difference,) = call("POST", "/reports/changed", data=kept, content_type="application/octet-stream").json["items"]
    assert (difference["accession"], difference["change"]) == (accessions["SAMPLE"], "changed")
    assert len([event for event in poller.news() if event["action"] == "components"]) == 1
