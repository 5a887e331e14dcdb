"""Short ways to a controlled dataset, to a request for it and to a grant."""

import hashlib

from portal import clock, db, states, storage
from portal.domain.access_requests import decisions, requests
from portal.domain.datasets import datasets
from portal.domain.files import accessions
from portal.domain.permissions import access
from portal.models import Dataset, File, Mail, Request
from tests.conftest import COLLEAGUE, INES, RUTH, STRANGER
from tests.state_guard import states_unguarded

CANARY = b"canary-bytes-4417 of a donor\n"
CONTENTS = {"genotypes/chr1.vcf.gz": CANARY * 400, "covariates.tsv": CANARY + b"age\t61\n"}
SAID = {
    "purpose": "eQTLs of the liver.",
    "institution": "Harbour Lab",
    "principal_investigator": "Mei Tanaka",
    "ethics": "HL-2026-11",
}
__all__ = ["COLLEAGUE", "INES", "RUTH", "STRANGER"]


def release(person, *, access: str = "controlled", state: str = "released", contents=None) -> str:
    """A dataset whose files lie in the archive, as the archive leaves them; its accession."""
    contents = CONTENTS if contents is None else contents
    with states_unguarded():
        rows = [{"name": name} for name in contents]
        made = datasets.create(actor=person.account, title="Livers", access=access, files=rows)
        made.accession = accessions.form("OMIX", accessions.take("OMIX"))
        made.state, made.realm = state, "protected" if access == "controlled" else "open"
        made.released_at = clock.now() if state in ("released", "suppressed") else None
        for file in db.session.query(File).filter_by(dataset_id=made.id):
            data = contents[file.name]
            file.state, file.size, file.md5 = states.ARCHIVED, len(data), hashlib.md5(data).hexdigest()
            file.sha256, file.archived_at = hashlib.sha256(data).hexdigest(), clock.now()
            file.archive_path = f"data/{made.accession}-{file.n:02d}/{file.name}"
            path = storage.archived_path(made.realm, made.accession, file.archive_path)
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            path.chmod(0o444)
        return made.accession


def anew() -> None:
    """What is read next is read anew; inside a transaction it is."""
    if not db.writing():
        db.end()


def dataset(accession: str) -> Dataset:
    anew()
    return access.load(accession, actor=RUTH.account)


def ask(accession: str, person=STRANGER, **fields) -> int:
    """A sent request; its id."""
    with db.transaction():
        made = requests.begin(access.load(accession, actor=person.account), actor=person.account)
        requests.ask(made, SAID | fields, agreement=person.name, actor=person.account)
        return made.id


def act(request_id: int, action: str, person=INES, **options) -> None:
    with db.transaction():
        decisions.act(requests.load(request_id, actor=person.account), action, actor=person.account, **options)


def grant(accession: str, person=STRANGER, **options) -> int:
    """A granted request; its id."""
    request_id = ask(accession, person)
    act(request_id, "approve", **options)
    return request_id


def get(request_id: int) -> Request:
    anew()
    return db.session.get_one(Request, request_id)


def mails(to=None) -> list[str]:
    """Subjects and bodies of the mails to a person, the oldest first."""
    db.end()
    rows = db.session.query(Mail).order_by(Mail.id)
    return [f"{row.subject}\n{row.body}" for row in rows if to is None or row.to == to.email]
