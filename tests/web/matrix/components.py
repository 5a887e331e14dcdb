"""Who gets what of metadata: the XML calls of the API, and its pages."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.components import submissions
from portal.domain.components.submission_batch import Document
from portal.models import Dataset
from tests.reports import metadata as xml
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import Row, curators, everyone, owner, people


def stage(state: str) -> dict[str, object]:
    """A delivery of Ines, submitted or released; in `foreign` nothing of it matters."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    outcome = submissions.take([Document(name, data) for name, data in xml.parts().items()], actor=ines, via="api")
    with states_unguarded():
        dataset = db.session.get_one(Dataset, outcome.batch.dataset.id)
        if state == "released":
            dataset.state, dataset.released_at = "released", 1
    return {"ref": dataset.accession, "delivery": outcome.delivery_id}


def row(endpoint, method, path, expect, **more):
    return Row(f"api.{endpoint}", method, f"/api/v1{path}", expect, bearer=True, **more)


STUDY = xml.study("another").decode()
MINE = owner(200, anonymous=404, ruth=200)

ROWS = [
    row("submit", "POST", "/submit", people(200, anonymous=401), raw=xml.study("another")),
    row("submit", "POST", "/submit", people(422, anonymous=401), data={"SHEET": "x", "file": (__file__, "")}),
    row("list_components", "GET", "/components", people(200, anonymous=401)),
    row("show_component", "GET", "/components/OMIXS000001", MINE),
    row("show_component", "GET", "/components/OMIX000001", everyone(200), state="released"),
    row("component_xml", "GET", "/components/OMIXS000001.xml", MINE),
    row("component_xml", "GET", "/components/OMIXS000001.xml", everyone(200), state="released"),
    Row("components.new_page", "GET", "/deposit/xml", people(200, anonymous=303)),
    Row("components.send", "POST", "/deposit/xml", people(200, anonymous=303), data={"xml": STUDY}),
    Row("components.send", "POST", "/deposit/xml", people(303, anonymous=303), data={"xml": STUDY, "load": "1"}),
    Row("components.delivery", "GET", "/deposit/xml/{delivery}", owner(200, anonymous=303)),
    Row("components.listing", "GET", "/review/{ref}/components", curators(200, anonymous=303)),
    Row("components.component", "GET", "/components/OMIXR000001", MINE),
    Row("components.component", "GET", "/components/OMIXR000001", everyone(200), state="released"),
    Row("components.script", "GET", "/help/metamd5.py", everyone(200)),
]
