"""Who gets what from review, my uploads and tracking."""

from portal import db
from portal.domain import accounts, datasets, uploads
from portal.domain.uploads import Place, Standing
from portal.models import Upload
from tests.web.matrix.rows import Row, curators, owner, people


def stage(state: str) -> dict[str, object]:
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        if state != "draft":
            datasets.submit(made, actor=ines)
        place = Place("incoming", "open", "b.txt")
        uploads.cut(Standing(place, ines.id, ines.center_id, "token", 1, "ftp", 9, 4, None, 1, 1), length=4, reason="x")
        upload = db.session.query(Upload).one().id
    return {"ref": made.accession or made.id, "upload": upload}


ROWS = [
    Row("review.listing", "GET", "/review", curators(200, anonymous=303)),
    Row("review.show", "GET", "/review/{ref}", curators(200, anonymous=303)),
    Row("review.show", "GET", "/review/{ref}", curators(404, anonymous=303), state="draft"),
    Row("review.decide", "POST", "/review/{ref}/approve", curators(303, anonymous=303), data={"version": "1"}),
    Row("review.decide", "POST", "/review/{ref}/return", curators(422, anonymous=303), data={"note": ""}),
    Row("review.decide", "POST", "/review/{ref}/recall", curators(403, anonymous=303)),
    Row("area.listing", "GET", "/area", people(200, anonymous=303)),
    Row("area.show", "GET", "/area/{upload}", owner(200, anonymous=303)),
    Row("area.rename", "POST", "/area/{upload}/rename", owner(303, anonymous=303), data={"name": "z.txt"}),
    Row("area.delete", "POST", "/area/{upload}/delete", owner(303, anonymous=303)),
    Row("tracking.listing", "GET", "/tracking", people(200, anonymous=303)),
]
