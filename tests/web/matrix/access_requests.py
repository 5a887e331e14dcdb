"""Requests and grants: who sees and does what, by the state of a request. Mei asks, Ines decides; Tomas is a stranger
to both, and Ruth a curator, who decides only where nobody else is left."""

from portal import clock, db
from portal.domain.access_requests import attachments, decisions, requests
from portal.domain.accounts import accounts
from portal.domain.permissions import access
from tests.web.matrix import catalogue
from tests.web.matrix.rows import Row, everyone, owner, people

SAID = {"purpose": "P", "institution": "I", "principal_investigator": "Q", "ethics": ""}
LETTER = b"%PDF-1.7 a letter"


def stage(state: str) -> dict[str, object]:
    """A released controlled dataset of Ines, and a request of Mei as `state` says; "" is without one."""
    ines, mei = (accounts.by_email(f"{name}@example.org") for name in ("ines.okafor", "mei.tanaka"))
    assert ines is not None and mei is not None
    found = catalogue.stage("approved controlled" if state == "unreleased" else "released controlled")
    if state in ("", "unreleased"):
        return found | {"request": 1, "member": mei.id}
    with db.transaction():
        made = requests.begin(access.load(str(found["ref"]), actor=ines), actor=mei)
        found |= {"request": made.id, "member": mei.id}
        if state == "draft":
            return found
        requests.attach(made, token=attachments.store(LETTER), name="l.pdf", actor=mei)
        requests.ask(made, SAID, agreement=mei.name, actor=mei)
        if state == "asked_back":
            decisions.ask_back(made, actor=ines, note="N")
        if state == "denied":
            decisions.deny(made, actor=ines, note="N")
        if state in ("granted", "revoked", "ended", "future"):
            decisions.approve(made, actor=ines)
        if state == "revoked":
            decisions.revoke(made, actor=ines, note="N")
        if state == "ended":
            made.from_at, made.until_at = clock.now() - 2 * clock.DAY, clock.now() - 1
        if state == "future":
            made.from_at = clock.now() + clock.DAY
    return found


def both(status: int, *, anonymous: int, others: int = 404, mei: int | None = None) -> dict[str, int]:
    """The submitter and the requester, each with a status."""
    return everyone(others) | {"anonymous": anonymous, "ines": status, "stranger": status if mei is None else mei}


STATES = ("asked", "asked_back", "granted", "denied", "revoked", "ended")
PAGE = "/requests/{request}"
TERMS = {"agreement": "A", "questions": "", "longest_days": "30"}
FIELD = {"field": "purpose", "value": "P"}
ASK = {**SAID, "typed-name": "X"}
MINE, NOBODY = owner(200, anonymous=303, others=403), owner(404, anonymous=303)

