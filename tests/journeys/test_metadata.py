"""Metadata in a real browser: XML is looked at, mended in place, loaded, and turns green while one looks on. And by a
real FTP client: dropped beside its data, answered beside it."""

import ftplib
import io

import pytest

from tests.chromium import chromium, expect, is_same, look, mark
from tests.plugins.clients import needs
from tests.reports import metadata as xml
from tests.waiting import until

pytestmark = pytest.mark.full

INES, PASSWORD = "ines.metadata@example.org", "correct horse"


@pytest.fixture(scope="module")
def live(portal):
    portal.token = portal.add(INES)
    return portal


@needs("chromium")
def test_xml_is_mended_loaded_and_turns_green(live):
    parts = xml.parts(RUN=xml.runs(xml.run("r1"), xml.run("r2", digest="zz")))
    chosen = [{"name": f"{name.lower()}.xml", "mimeType": "text/xml", "buffer": data} for name, data in parts.items()]
    with chromium(live.web) as browser:
        page = browser.sign_in(INES, PASSWORD)
        page.goto("/deposit")
        page.get_by_role("link", name="Metadata as XML").click()
        look(page)
        page.get_by_label("XML files").set_input_files(chosen)
        page.get_by_role("button", name="Show what it means").click()
        expect(page.get_by_text("An MD5 has 32 characters")).to_be_visible()
        look(page)
        told = page.get_by_label("run.xml")
        told.fill(told.input_value().replace('"zz"', f'"{"0" * 32}"'))
        page.get_by_role("button", name="Load", exact=False).click()
        expect(page.get_by_text("Everything was loaded.")).to_be_visible()
        look(page)
        page.get_by_role("link", name="Components").click()
        mark(page)
        green = page.get_by_text("Loaded", exact=True).locator("visible=true")
        before = green.count()
        live.api(live.token, "PUT", "/uploads/open/r1.fastq.gz", b"r1")
        expect(page.locator("#components").get_by_text("Loaded", exact=True)).to_have_count(before + 1)
        assert is_same(page)
        page.goto("/components/OMIXR000001")
        look(page)


@pytest.mark.soak
def test_what_is_dropped_by_ftp_is_answered_beside(live):
    parts = xml.parts(SUBMISSION=xml.submission("dropped"), STUDY=xml.study("dropped-study"))
    with ftplib.FTP() as ftp:
        ftp.connect(live.ftp.hostname, live.ftp.port)
        ftp.login(INES, PASSWORD)
        ftp.cwd("/OMIX")
        ftp.mkd("drop")
        ftp.cwd("drop")
        for name, data in parts.items():
            ftp.storbinary(f"STOR {name.lower()}.xml", io.BytesIO(data))
        found = until(lambda: [name for name in ftp.nlst() if name.startswith("receipt-")], 60)
        told = io.BytesIO()
        ftp.retrbinary(f"RETR {found[0]}", told.write)
    assert b'success="true"' in told.getvalue() and b'alias="dropped-study"' in told.getvalue()
