"""What mails say: every template renders whole, and nothing typed by a stranger changes a header."""

import logging
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal import config, db
from portal.domain.shared import notifications
from portal.models import Job, Mail

SAID = [
    {"about": "Data Info", "who": "Ruth", "text": "Name the bank."},
    {"about": "Files", "who": "Ruth", "text": "Pack them."},
]
VALUES = {
    "verify": {"name": "Ines", "url": "/verify/x", "hours": 24},
    "reset": {"name": "Ines", "url": "/reset/x", "hours": 1},
    "registered-exists": {"name": "Ines", "url": "/reset"},
    "access_decider": {
        "name": "Mei",
        "turn": "submit",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "requester": "Ines",
        "email": "ines@example.org",
        "institution": "Lab",
        "purpose": "Reuse.",
        "state": "open",
        "note": "",
        "waiting": 2,
        "url": "/requests/1",
    },
    "access_requester": {
        "name": "Ines",
        "turn": "approve",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Mei",
        "state": "granted",
        "from_day": "2027-01-01",
        "until_day": "2028-01-01",
        "whole": True,
        "note": "",
        "url": "/requests/1",
    },
    "webhook_gone": {"name": "Ines", "label": "LIMS", "address": "https://lims.example.org/h", "url": "/account"},
    "webhook_paused": {
        "name": "Ines",
        "label": "LIMS",
        "address": "https://lims.example.org/h",
        "says": "No answer.",
        "url": "/account",
    },
    "health": {
        "name": "Ruth",
        "faults": [("Disks", "Full.", "Make room."), ("FTP", "Silent.", "")],
        "url": "/admin/check",
    },
    "invited": {
        "name": "",
        "inviter": "Ines",
        "title": "Liver",
        "has_account": False,
        "url": "/register",
    },
    "uninvited": {"name": "Mei", "title": "Liver", "accession": "OMIX000001", "url": "/deposit"},
    "handed_over": {
        "name": "Mei",
        "before": "Ines",
        "datasets": [("OMIX000001", "Liver"), ("draft 2", "")],
        "url": "/deposit",
    },
    "quota_asked": {
        "name": "Ruth",
        "who": "Ines",
        "email": "ines@example.org",
        "center": "Lab",
        "note": "2 TB more.",
        "url": "/admin/centers/1",
    },
    "quota_changed": {
        "name": "Ines",
        "center": "Lab",
        "quotas": ["open realm: 3 GiB", "protected realm: no bound"],
        "url": "/area",
    },
    "reset_by_hand": {"name": "Ines", "by": "Ruth Adeyemi", "days": 3, "url": "/account"},
    "expires": {
        "name": "Ines",
        "kind": "unused",
        "number": 3,
        "size": 30,
        "more": 1,
        "first": "2027-01-01",
        "files": [{"name": "run/a.bam", "size": 10, "day": "2027-01-01"}],
        "url": "/area",
    },
    "linked": {"name": "Ines", "provider": "Northmere sign-on", "email": "ines@example.org", "url": "/account"},
    "test": {"name": "Ruth", "to": "ruth@example.org"},
    "fixity_bad": {
        "name": "Ruth",
        "accession": "OMIX000001",
        "title": "Liver",
        "file": "a.bam",
        "cause": "It differs.",
        "path": "data/a",
        "url": "/datasets/OMIX000001",
    },
    "failed_work": {
        "name": "Ruth",
        "failed": [
            ("OMIX000001", "Liver", "Its manifests could not be written."),
            ("upload 7", "", "It was not read."),
        ],
        "url": "/admin/jobs?state=failed",
    },
    "md5_failed": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "files": [
            {"name": "a.bam", "cause": "Cut off.", "declared": "0" * 32, "received": "1" * 32},
            {"name": "b.bam", "cause": "", "declared": "2" * 32, "received": "3" * 32},
        ],
        "count": 3,
        "url": "/deposit/1",
    },
    "returned": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "curator": "Ruth",
        "note": "Mend it.",
        "remarks": SAID,
        "url": "/deposit/1",
    },
    "approved": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "curator": "Ruth",
        "note": "",
        "release_date": "2027-01-01",
        "url": "/deposit/1",
    },
    "remarked": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ruth",
        "remarks": SAID,
        "url": "/deposit/1",
    },
    "handed_in": {
        "name": "Ruth",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "version": 2,
        "again": True,
        "remarks": SAID,
        "url": "/review/OMIX000001",
    },
    "recalled": {
        "name": "Ruth",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "version": 2,
        "url": "/review/OMIX000001",
    },
    "edited": {
        "name": "Ruth",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "version": 3,
        "seen": 2,
        "changes": [
            {"what": "Species", "before": "", "after": "Mus musculus"},
            {"what": "BioProject", "before": "PRJNA1", "after": ""},
        ],
        "more": 3,
        "url": "/review/OMIX000001",
    },
    "release_due": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "release_date": "2027-01-01",
        "zone": "UTC",
        "left": "1 of 2 files is not archived.",
        "url": "/deposit/OMIX000001",
    },
    "waits": {
        "name": "Ruth",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "version": 2,
        "days": 7,
        "url": "/review/OMIX000001",
    },
    "returned_waits": {
        "name": "Ines",
        "accession": "OMIX000001",
        "title": "Liver",
        "who": "Ines",
        "version": 2,
        "days": 30,
        "url": "/deposit/OMIX000001",
    },
    "released": {"name": "Ines", "accession": "OMIX000001", "title": "Liver", "access": "open", "url": "/OMIX000001"},
}
FOLDER = config.ROOT / "templates" / "email"


def test_every_template_is_known_here():
    assert {path.stem for path in FOLDER.glob("[!_]*.txt")} == set(VALUES)


@pytest.mark.parametrize("template", sorted(VALUES))
def test_template_renders_whole(settings, caplog, template):
    settings.public_url = "https://data.example.org"
    with caplog.at_level(logging.WARNING, logger="portal.domain.shared.notifications"):
        subject, body = notifications.render(template, **VALUES[template])
    assert caplog.text == ""
    assert subject and "\n" not in subject and "Subject" not in body
    assert "\n\n\n" not in body and body.rstrip().endswith(tuple(["archive@example.org", "Northmere Data Archive"]))
    assert template == "test" or "https://data.example.org/" in body


def test_same_key_is_one_mail_and_one_job(database):
    for _ in range(2):
        with db.transaction():
            notifications.send("once", to="ines@example.org", template="test", name="Ruth")
    assert db.session.scalar(select(func.count()).select_from(Mail)) == 1
    assert db.session.scalar(select(func.count()).select_from(Job)) == 1


def test_line_breaks_reach_no_header(database):
    with db.transaction():
        mail = notifications.send(
            "a",
            to="x@example.org\r\nBcc: all@example.org",
            template="md5_failed",
            files=[{"name": "a\r\nBcc: all@example.org"}],
            count=1,
            title="T",
        )
    assert "\n" not in mail.subject + mail.to and "\r" not in mail.subject + mail.to


def test_forgotten_value_does_not_stop_the_work(database, caplog):
    with db.transaction():
        mail = notifications.send("b", to="x@example.org", template="returned")
    assert "is undefined" in caplog.text and mail.id


def test_links_stand_on_the_listening_address_where_none_is_set(settings):
    Path(settings.run / "addresses.json").write_text('{"web": "http://127.0.0.1:4321", "ftp": "x"}')
    assert notifications.site_url("/login") == "http://127.0.0.1:4321/login"
