"""Who gets what from my uploads: everybody his own, and of others' nobody learns that they are there."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.uploads import uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.models import Upload
from tests.web.matrix.rows import Row, owner, people


def stage(state: str) -> dict[str, object]:
    """An upload of Ines that broke off, in a folder."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        place = Place("incoming", "open", "run/b.txt")
        uploads.cut(Arrival(place, ines.id, ines.center_id, "token", 1, "ftp", 9, 4, None, 1, 1), length=4, reason="x")
        return {"upload": db.session.query(Upload).one().id}


SEEN, MINE, SENT = people(200, anonymous=303), owner(200, anonymous=303), owner(303, anonymous=303)
TICKED = {"id": "{upload}"}
FOLDER = {"path": "/OMIX/run", "name": "/OMIX/new"}
TYPED = owner(303, anonymous=401)  # typed words are given back, not lost behind a sign-in form
FROM_TO = {"from": "/OMIX/run", "to": "/OMIX/new"}
ALL_OF_IT = {"path": "/OMIX/run", "folder": True}


def api(endpoint: str, method: str, path: str, expect: dict[str, int], **more) -> Row:
    return Row(f"api.{endpoint}", method, f"/api/v1{path}", expect, bearer=True, **more)


ROWS = [
    Row("uploads.listing", "GET", "/area", SEEN),
    Row("uploads.show", "GET", "/area/{upload}", MINE),
    Row("uploads.rename", "POST", "/area/{upload}/rename", TYPED, data={"name": "z.txt"}),
    Row("uploads.rename", "POST", "/area/{upload}/copy", owner(409, anonymous=401), data={"name": "z.txt"}),
    Row("uploads.delete", "POST", "/area/{upload}/delete", SENT),
    # What is not the asker's is as if it were not ticked.
    Row("uploads.ask", "POST", "/area/chosen/move", people(303, anonymous=303) | {"ines": 200}, data=TICKED),
    Row("uploads.act", "POST", "/area/chosen/delete/done", people(303, anonymous=303), data=TICKED),
    Row("files.ask_dataset", "POST", "/area/chosen/give", people(303, anonymous=303) | {"ines": 200}, data=TICKED),
    Row("files.give", "POST", "/area/chosen/give/done", people(422, anonymous=303), data=TICKED),
    Row("uploads.folder", "GET", "/area/folder?path=/OMIX/run", MINE),
    Row("uploads.change_folder", "POST", "/area/folder/rename", TYPED, data=FOLDER),
    api("list_area", "GET", "/area?path=/OMIX/run", people(200, anonymous=401)),
    api("show_usage", "GET", "/area/usage", people(200, anonymous=401)),
    api("copy_in_area", "POST", "/area/copy", owner(409, anonymous=401), json=FROM_TO),
    api("move_in_area", "POST", "/area/move", owner(200, anonymous=401), json=FROM_TO),
    api(
        "remove_in_area", "POST", "/area/remove", owner(200, anonymous=401), json={"path": "/OMIX/run", "folder": True}
    ),
    Row("uploads.delete_folder", "POST", "/area/folder/delete", TYPED, data=FOLDER),
]
