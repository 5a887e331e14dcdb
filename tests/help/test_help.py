"""What the OMIX guide promises stands where it says, in its words: a row of the guide each."""

import re

import pytest

from portal import clock, db, ingest, states
from portal.domain.datasets import datasets, prechecks
from portal.domain.files import species
from portal.domain.shared import job_queue
from portal.models import Job, Upload
from tests import depositing
from tests.conftest import INES, STRANGER

GB = 1000**3
NEW = {"title": "Counts of genes", "description": "Of genes.", "species": "Mus musculus", "access": "open"}


@pytest.fixture
def running(database):
    ingest.start("test")
    yield
    ingest.stop()


def draft(**fields) -> int:
    with db.transaction():
        return datasets.create(actor=INES.account, **{**NEW, **fields}).id


def section(page: str, title: str) -> str:
    """A part of the form, from its heading to the next."""
    return page.partition(f">{title}</h2>")[2].partition("</section>")[0]


def test_principal_investigator_should_submit(client, sign_in):
    says = "principal investigator or project leader should be the one who submits"
    ines = sign_in(INES)
    for page in (client.get("/register"), ines.get("/deposit/new"), ines.get("/deposit")):
        assert says in page.text
    assert 'name="investigator"' in ines.get("/deposit/new").text


def test_over_100_mb_ftp_is_recommended_and_nothing_refused(sign_in):
    made, ines = draft(), sign_in(INES)
    online = ines.get(f"/deposit/{made}/online").text
    assert "Up to 100 MB is comfortable in a browser" in online and "send more by FTP" in online
    assert 'data-recommended="100000000"' in online and "This is more than 100 MB. It works" in online
    assert "if they are under 100 MB in all" in sign_in(STRANGER).get("/deposit").text


def test_several_species_are_a_mixed_sample(sign_in):
    ines = sign_in(INES)
    offered = ines.get("/deposit/new").text
    assert '<option value="mixed sample">' in offered and "Several species in a file: mixed sample." in offered
    dataset = depositing.get(draft(species="mixed sample"))
    assert datasets.missing(dataset).keys() == {"files"} and species.taxon(dataset.species) is None


def test_bioproject_is_made_elsewhere_and_hinders_nothing(settings, sign_in):
    ines, page = sign_in(INES), ines_page(sign_in)
    part = section(page, "BioProject Info")
    assert 'href="https://ngdc.cncb.ac.cn/bioproject/">Create a BioProject</a>' in part
    assert "Its review elsewhere does not hold up your submission." in part
    made = draft(bioproject="PRJCA999999", files=[{"name": "a.txt"}])
    assert ines.send(f"/deposit/{made}/actions/submit").status_code == 303
    assert depositing.get(made).state == "submitted"
    settings.bioproject_url = "https://projects.example.org/new"
    assert 'href="https://projects.example.org/new"' in section(ines_page(sign_in), "BioProject Info")


def ines_page(sign_in) -> str:
    return sign_in(INES).get("/deposit/new").text


def test_filing_number_has_the_words_of_the_site_and_its_help(settings, sign_in, client):
    assert "Accessions in the Ministry of Science and Technology" in section(ines_page(sign_in), "Filing number")
    settings.filing_label, settings.filing_url = "Filing with the ethics board", "https://board.example.org/how"
    part = section(ines_page(sign_in), "Filing number")
    assert "Filing with the ethics board" in part and 'href="https://board.example.org/how"' in part
    assert 'href="/help/filing"' in part and "recommended for human genetic resources" in part
    assert "derived from samples of populations within China" in part
    assert "https://board.example.org/how" in client.get("/help/filing").text


def test_filing_number_is_required_of_open_human_data_only_where_the_site_says_so(settings, sign_in):
    human = {"human": True, "species": species.HUMAN, "files": [{"name": "a.txt"}]}
    opened, closed = draft(**human), draft(**human, access="controlled")
    numbered = draft(**human, filing_number="2026-CJ0001")
    assert [datasets.missing(depositing.get(one)) for one in (opened, closed, numbered)] == [{}, {}, {}]
    settings.filing_required = True
    assert datasets.missing(depositing.get(opened)).keys() == {"filing_number"}
    assert [datasets.missing(depositing.get(one)) for one in (closed, numbered)] == [{}, {}]
    ines = sign_in(INES)
    assert ines.send(f"/deposit/{opened}/actions/submit").status_code == 422
    assert depositing.get(opened).state == "draft"
    assert "needed for open human genetic resources" in ines.get(f"/deposit/{opened}").text


def test_files_are_added_online_and_by_ftp_by_the_guides_buttons(sign_in):
    made, ines = draft(), sign_in(INES)
    page = ines.get(f"/deposit/{made}").text
    assert re.search(rf'href="/deposit/{made}/online"[^>]*>.*?Add New File Online', page)
    assert re.search(r'value="ftp"[^>]*>.*?Add New File via FTP', page)
    saved = ines.send(f"/deposit/{made}", then="ftp", **NEW)
    assert saved.status_code == 303 and saved.location == f"/deposit/{made}/ftp"
    assert "<h1>Add New File via FTP</h1>" in ines.get(saved.location).text
    assert f'href="/deposit/{made}#f-files"' in ines.get("/deposit").text
    assert "Add or Replace File" in ines.get("/deposit").text


