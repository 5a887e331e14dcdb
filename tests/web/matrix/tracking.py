"""Who gets what from tracking: everybody his own, and of others' submissions nobody learns that they are there."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets
from tests.web.matrix.rows import Row, owner, people


def stage(state: str) -> dict[str, object]:
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        datasets.submit(made, actor=ines)
    return {"ref": made.accession}


SEEN, MINE = people(200, anonymous=303), owner(200, anonymous=303)

ROWS = [
    Row("tracking.listing", "GET", "/tracking", SEEN),
    Row("tracking.export_files", "GET", "/tracking/files.tsv?state=all", SEEN),
    Row("tracking.submissions", "GET", "/tracking/attention", SEEN),
    Row("tracking.export_submissions", "GET", "/tracking/published.xlsx", SEEN),
    Row("tracking.submission", "GET", "/tracking/{ref}", MINE),
    Row("tracking.export_components", "GET", "/tracking/{ref}/components.tsv", MINE),
]
