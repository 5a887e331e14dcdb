"""XML on a page: what it means is shown first, what was sent is carried along, what became of it stays to be seen."""

import io
import subprocess
import sys

import pytest
from lxml import html

from portal.domain.components import metamd5
from tests.conftest import INES, RUTH
from tests.reports import metadata as xml


@pytest.fixture
def ines_browser(sign_in):
    return sign_in(INES)


def chosen(parts: dict[str, bytes]) -> list:
    return [(io.BytesIO(data), f"C:/lims/{name.lower()}.xml") for name, data in parts.items()]


def carried(page: str) -> dict[str, list[str]]:
    """What the preview's form would send on, as a browser without scripts sends it."""
    form = html.fromstring(page).get_element_by_id("metadata")
    texts = [field.text.removeprefix("\n") for field in form.xpath(".//textarea[@name='carried']")]
    return {"called": [field.get("value") for field in form.xpath(".//input[@name='called']")], "carried": texts}


def test_preview_then_load_without_choosing_again(ines_browser):
    runs = xml.runs(xml.run("r1"), xml.run("r2", digest="zz"))
    page = ines_browser.send("/deposit/xml", documents=chosen(xml.parts(RUN=runs)))
    assert (
        page.status_code == 422 and "1 new, 1 cannot be loaded" in page.text and "New objects make a new" in page.text
    )
    assert "has no components" not in page.text and "An MD5 has 32 characters" in page.text
    assert "What you sent" not in page.text  # nothing was stored
    kept = carried(page.text)
    assert kept["called"][0] == "submission.xml" and len(kept["carried"]) == 5
    mended = [text.replace('checksum="zz"', 'checksum="' + "0" * 32 + '"') for text in kept["carried"]]
    answer = ines_browser.send("/deposit/xml", called=kept["called"], carried=mended, load="1")
    assert answer.status_code == 303
    receipt = ines_browser.get(answer.location)
    assert "Everything was loaded" in receipt.text and "OMIXR000002" in receipt.text
    assert ines_browser.get(f"{answer.location}?receipt=1").mimetype == "application/xml"
    assert "What you sent" in ines_browser.get("/deposit/xml").text


def test_components_page_shows_red_with_its_reason(ines_browser, sign_in):
    runs = xml.runs(xml.run("good"), xml.run("bad<i>", experiment="nowhere", files={}))
    ines_browser.send("/deposit/xml", documents=chosen(xml.parts(RUN=runs.replace(b"<i>", b"&lt;i>"))), load="1")
    page = sign_in(RUTH).get("/review/OMIX000001/components?state=error").text
    assert "bad&lt;i&gt;" in page and "It refers to EXPERIMENT “nowhere”, which is not here" in page
    assert "good" not in html.fromstring(page).xpath("string(//table)")
    assert "5 components: 0 loaded, 4 not linked, 1 in error" in page
    assert "bad&lt;i&gt;" in ines_browser.get("/tracking/OMIX000001").text
    shown = ines_browser.get("/components/OMIXX000001").text
    assert "OMIXP000001" in shown and "&lt;STUDY_REF" in shown


def test_accession_of_a_component_leads_to_its_page(ines_browser, client):
    ines_browser.send("/deposit/xml", documents=chosen(xml.parts()), load="1")
    assert ines_browser.get("/omixs000001").location == "/components/OMIXS000001"
    assert ines_browser.get("/?term=OMIXR000001").location == "/OMIXR000001"
    assert "Organoid 1" in ines_browser.get("/OMIXS000001", follow_redirects=True).text
    assert client.get("/components/OMIXS000001").status_code == 404


def test_pasted_nonsense_stays_to_be_mended(ines_browser):
    page = ines_browser.send("/deposit/xml", xml="<STUDY alias='a'>")
    assert page.status_code == 422 and "The pasted text is no well-formed XML" in page.text
    assert carried(page.text)["carried"] == ["<STUDY alias='a'>"]


def test_nothing_chosen_is_said(ines_browser):
    assert "There is no XML in this" in ines_browser.send("/deposit/xml").text


def test_script_of_the_help_page_runs_by_itself(client, tmp_path):
    (tmp_path / "metamd5.py").write_bytes(client.get("/help/metamd5.py").data)
    (tmp_path / "a.xml").write_bytes(b'<STUDY accession="OMIXP000001" alias="a"> <b/> </STUDY>')
    done = subprocess.run(
        [sys.executable, "-I", "-S", "metamd5.py", "a.xml"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    digest = metamd5.md5(b'<STUDY accession="OMIXP000001" alias="a"><b/></STUDY>')
    assert done.stdout == f"OMIXP000001\t{digest}\n"