ROWS = [
    Row("access_requests.listing", "GET", "/requests", people(200, anonymous=303)),
    Row("access_requests.public_key", "GET", "/requests/key.pem", everyone(200)),
    Row("access_requests.default_page", "GET", "/requests/terms", everyone(403) | {"anonymous": 303, "ruth": 200}),
    Row(
        "access_requests.write_default",
        "POST",
        "/requests/terms",
        everyone(403) | {"anonymous": 303, "ruth": 303},
        data=TERMS,
    ),
    Row("access_requests.form_page", "GET", "/datasets/{ref}/request", people(200, anonymous=303) | {"ines": 409}),
    Row(
        "access_requests.form_page",
        "GET",
        "/datasets/{ref}/request",
        owner(409, anonymous=303, ruth=409),
        state="unreleased",
    ),
    Row(
        "access_requests.form_page",
        "GET",
        "/datasets/{ref}/request",
        people(200, anonymous=303) | {"ines": 409, "stranger": 303},
        state="asked",
    ),
    Row(
        "access_requests.save_field",
        "POST",
        "/datasets/{ref}/request/field",
        people(200, anonymous=401) | {"ines": 409},
        data=FIELD,
    ),
    Row(
        "access_requests.save_field",
        "POST",
        "/datasets/{ref}/request/field",
        owner(409, anonymous=401, ruth=409),
        data=FIELD,
        state="unreleased",
    ),
    Row("access_requests.ask", "POST", "/datasets/{ref}/request", people(422, anonymous=401) | {"ines": 409}, data=ASK),
    Row(
        "access_requests.ask",
        "POST",
        "/datasets/{ref}/request",
        owner(409, anonymous=401, ruth=409),
        data=ASK,
        state="unreleased",
    ),
    Row(
        "access_requests.ask",
        "POST",
        "/datasets/{ref}/request",
        people(422, anonymous=401) | {"ines": 409, "stranger": 303},
        data=ASK,
        state="granted",
    ),
    Row("access_requests.discard_page", "GET", "/datasets/{ref}/request/discard", people(303, anonymous=303)),
    Row(
        "access_requests.discard_page",
        "GET",
        "/datasets/{ref}/request/discard",
        people(303, anonymous=303) | {"stranger": 200},
        state="draft",
    ),
    Row(
        "access_requests.discard", "POST", "/datasets/{ref}/request/discard", people(303, anonymous=303), state="draft"
    ),
    Row("access_requests.show", "GET", PAGE, people(404, anonymous=303)),
    Row("access_requests.show", "GET", PAGE, people(404, anonymous=303) | {"stranger": 303}, state="draft"),
    Row(
        "access_requests.letter", "GET", f"{PAGE}/letter", people(404, anonymous=303) | {"stranger": 404}, state="draft"
    ),
    Row("access_requests.letter", "GET", f"{PAGE}/letter", both(200, anonymous=303), state="asked"),
    Row("access_requests.edit_page", "GET", f"{PAGE}/edit", both(409, anonymous=303, mei=200), state="asked"),
    Row("access_requests.edit_page", "GET", f"{PAGE}/edit", both(409, anonymous=303), state="granted"),
    Row("access_requests.amend", "POST", f"{PAGE}/edit", both(409, anonymous=401, mei=303), state="asked", data=SAID),
    Row("access_requests.say", "POST", f"{PAGE}/remarks", both(303, anonymous=401), state="asked", data={"text": "T"}),
    Row("access_requests.statement", "GET", f"{PAGE}/statement", both(409, anonymous=303), state="asked"),
    Row("access_requests.agreement", "GET", "/datasets/{ref}/agreement", everyone(200)),
    Row(
        "access_requests.agreement",
        "GET",
        "/datasets/{ref}/agreement",
        owner(200, anonymous=404, ruth=200),
        state="unreleased",
    ),
    Row("access_requests.terms_page", "GET", "/datasets/{ref}/terms", MINE),
    Row(
        "access_requests.terms_page",
        "GET",
        "/datasets/{ref}/terms",
        owner(200, anonymous=303, ruth=403),
        state="unreleased",
    ),
    Row("access_requests.write", "POST", "/datasets/{ref}/terms", owner(303, anonymous=303, others=403), data=TERMS),
    Row(
        "access_requests.add_decider",
        "POST",
        "/datasets/{ref}/deciders",
        owner(303, anonymous=303, others=403),
        data={"email": "tomas.lind@example.org"},
    ),
    Row(
        "access_requests.add_decider",
        "POST",
        "/datasets/{ref}/deciders",
        owner(422, anonymous=303, others=403),
        data={"email": "nobody@example.org"},
    ),
    Row(
        "access_requests.remove_decider",
        "POST",
        "/datasets/{ref}/deciders/{member}/remove",
        owner(303, anonymous=303, others=403),
    ),
    Row("access_requests.downloads_of", "GET", "/datasets/{ref}/downloads.csv", MINE),
    Row(
        "access_requests.downloads_of",
        "GET",
        "/datasets/{ref}/downloads.tsv",
        owner(200, anonymous=303, ruth=403),
        state="unreleased",
    ),
    Row(
        "access_requests.downloads", "GET", f"{PAGE}/downloads.csv", both(200, anonymous=303, mei=403), state="granted"
    ),
    Row(
        "access_requests.downloads", "GET", f"{PAGE}/downloads.tsv", both(200, anonymous=303, mei=403), state="revoked"
    ),
]
ROWS += [Row("access_requests.show", "GET", PAGE, both(200, anonymous=303), state=state) for state in STATES]
ROWS += [
    Row("access_requests.statement", "GET", f"{PAGE}/statement", both(200, anonymous=303), state=state)
    for state in ("granted", "revoked", "ended")
]
# What each side may do: (action, state) to the status for Ines and for Mei.
DONE = {
    ("approve", "asked"): (303, 403),
    ("deny", "asked"): (303, 403),
    ("ask", "asked"): (303, 403),
    ("withdraw", "asked"): (403, 303),
    ("answer", "asked_back"): (403, 303),
    ("approve", "asked_back"): (303, 403),
    ("approve", "granted"): (409, 403),
    ("revoke", "granted"): (303, 403),
    ("renew", "granted"): (422, 303),
    ("renew", "ended"): (409, 409),
    ("withdraw", "granted"): (403, 409),
    ("explode", "asked"): (404, 404),
    ("end", "granted"): (404, 404),
}
ROWS += [
    Row(
        "access_requests.act",
        "POST",
        f"{PAGE}/actions",
        both(ines, anonymous=401, mei=mei),
        state=state,
        data={"action": action, "note": "N"},
    )
    for (action, state), (ines, mei) in DONE.items()
]
# Bytes: open to the requester in one state only.
for endpoint, path in catalogue.BYTES:
    ROWS += [
        Row(endpoint, "GET", path, owner(200, anonymous=303, others=403) | {"stranger": status}, state=state)
        for state, status in (
            ("granted", 200),
            ("asked", 403),
            ("asked_back", 403),
            ("denied", 403),
            ("revoked", 403),
            ("ended", 403),
            ("future", 403),
        )
    ]

