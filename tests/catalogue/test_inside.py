"""What a dataset's page says of what is inside: samples or files, and the members of packages, to who may download."""

import io
import tarfile

import pytest

from portal import db
from portal.domain.files import files
from portal.models import Dataset
from tests import depositing as deposit
from tests.conftest import INES
from tests.state_guard import states_unguarded

pytestmark = pytest.mark.usefixtures("receiving")


def tar(*names: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
    return packed.getvalue()


def released(run_jobs, access: str) -> str:
    dataset_id = deposit.submit({"run.tar": tar("a/one.csv", "a/two.csv"), "b.csv": b"1,2\n"}, access=access)
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        files.edit(files.by_number(dataset, 2), {"samples": 96, "unit": "samples"}, actor=INES.account)
    run_jobs()
    with states_unguarded():
        row = db.session.get_one(Dataset, dataset_id)
        row.state, row.released_at = "released", 1
        return row.accession


def test_open_dataset_shows_samples_and_members(run_jobs, client):
    page = client.get(f"/datasets/{released(run_jobs, 'open')}").text
    assert "96 samples" in page and "2 members" in page and "a/two.<wbr>csv" in page


def test_members_of_a_controlled_dataset_are_told_to_who_may_download(run_jobs, client, sign_in):
    accession = released(run_jobs, "controlled")
    assert "two.<wbr>csv" not in client.get(f"/datasets/{accession}").text
    assert "two.<wbr>csv" in sign_in(INES).get(f"/datasets/{accession}").text
