"""What pages say of a dataset is true of it: which digests were compared, what arrived, where its publication goes."""

import pytest

from portal import clock, db, ingest
from portal.domain.datasets import datasets, share_links
from portal.models import Dataset
from tests import depositing
from tests.conftest import INES, RUTH, STRANGER


@pytest.fixture
def running(database):
    ingest.start("test")
    yield
    ingest.stop()


def approved(run_jobs, undeclared: tuple[str, ...]) -> str:
    """The accession of an approved dataset of two archived files; some came without a declared MD5."""
    made = depositing.submit({"a.txt": b"a", "b.txt": b"b"}, declared=dict.fromkeys(undeclared, ""))
    run_jobs()
    depositing.approve(made)
    run_jobs()
    return depositing.get(made).accession


def shared(accession: str) -> str:
    with db.transaction():
        dataset = db.session.query(Dataset).filter_by(accession=accession).one()
        return share_links.make(dataset, actor=INES.account)[1]


@pytest.mark.parametrize(
    ("undeclared", "sum_of_it", "equal", "recorded"),
    [
        ((), "each equal to its declared MD5", 2, 0),
        (("b.txt",), "1 equal to the declared MD5, 1 with the digest recorded, none declared", 1, 1),
        (("a.txt", "b.txt"), "digests recorded, none declared", 0, 2),
    ],
)
def test_reviewers_read_which_digests_were_compared(
    running, run_jobs, client, sign_in, undeclared, sum_of_it, equal, recorded
):
    accession = approved(run_jobs, undeclared)
    page = client.get(f"/share/{shared(accession)}").text
    assert page.count(sum_of_it) == 2, "in the caption and for the report"
    assert page.count("Equal to the declared MD5") == equal
    assert page.count("Digest recorded, none declared") == recorded
    review = sign_in(RUTH).get(f"/review/{accession}").text
    assert f"All 2 files are archived: {sum_of_it}." in review
    assert review.count("Equal to the declared MD5") == equal
    assert review.count("Digest recorded, no MD5 declared") == recorded


def test_publication_is_reached_before_approval_and_after_release(running, run_jobs, client, sign_in):
    made = depositing.submit({"a.txt": b"a"})
    run_jobs()
    ref = depositing.get(made).accession
    ines, ruth = sign_in(INES), sign_in(RUTH)
    link = f'href="/deposit/{ref}/links#publications"'
    pages = [
        (ines, f"/deposit/{ref}"),
        (ines, f"/datasets/{ref}"),
        (ruth, f"/review/{ref}"),
        (ruth, f"/datasets/{ref}"),
    ]
    assert [page for reader, page in pages if link not in reader.get(page).text] == []
    depositing.approve(made)
    depositing.ask_release(made)
    depositing.run_until_idle(run_jobs, clock)
    assert depositing.get(made).state == "released"
    assert [page for reader, page in pages if link not in reader.get(page).text] == []
    assert link not in client.get(f"/datasets/{ref}").text
    assert link not in sign_in(STRANGER).get(f"/datasets/{ref}").text
    page = ines.send(f"/deposit/{ref}/publications", publication="10.5555/late.2026")
    assert page.status_code == 303
    assert "https://doi.org/10.5555/late.2026" in client.get(f"/datasets/{ref}").text
    assert ines.get(f"/datasets/{ref}").text.count("Add or remove a publication") == 1


def test_deposit_page_counts_what_arrived_and_how_components_stand(running, run_jobs, sign_in):
    depositing.send("a.txt", b"a")
    ines = sign_in(INES)
    with db.transaction():
        rows = [{"name": "a.txt"}, {"name": "b.txt"}]
        given = {"title": "Counts", "description": "Of genes.", "species": "Mus musculus"}
        dataset = datasets.create(actor=INES.account, files=rows, **given).id
    page = ines.get(f"/deposit/{dataset}").text
    assert "2 declared, 1 arrived, 1 missing." in page
    assert "Made from what you write here when you submit" in page and f'href="/tracking/{dataset}"' in page
    assert ines.send(f"/deposit/{dataset}/actions/submit").status_code == 303
    run_jobs()
    accession = depositing.get(dataset).accession
    page = ines.get(f"/deposit/{accession}").text
    assert f'href="/tracking/{accession}"' in page
    assert "4 not linked" in page and "1 loaded" in page, (
        "the ANALYSIS of the missing file is grey, as what is above it"
    )
