"""Who gets what of batch reports: one's own center's, curators all, the mirror's everybody."""

from portal import clock, db
from portal.config import settings
from portal.domain.accounts import accounts
from portal.domain.reports import schedule
from portal.models import Report
from tests.web.matrix.rows import Row, everyone, people

NAMES = ("metadata", "files", "usage")


def stage(state: str) -> dict[str, object]:
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    found: dict[str, object] = {"name": "Metadata.tar.gz"}
    with db.transaction():
        for center_id in (ines.center_id, None):
            folder = schedule.folder(center_id)
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / "Metadata.tar.gz"
            path.write_bytes(b"x")
            row = Report(
                center_id=center_id,
                kind="metadata",
                day="2026-11-21",
                full=False,
                size=1,
                upto_event=0,
                made_at=clock.now(),
                path=str(path.relative_to(settings().instance)),
            )
            db.session.add(row)
            db.session.flush()
            found["id" if center_id else "public"] = row.id
    return found


def api(endpoint, path, expect, method="GET", **more):
    return Row(f"api.{endpoint}", method, f"/api/v1{path}", expect, bearer=True, **more)


ANY = people(200, anonymous=401)
# The whole center reads its reports; the curator names it.
OURS = {"anonymous": 401, "ines": 200, "colleague": 200, "stranger": 404, "ruth": 200}
OTHERS = {"anonymous": 401, "ines": 200, "colleague": 200, "stranger": 404, "ruth": 404}

ROWS = [
    api("list_reports", "/reports", ANY),
    api("list_reports", "/reports?center=Northmere Institute", OURS),
    api("show_report", "/reports/accessions", ANY),
    api("show_report", "/reports/files?center=Northmere Institute", OURS),
    api(
        "show_report",
        "/reports/metadata?center=Harbour Lab",
        {"anonymous": 401, "ines": 404, "colleague": 404, "stranger": 200, "ruth": 200},
    ),
    api("show_report", "/reports/metadata?date=2026-11-21", OTHERS),
    api("show_report", "/reports/usage?realm=protected", ANY),
    api("show_written_report", "/reports/metadata/{name}", OTHERS),
    api("show_written_report", "/reports/metadata/{name}?center=Northmere Institute", OURS),
    api("changed_since", "/reports/changed?since=2026-11-20", people(404, anonymous=401)),
    api("changed_since_mine", "/reports/changed", people(200, anonymous=401), "POST", raw=b"OMIXS000001\tab\n"),
    Row("tracking.reports", "GET", "/tracking/reports", people(200, anonymous=303)),
    Row("tracking.reports", "GET", "/tracking/reports?center=Northmere Institute", OURS | {"anonymous": 303}),
    Row("tracking.report", "GET", "/tracking/reports/{id}/{name}", OTHERS | {"anonymous": 303}),
    Row("tracking.report", "GET", "/tracking/reports/{public}/{name}", people(404, anonymous=303)),
    Row("tracking.report_now", "GET", "/tracking/reports/now/files.tsv", people(200, anonymous=303)),
    Row("reports.mirror", "GET", "/reports", everyone(200)),
    Row("reports.show", "GET", "/reports/{name}", everyone(200)),
    Row("reports.show", "GET", "/reports/OMIX_Files_Northmere-Institute_20261121.gz", everyone(404)),
]