API = "/api/v1/requests/{request}"


def call(endpoint: str, method: str, path: str, expect: dict[str, int], **more) -> Row:
    return Row(f"api.{endpoint}", method, path, expect, bearer=True, **more)


NEW = {"dataset": "{ref}", "agreement": "Mei Tanaka", **SAID}
ROWS += [
    call("list_requests", "GET", "/api/v1/requests", people(200, anonymous=401)),
    call(
        "ask_access", "POST", "/api/v1/requests", people(422, anonymous=401) | {"ines": 409, "stranger": 201}, json=NEW
    ),
    call(
        "ask_access",
        "POST",
        "/api/v1/requests",
        people(422, anonymous=401) | {"ines": 409, "stranger": 409},
        json=NEW,
        state="granted",
    ),
    call("ask_access", "POST", "/api/v1/requests", owner(409, anonymous=401, ruth=409), json=NEW, state="unreleased"),
    call("show_request", "GET", API, both(200, anonymous=401), state="asked"),
    call("show_request", "GET", API, people(404, anonymous=401) | {"stranger": 200}, state="draft"),
    call("amend_request", "PATCH", API, both(403, anonymous=401, mei=200), json={"purpose": "X"}, state="asked"),
    call("amend_request", "PATCH", API, both(403, anonymous=401, mei=409), json={"purpose": "X"}, state="granted"),
    call("act_on_request", "POST", f"{API}/actions/approve", both(200, anonymous=401, mei=403), json={}, state="asked"),
    call(
        "act_on_request",
        "POST",
        f"{API}/actions/revoke",
        both(200, anonymous=401, mei=403),
        json={"note": "N"},
        state="granted",
    ),
    call("say_on_request", "POST", f"{API}/messages", both(201, anonymous=401), json={"text": "T"}, state="asked"),
    call("send_letter", "PUT", f"{API}/letter", both(403, anonymous=401, mei=200), raw=LETTER, state="asked"),
    call("send_letter", "PUT", f"{API}/letter", both(403, anonymous=401, mei=409), raw=LETTER, state="granted"),
    call("list_downloads", "GET", f"{API}/downloads", both(200, anonymous=401, mei=403), state="granted"),
    call("show_statement", "GET", f"{API}/statement", both(200, anonymous=401), state="granted"),
    call("show_terms", "GET", "/api/v1/datasets/{ref}/terms", everyone(200)),
    call("show_terms", "GET", "/api/v1/datasets/{ref}/terms", owner(200, anonymous=404, ruth=200), state="unreleased"),
    call(
        "write_terms",
        "PUT",
        "/api/v1/datasets/{ref}/terms",
        owner(200, anonymous=401, others=403),
        json={"longest_days": 30},
    ),
    call(
        "make_decider",
        "POST",
        "/api/v1/datasets/{ref}/deciders",
        owner(201, anonymous=401, others=403),
        json={"email": "tomas.lind@example.org"},
    ),
    call("drop_decider", "DELETE", "/api/v1/datasets/{ref}/deciders/{member}", owner(204, anonymous=401, others=403)),
]