def test_ftp_settings_are_shown_to_be_copied(sign_in):
    card = sign_in(INES).get("/area").text.partition("Your FTP settings")[2].partition("</aside>")[0]
    for word in ("127.0.0.1", INES.email, "/OMIX/", "/OMIX-protected/", "passive", "data-copy"):
        assert word in card, word


def test_approved_mark_offers_the_sharing_link_in_its_column(running, run_jobs, sign_in):
    made = depositing.submit({"a.txt": b"a"})
    run_jobs()
    ines, accession = sign_in(INES), depositing.get(made).accession
    column = r'data-label="Status/Review"[^>]*>(.*?)</td>'
    assert "Share" not in re.search(column, ines.get("/deposit").text, re.S)[1]
    depositing.approve(made)
    mark = re.search(column, ines.get("/deposit").text, re.S)[1]
    assert "Approved" in mark and f'href="/deposit/{accession}/links"' in mark and "Share" in mark


def test_release_is_shown_with_how_far_it_is(running, run_jobs, sign_in, stop_clock):
    made = depositing.submit({"a.txt": b"a"})
    run_jobs()
    depositing.approve(made)
    stop_clock(clock.now())  # the lease must not run out under a slow test
    with db.transaction():
        lease = job_queue.claim(job_queue.enqueue("release", dataset_id=made).id, owner="test")
        job_queue.renew_leases({lease.id: (lease.fence, 42, 100, None)})
    page = sign_in(INES).get(f"/deposit/{depositing.get(made).accession}").text
    assert "Preparing the release, 42 %" in page
    with db.transaction():
        db.session.query(Job).filter_by(id=lease.id).one().state = states.DONE
    assert "Preparing the release" not in sign_in(INES).get(f"/deposit/{depositing.get(made).accession}").text


def test_released_dataset_is_found_viewed_and_downloaded_in_the_guides_words(running, run_jobs, client, sign_in):
    made = depositing.submit({"a.txt": b"a"}, title="Kelp under stress")
    run_jobs()
    depositing.approve(made)
    assert "Kelp" not in client.get("/").text
    depositing.ask_release(made)
    depositing.run_until_idle(run_jobs, clock)
    accession = depositing.get(made).accession
    found = client.get("/?term=kelp").text
    assert f'href="/datasets/{accession}/files">HTTP Download</a>' in found, "at once, without an indexer"
    assert re.search(rf'href="ftp://[^"]+/OMIX/{accession}/">FTP Download</a>', found)
    assert re.search(rf'href="/datasets/{accession}">.*?View', found)
    page = client.get(f"/datasets/{accession}").text
    assert ">Files &amp; Download</h2>" in page and "HTTPs" in page
    assert f'href="/datasets/{accession}/files">HTTP Download' in page
    note = page.partition('id="ftp">FTP Download</h2>')[2].partition("</section>")[0]
    assert re.search(rf"ftp://127\.0\.0\.1(:\d+)?/OMIX/{accession}/", note) and "data-copy" in note
    assert "No account is needed. Browsers no longer open FTP: paste the address into the Host field" in note
    assert ">Name</th>" in client.get(f"/datasets/{accession}/files").text


def test_size_advice_is_given_at_select_and_bounded_by_settings(running, settings, sign_in):
    assert prechecks.size_advice("a.tar.gz", 10 * GB + 1) == "Over 10 GB: packages are better made smaller"
    assert prechecks.size_advice("a.bam", 10 * GB + 1) == "" == prechecks.size_advice("a.tar.gz", 10 * GB)
    assert prechecks.size_advice("a.bam", 20 * GB + 1).startswith("Over 20 GB: checking takes long")
    settings.package_gib, settings.file_gib, settings.many_files = 1, 2, 2
    made, ines = draft(), sign_in(INES)
    for name in ("a.zip", "b.bin"):
        depositing.send(name, b"x")
        with db.transaction():
            db.session.query(Upload).filter_by(name=name).one().size = 2 * GB
    page = ines.get(f"/deposit/{made}/ftp").text
    assert page.count("Over 1 GB: packages are better made smaller") == 1 and "Over 2 GB" not in page
    assert "2 files: packed into .tar or .zip by category" in page
    uploader = ines.get("/area").text
    assert 'data-package-gib="1"' in uploader and 'data-many="2"' in uploader


def test_help_reads_the_days_of_the_settings_and_names_the_programs(settings, client):
    settings.incomplete_days, settings.received_days = 5, 61
    page = client.get("/help/quota").text
    assert "kept for 5 days" in page and "uses for 61 days" in page
    md5 = client.get("/help/md5").text
    assert [name for name in ("md5sum", "md5 reads", "WinMD5Free", "Haozip") if name not in md5] == []
