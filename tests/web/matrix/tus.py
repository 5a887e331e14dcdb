"""Resumable uploads: each person reaches only what they announced themselves."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.uploads import resumable
from tests.web.matrix.rows import Row, people


def stage(state: str) -> dict[str, object]:
    """One announced upload of Ines."""
    with db.transaction():
        ines = accounts.by_email("ines.okafor@example.org")
        return {"key": resumable.announce(actor=ines, name="a.bin", length=3).key}


# Asked in no version of tus, everybody is told which one this speaks; what strangers reach is in api/test_tus.py.
ROWS = [
    Row("api.tus_create", "POST", "/api/v1/tus/", people(412, anonymous=401)),
    Row("api.tus_send", "PATCH", "/api/v1/tus/{key}", people(412, anonymous=401)),
    Row("api.tus_drop", "DELETE", "/api/v1/tus/{key}", people(412, anonymous=401)),
    Row("api.tus_override", "POST", "/api/v1/tus/{key}", people(412, anonymous=401)),
]
