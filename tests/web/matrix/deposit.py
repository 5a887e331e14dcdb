"""Who gets what from the pages of a deposit: its submitter alone; to others it is not there."""

from portal import db
from portal.domain import accounts, datasets
from tests.web.matrix.rows import GIVEN_BACK, Row, owner, people


def stage(state: str) -> dict[str, object]:
    """A draft of Ines with one file, or as `state` says."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        if state:
            datasets.submit(made, actor=ines)
        if state == "released":
            made.state, made.released_at = "released", 1
    return {"ref": made.accession or made.id}


MINE, SENT = owner(200, anonymous=303), owner(303, anonymous=303)
SEEN = owner(200, anonymous=303, ruth=403)
NEW = {"title": "T", "access": "open"}

ROWS = [
    Row("deposit.digests_page", "GET", "/deposit/{ref}/digests", SEEN, state="submitted"),
    Row(
        "deposit.read_digests",
        "POST",
        "/deposit/{ref}/digests",
        SEEN | GIVEN_BACK,
        state="submitted",
        data={"digests": "9e107d9d372bb6826bd81d3542a419d6  a.txt"},
    ),
    Row(
        "api.add_digests",
        "POST",
        "/api/v1/datasets/{ref}/digests",
        owner(200, anonymous=401, ruth=403),
        raw=b"9e107d9d372bb6826bd81d3542a419d6  a.txt",
        bearer=True,
        state="submitted",
    ),
    Row(
        "deposit.save_field", "POST", "/deposit/{ref}/field", MINE | GIVEN_BACK, data={"field": "title", "value": "T2"}
    ),
    Row(
        "deposit.first_field",
        "POST",
        "/deposit/new/field",
        people(200, anonymous=401),
        data={"field": "title", "value": "T"},
    ),
    Row("deposit.copy", "POST", "/deposit/{ref}/copy", SENT),
    Row("deposit.sheet_page", "GET", "/deposit/{ref}/sheet", MINE),
    Row("deposit.export", "GET", "/deposit/{ref}/files.tsv", MINE),
    Row("deposit.export", "GET", "/deposit/{ref}/files.xlsx", SEEN, state="submitted"),
    Row("deposit.read_sheet", "POST", "/deposit/{ref}/sheet", MINE | GIVEN_BACK, data={"sheet": "name\na.txt"}),
    Row("deposit.listing", "GET", "/deposit", people(200, anonymous=303)),
    Row("deposit.new_page", "GET", "/deposit/new", people(200, anonymous=303)),
    Row("deposit.create", "POST", "/deposit/new", people(303, anonymous=401), data=NEW),
    Row("deposit.edit_page", "GET", "/deposit/{ref}", MINE),
    Row("deposit.edit_page", "GET", "/deposit/{ref}", SEEN, state="submitted"),
    Row("deposit.save", "POST", "/deposit/{ref}", SENT | GIVEN_BACK, data=NEW),
    Row("deposit.file_list", "GET", "/deposit/{ref}/files", SENT),
    Row("deposit.blank_row", "GET", "/deposit/{ref}/rows/1", MINE),
    Row("deposit.file_page", "GET", "/deposit/{ref}/files/1", MINE),
    Row("deposit.edit_file", "POST", "/deposit/{ref}/files/1", SENT | GIVEN_BACK, data={"name": "a.txt", "title": "X"}),
    Row("deposit.compare", "POST", "/deposit/{ref}/files/1/md5", SENT | GIVEN_BACK, data={"declared_md5": "0" * 32}),
    Row("deposit.history_page", "GET", "/deposit/{ref}/history", MINE),
    Row("deposit.history_page", "GET", "/deposit/{ref}/history", SEEN, state="submitted"),
    Row("deposit.change_many", "POST", "/deposit/{ref}/files/many", SENT, data={"n": "1", "field": "title"}),
    Row("deposit.replace_page", "GET", "/deposit/{ref}/files/1/replace", MINE),
    Row("deposit.replace", "POST", "/deposit/{ref}/files/1/replace", SENT | GIVEN_BACK, data={"name": "b.txt"}),
    Row("deposit.delete_page", "GET", "/deposit/{ref}/files/1/delete", MINE),
    Row("deposit.delete", "POST", "/deposit/{ref}/files/1/delete", SENT),
    Row("deposit.choose_page", "GET", "/deposit/{ref}/ftp", MINE),
    Row("deposit.choose", "POST", "/deposit/{ref}/ftp", SENT),
    Row("deposit.online_page", "GET", "/deposit/{ref}/online", MINE),
    Row("deposit.send", "POST", "/deposit/{ref}/online", owner(422, anonymous=303)),
    Row("deposit.confirm_page", "GET", "/deposit/{ref}/actions/discard", MINE),
    Row("deposit.act", "POST", "/deposit/{ref}/actions/submit", SENT),
    Row("deposit.act", "POST", "/deposit/{ref}/actions/discard", SENT),
]
