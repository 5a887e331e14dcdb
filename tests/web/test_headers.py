"""What was sent by somebody runs in nobody's browser, and is kept by no cache that it does not belong in."""

import pytest

from tests.conftest import INES

FRAMED = (
    b"<SAMPLE_SET><SAMPLE alias='s1'><TITLE>Sample</TITLE><SAMPLE_NAME><TAXON_ID>7955</TAXON_ID></SAMPLE_NAME>"
    b"<x:iframe xmlns:x='http://www.w3.org/1999/xhtml' srcdoc='&lt;script src=/static/htmx.js>&lt;/script>'/>"
    b"</SAMPLE></SAMPLE_SET>"
)


@pytest.fixture
def sample(client) -> str:
    """The address of a component that is a page in disguise."""
    receipt = client.post("/api/v1/submit", data=FRAMED, headers=INES.bearer())
    assert receipt.status_code == 200 and 'success="true"' in receipt.text
    return "/api/v1/components/OMIXS000001.xml"


def test_xml_that_holds_a_page_is_nobodys_page(sample, sign_in):
    browser = sign_in(INES)
    answer = browser.get(sample)
    assert answer.status_code == 200 and b"iframe" in answer.data
    for one in (answer, browser.get(sample, headers={"If-None-Match": answer.headers["ETag"]})):
        assert one.headers["Content-Security-Policy"].startswith("sandbox;")
        assert one.headers["Content-Disposition"] == 'attachment; filename="OMIXS000001.xml"'
    assert one.status_code == 304


def test_worker_among_the_static_files_may_load_its_own(client):
    answer = client.get("/static/md5-worker.js", buffered=True)
    assert answer.status_code == 200 and "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_report_of_ones_center_is_kept_by_no_cache(sign_in, client):
    for reader, headers in ((sign_in(INES), {}), (client, INES.bearer())):
        answer = reader.get("/api/v1/reports/metadata", headers=headers, buffered=True)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
