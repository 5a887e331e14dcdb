"""Who gets what from review."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets, remarks
from portal.domain.uploads import uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.models import Dataset, Upload
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import GIVEN_BACK, Row, curators, owner, people


def stage(state: str) -> dict[str, object]:
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with states_unguarded():
        made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        if state != "draft":
            datasets.submit(made, actor=ines)
        place = Place("incoming", "open", "b.txt")
        uploads.cut(Arrival(place, ines.id, ines.center_id, "token", 1, "ftp", 9, 4, None, 1, 1), length=4, reason="x")
        upload = db.session.query(Upload).one().id
        said = _remarks(made) if state != "draft" else {}
        if state == "released":
            made.state, made.released_at = "released", 1
    return {"ref": made.accession or made.id, "upload": upload} | said


def _remarks(dataset: Dataset) -> dict[str, object]:
    """An open and a private remark of the curator's."""
    ruth = accounts.by_email("ruth.adeyemi@example.org")
    assert ruth is not None
    known = {public: remarks.add(dataset, "Look again.", actor=ruth, public=public).id for public in (True, False)}
    return {"remark": known[True], "private": known[False]}


TALKING = owner(303, anonymous=303, ruth=303)

ROWS = [
    Row("review.listing", "GET", "/review", curators(200, anonymous=303)),
    Row("review.show", "GET", "/review/{ref}", curators(200, anonymous=303)),
    Row("review.show", "GET", "/review/{ref}", curators(404, anonymous=303), state="draft"),
    Row("review.decide", "POST", "/review/{ref}/approve", curators(303, anonymous=303), data={"version": "1"}),
    Row("review.decide", "POST", "/review/{ref}/return", curators(422, anonymous=303), data={"note": ""}),
    Row("review.decide", "POST", "/review/{ref}/recall", curators(403, anonymous=303)),
    Row("review.ask", "GET", "/review/{ref}/withdraw", curators(200, anonymous=303), state="released"),
    Row("review.ask", "GET", "/review/{ref}/release", curators(409, anonymous=303)),
    Row("review.ask", "GET", "/review/{ref}/approve", curators(404, anonymous=303)),
    Row("review.file_list", "GET", "/review/{ref}/files", curators(303, anonymous=303)),
    Row("review.mark_seen", "POST", "/review/{ref}/seen", curators(303, anonymous=303)),
    Row("review.mark_seen", "POST", "/review/{ref}/seen", curators(404, anonymous=303), state="draft"),
    Row("review.news", "GET", "/datasets/{ref}/remarks", TALKING),
    Row("review.compose", "GET", "/datasets/{ref}/remarks/new", owner(200, anonymous=303, ruth=200)),
    Row(
        "review.compose",
        "GET",
        "/datasets/{ref}/remarks/new",
        people(403, anonymous=303) | {"ines": 200, "ruth": 200},
        state="released",
    ),
    Row(
        "review.say",
        "POST",
        "/datasets/{ref}/remarks",
        TALKING | GIVEN_BACK,
        data={"text": "Which bank?", "about": "info"},
    ),
    Row("review.say", "POST", "/datasets/{ref}/remarks", owner(422, anonymous=303, ruth=422), data={"text": ""}),
    Row("review.say", "POST", "/datasets/{ref}/remarks", owner(409, anonymous=401), data={"text": "X"}, state="draft"),
    Row(
        "review.say",
        "POST",
        "/datasets/{ref}/remarks",
        owner(403, anonymous=401, ruth=303),
        data={"text": "Keep an eye on it.", "private": "1"},
    ),
    Row(
        "review.say",
        "POST",
        "/datasets/{ref}/remarks",
        owner(404, anonymous=401, ruth=303),
        data={"text": "Seen.", "answers": "{private}"},
    ),
    Row("review.settle", "POST", "/datasets/{ref}/remarks/{remark}/done", TALKING),
    Row("review.settle", "POST", "/datasets/{ref}/remarks/{private}/done", owner(404, anonymous=303, ruth=303)),
]
