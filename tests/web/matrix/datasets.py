"""Who gets what from the pages of a deposit: its submitter alone; to others it is not there."""

from portal.domain.accounts import accounts
from portal.domain.datasets import datasets
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import GIVEN_BACK, Row, owner, people


def stage(state: str) -> dict[str, object]:
    """A draft of Ines with one file, or as `state` says."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with states_unguarded():
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
    Row("files.digests_page", "GET", "/deposit/{ref}/digests", SEEN, state="submitted"),
    Row(
        "files.read_digests",
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
        "datasets.save_field", "POST", "/deposit/{ref}/field", MINE | GIVEN_BACK, data={"field": "title", "value": "T2"}
    ),
    Row(
        "datasets.first_field",
        "POST",
        "/deposit/new/field",
        people(200, anonymous=401),
        data={"field": "title", "value": "T"},
    ),
    Row("datasets.copy", "POST", "/deposit/{ref}/copy", SENT),
    Row("files.sheet_page", "GET", "/deposit/{ref}/sheet", MINE),
    Row("files.export", "GET", "/deposit/{ref}/files.tsv", MINE),
    Row("files.export", "GET", "/deposit/{ref}/files.xlsx", SEEN, state="submitted"),
    Row("files.read_sheet", "POST", "/deposit/{ref}/sheet", MINE | GIVEN_BACK, data={"sheet": "name\na.txt"}),
    Row("datasets.listing", "GET", "/deposit", people(200, anonymous=303)),
    Row("datasets.new_page", "GET", "/deposit/new", people(200, anonymous=303)),
    Row("datasets.create", "POST", "/deposit/new", people(303, anonymous=401), data=NEW),
    Row("datasets.edit_page", "GET", "/deposit/{ref}", MINE),
    Row("datasets.edit_page", "GET", "/deposit/{ref}", SEEN, state="submitted"),
    Row("datasets.save", "POST", "/deposit/{ref}", SENT | GIVEN_BACK, data=NEW),
    Row("files.file_list", "GET", "/deposit/{ref}/files", SENT),
    Row("datasets.blank_row", "GET", "/deposit/{ref}/rows/1", MINE),
    Row("files.file_page", "GET", "/deposit/{ref}/files/1", MINE),
    Row("files.edit_file", "POST", "/deposit/{ref}/files/1", SENT | GIVEN_BACK, data={"name": "a.txt", "title": "X"}),
    Row("files.compare", "POST", "/deposit/{ref}/files/1/md5", SENT | GIVEN_BACK, data={"declared_md5": "0" * 32}),
    Row("datasets.history_page", "GET", "/deposit/{ref}/history", MINE),
    Row("datasets.history_page", "GET", "/deposit/{ref}/history", SEEN, state="submitted"),
    Row("files.change_many", "POST", "/deposit/{ref}/files/many", SENT, data={"n": "1", "field": "title"}),
    Row("files.replace_page", "GET", "/deposit/{ref}/files/1/replace", MINE),
    Row("files.replace", "POST", "/deposit/{ref}/files/1/replace", SENT | GIVEN_BACK, data={"name": "b.txt"}),
    Row("files.delete_page", "GET", "/deposit/{ref}/files/1/delete", MINE),
    Row("files.delete", "POST", "/deposit/{ref}/files/1/delete", SENT),
    Row("datasets.people_page", "GET", "/deposit/{ref}/people", MINE),
    Row(
        "datasets.invite", "POST", "/deposit/{ref}/people", owner(303, anonymous=303), data={"email": "new@example.org"}
    ),
    Row("datasets.remove_editor", "POST", "/deposit/{ref}/people/1/remove", owner(404, anonymous=303)),
    Row("datasets.answer_invitation", "POST", "/deposit/invitations/1/accept", people(404, anonymous=303)),
    Row("files.choose_page", "GET", "/deposit/{ref}/ftp", MINE),
    Row("files.choose", "POST", "/deposit/{ref}/ftp", SENT),
    Row("files.use", "POST", "/deposit/{ref}/files/1/use", owner(404, anonymous=303), data={"upload": "0"}),
    Row("files.online_page", "GET", "/deposit/{ref}/online", MINE),
    Row("files.send", "POST", "/deposit/{ref}/online", owner(422, anonymous=303)),
    Row("datasets.confirm_page", "GET", "/deposit/{ref}/actions/discard", MINE),
    Row("datasets.act", "POST", "/deposit/{ref}/actions/submit", SENT),
    Row("datasets.act", "POST", "/deposit/{ref}/actions/discard", SENT),
]
