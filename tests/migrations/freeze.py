"""A database of a release, frozen: every later step of the schema is taken on it too (test_frozen.py).

`python -m tests.migrations.freeze NAME` fills an instance as the demo does and goes on until every table has rows, ends
it, and writes what stands in its database to frozen/NAME.sql. Beside it, in frozen/NAME/, lies the bag of the dataset
that is due on the day after. Do this for each release; one that is there is never made anew.
"""

import contextlib
import ftplib
import io
import os
import re
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from portal import clock, db, states
from portal.domain.accounts import accounts, identities, tokens
from portal.domain.accounts.identities import Person
from portal.domain.files import inspection_results
from portal.domain.shared import job_queue, outbound_hosts, search_index
from portal.domain.uploads import folders, resumable
from portal.domain.webhooks import deliveries, subscriptions
from portal.jobs.worker import Worker
from portal.maintenance import demo
from portal.models import Account, Job, Webhook
from tests.live import Live, opened

FROZEN = Path(__file__).resolve().parent / "frozen"
DUE = "Dawn chorus of a marsh: counts by hour"
SITE = {"OMIX_SITE_NAME": "Northmere Data Archive", "OMIX_PUBLIC_URL": "https://archive.example.org"}
INVENTED = "whsec_aW52ZW50ZWQgZm9yIGEgZnJvemVuIGRhdGFiYXNlISE="  # says so
SHADOW = re.compile(r"_(data|idx|content|docsize|config)$")
SAID = {
    "purpose": "eQTLs of the liver.",
    "institution": "Harbour Lab",
    "principal_investigator": "Tomas Lind",
    "ethics": "HL-2026-11",
    "answers": ["On a machine without a network."],
}


# What SQLite says is written down, and read again.


def connect(path: Path | str):
    """The database of a file, by the SQLite that the portal uses."""
    return db.pysqlite3.connect(path)


def read(frozen: Path) -> str:
    """What was written down, with its ends of lines as they are."""
    return frozen.read_bytes().decode()


def load(frozen: Path, target: Path) -> None:
    """A new database file of what was written down."""
    with contextlib.closing(connect(target)) as base:
        base.executescript(read(frozen))


def dump(path: Path) -> str:
    """A database as SQL: tables and rows in their order, views, indexes of letters, indexes, and triggers last, so that
    none acts on what is read in."""
    with contextlib.closing(connect(path)) as base:
        base.execute("BEGIN")
        return "".join(f"{line}\n" for line in _lines(base))


def _lines(base) -> Iterator[str]:
    tables, letters = tables_of(base), letters_of(base)
    yield "PRAGMA foreign_keys=OFF;"
    yield "BEGIN;"
    for name, sql in tables.items():
        yield f"{sql};"
        yield from _rows(base, name)
    yield "DELETE FROM sqlite_sequence;"
    yield from _rows(base, "sqlite_sequence")
    yield from (f"{sql};" for sql in _made(base, "view").values())
    for name, sql in letters.items():
        yield f"{sql};"
        yield _taken_in(base, name)
    yield from (f"{sql};" for kind in ("index", "trigger") for sql in _made(base, kind).values())
    yield "COMMIT;"


def _made(base, kind: str) -> dict[str, str]:
    """What was made of a kind, by name, as it was said; without what SQLite makes by itself."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"
    return dict(base.execute(f"{query} ORDER BY name", (kind,)))


def letters_of(base) -> dict[str, str]:
    """The indexes of letters."""
    return {name: sql for name, sql in _made(base, "table").items() if sql.startswith("CREATE VIRTUAL")}


def tables_of(base) -> dict[str, str]:
    """The tables, without the indexes of letters and what those keep."""
    letters = letters_of(base)
    return {name: sql for name, sql in _made(base, "table").items() if SHADOW.sub("", name) not in letters}


def key_of(base, table: str) -> list[str]:
    """The columns of a table's key; all of them where it has none."""
    found = sorted((row[5], row[1]) for row in base.execute(f"PRAGMA table_info({table})") if row[5])
    return [name for _place, name in found] or columns_of(base, table)


def columns_of(base, table: str) -> list[str]:
    return [row[1] for row in base.execute(f"PRAGMA table_info({table})")]


def _rows(base, table: str) -> Iterator[str]:
    columns = columns_of(base, table)
    values = " || ', ' || ".join(f'quote("{name}")' for name in columns)
    order = ", ".join(f'"{name}"' for name in key_of(base, table))
    names = ", ".join(f'"{name}"' for name in columns)
    for (row,) in base.execute(f"SELECT {values} FROM {table} ORDER BY {order}"):
        yield f"INSERT INTO {table} ({names}) VALUES ({row});"


def _taken_in(base, index: str) -> str:
    """An index of letters holds no rows of its own: it takes in those of its table, up to its mark where it has one."""
    if base.execute("SELECT 1 FROM text_mark WHERE name = ?", (index,)).fetchone() is None:
        return f"INSERT INTO {index} ({index}) VALUES ('rebuild');"
    words = index.removesuffix("text") + "words"
    mark = f"(SELECT upto FROM text_mark WHERE name = '{index}')"
    return f"INSERT INTO {index} (rowid, owner, text) SELECT id, owner, text FROM {words} WHERE id <= {mark};"


# How an instance comes to have a row of everything.


class Site:
    """A portal that runs, and the people of the demo with two more."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.ines, self.tomas, self.ruth = (demo.Program(live.web, one) for one in demo.make_people().values())
        self.mei = demo.Program(live.web, live.add("mei.tanaka@example.org", center="Northmere Hepatology"))
        self.nils = demo.Program(live.web, live.add("nils.berg@example.org", center="Fjord Station"))

    def fill(self) -> None:
        demo.datasets(self.ines, self.tomas, self.ruth)
        self.due()
        self.mended()
        self.ended()
        self.asked()
        self.small_things()
        self.by_ftp()

    def archived(self, who: demo.Program, folder: str, title: str, *, count: int = 2, **fields) -> dict:
        """A dataset of small files that a curator approved."""
        files = []
        for n in range(1, count + 1):
            name, data = demo.table(f"{folder}/hour_{n:02d}.tsv", 12)
            who.send(name, data)
            files.append(demo.declared(name, data, f"Counts of hour {n}"))
        made = who.deposit(title, files, **fields)
        who.act(made, "submit")
        ready = who.wait(made, demo.archived)
        self.ruth.act(ready, "approve", version=ready["version"])
        return who.wait(made, lambda found: found["state"] == "approved")

    def due(self) -> None:
        """What opens on the day after: approved, all of it archived, read and found good. A journal has a link."""
        tomorrow = (clock.today("UTC") + timedelta(days=1)).isoformat()
        made = self.archived(self.ines, "marsh", DUE, count=3, release_date=tomorrow, species="mixed sample")
        self.live.omix("fixity", made["accession"])
        for label in ("A journal", "Taken back"):
            link = self.ines.call("POST", f"/datasets/{made['id']}/links", {"label": label})
            self.look(f"/share/{link['url'].rpartition('/')[2]}")
        self.ines.call("DELETE", f"/datasets/{made['id']}/links/2")

    def mended(self) -> None:
        """A dataset of which one file was replaced and one removed."""
        made = self.archived(self.tomas, "peat", "Methane of a peat bog", count=3, release_date="2199-01-01")
        path = f"/datasets/{made['id']}/files"
        name, data = demo.table("peat/hour_01_again.tsv", 12)
        self.tomas.send(name, data)
        self.tomas.call("POST", f"{path}/1/replacement", demo.declared(name, data, ""))
        self.tomas.call("DELETE", f"{path}/2")
        self.tomas.wait(made, lambda found: demo.archived(found) and found["files"][0]["name"] != "peat/hour_01.tsv")

    def ended(self) -> None:
        """A dataset that left the lists, and one of which only a tombstone stays."""
        today = clock.today("UTC").isoformat()
        made = self.archived(self.tomas, "moss", "Moss on roofs", release_date=today)
        self.tomas.wait(made, lambda found: found["state"] == "released")
        self.ruth.call("POST", f"/datasets/{made['id']}/publications", {"publication": "10.1234/moss"})
        self.look(f"/datasets/{made['accession']}/files/moss/hour_01.tsv")
        self.ruth.act(made, "suppress", note="Its authors look at it again.")
        gone = self.archived(self.nils, "ferns", "Ferns of a fjord")
        self.nils.act(gone, "withdraw", note="Sent by mistake.")

    def asked(self) -> None:
        """Requests for the cohort: one of each way that they may end, and one that waits. A committee decides."""
        found = self.ines.call("GET", "/datasets?state=released")["items"]
        ref = next(one["accession"] for one in found if one["access"] == "controlled")
        self.ines.call("POST", f"/datasets/{ref}/deciders", {"email": "mei.tanaka@example.org"})
        terms = {"longest_days": 200, "questions": [{"text": "Where do the data lie?"}]}
        self.ines.call("PUT", f"/datasets/{ref}/terms", terms | {"committee": "Data committee of Northmere"})
        self.ask(ref, deny={"note": "The purpose is too wide."})
        self.ask(ref, ask={"note": "Which donors?"}, approve={"files": [1, 2]}, revoke={"note": "The project ended."})
        self.ask(ref, approve={})
        self.look(f"/datasets/{ref}/files/cohort/counts_01.tsv", self.tomas)
        self.nils.call("POST", "/requests", SAID | {"dataset": ref, "agreement": "Nils Berg"})

    def ask(self, ref: str, **moves: dict) -> None:
        """Tomas asks with a letter, and the committee answers move by move."""
        made = self.tomas.call("POST", "/requests", SAID | {"dataset": ref, "agreement": "Tomas Lind"})
        self.tomas.call("PUT", f"/requests/{made['id']}/letter?name=letter.pdf", b"%PDF-1.7 a letter")
        for action, more in moves.items():
            self.mei.call("POST", f"/requests/{made['id']}/actions/{action}", more)
            self.mei.call("POST", f"/requests/{made['id']}/messages", {"text": "As agreed on Monday.", "private": True})

    def small_things(self) -> None:
        """More room, a repeated call, a package, an upload that was cut, one that was taken back."""
        self.tomas.call("POST", "/area/quota", {"note": "2 TiB for images."})
        self.ruth.call("PATCH", f"/centers/{self.center('Northmere Hepatology')}", {"quota_gib": {"open": 2048}})
        self.live.api(self.ines.secret, "POST", "/datasets", {"title": "Twice sent"}, headers={"Idempotency-Key": "k1"})
        self.nils.send("birds/songs.tar", package())
        self.nils.send("birds/taken_back.tsv", b"1\t2\n")
        self.nils.send("birds/taken_back.tsv", b"1\t2\t3\n")
        half = {
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "4000",
            "Content-Type": "application/offset+octet-stream",
            "Upload-Metadata": "filename YmlyZHMvY3V0LnRzdg==",
        }
        self.live.api(self.nils.secret, "POST", "/tus/", b"half of it\n", headers=half)

    def center(self, name: str) -> int:
        return next(one["id"] for one in self.ruth.call("GET", "/centers")["items"] if one["name"] == name)

    def by_ftp(self) -> None:
        """A folder, metadata that were dropped, and somebody with a wrong password."""
        with ftplib.FTP() as client:
            client.connect(self.live.ftp.hostname, self.live.ftp.port)
            with contextlib.suppress(ftplib.error_perm):
                client.login("nils.berg@example.org", "not this one")
        with ftplib.FTP() as client:
            client.connect(self.live.ftp.hostname, self.live.ftp.port)
            client.login("nils.berg@example.org", "correct horse")
            client.mkd("/OMIX/empty")
            study = f"<STUDY_SET>{demo.STUDY.replace('larvae', 'fledglings')}</STUDY_SET>"
            client.storbinary("STOR /OMIX/drop/study.xml", io.BytesIO(study.encode()))

    def discarded(self) -> None:
        """A draft that nobody misses; its numbers are not given again."""
        self.nils.act(self.nils.deposit("Forgotten", [{"name": "forgotten.tsv"}]), "discard")

    def look(self, path: str, who: demo.Program | None = None) -> None:
        """A page or a file, read by somebody."""
        request = urllib.request.Request(f"{self.live.web}{path}")
        if who:
            request.add_header("Authorization", f"Bearer {who.secret}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


def package() -> bytes:
    """A tar of two files."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as made:
        for n in (1, 2):
            name, data = demo.table(f"songs/song_{n}.tsv", 4)
            member = tarfile.TarInfo(name)
            member.size = len(data)
            made.addfile(member, io.BytesIO(data))
    return whole.getvalue()


def rest(folder: Path) -> None:
    """What no program can ask for, and what the worker of an hour later would have done."""
    with opened(folder):
        nils = accounts.by_email("nils.berg@example.org")
        assert nils is not None
        with db.transaction():
            people(nils)
            hooks(nils)
            owed()
            resumable.announce(actor=nils, name="birds/later.tsv", length=4000)
            folders.make_folder(nils, folders.named("/OMIX-protected/later"))
            inspection_results.enqueue_missed_survey()
        Worker().drain()
        with db.transaction():
            search_index.take_in(few=0)
        with db.transaction():
            db.change(update(Job).where(Job.owner.is_not(None)).values(owner="archive.example.org:1:00000000"))


def people(nils: Account) -> None:
    """Somebody who has not confirmed an address, and secrets of each kind."""
    accounts.register(email="ada.holm@example.org", name="Ada Holm", password=demo.PASSWORD)
    accounts.start_reset(nils.email)
    accounts.make_ftp_password(nils)
    tokens.issue(nils, "session")
    identities.link(nils, Person("https://sign-on.example.org", "4711", nils.email, nils.name), actor=nils)


def hooks(nils: Account) -> None:
    """A webhook whose receiver took one message and refused the next, one that is paused, and one that is gone."""
    for label in ("LIMS", "Paused", "Gone"):
        address = outbound_hosts.parse(f"https://receiver.example.org/{label.lower()}")
        subscriptions.add(nils, address, label=label, actor=nils).secret = INVENTED
    first, paused, gone = db.session.scalars(select(Webhook).order_by(Webhook.id)).all()
    subscriptions.pause(paused, actor=nils)
    subscriptions.remove(gone, actor=nils)
    first.cursor = 0
    for status, says in ((204, "No Content"), (503, "Service Unavailable")):
        message = deliveries.following(first.id)
        assert message is not None
        deliveries.record(message, status=status, says=says, took=40)


def owed() -> None:
    """Work that failed for good and work that was cancelled."""
    failed = job_queue.enqueue("prune", key="prune")
    failed.state, failed.attempt, failed.error, failed.ended_at = states.FAILED, 5, "No answer.", clock.now()
    job_queue.cancel(job_queue.enqueue("expire", key="expire"), actor=None)


def settle(live: Live) -> None:
    """Wait until no work is owed within the minute, and what was dropped is read."""
    until, soon = time.monotonic() + 120, clock.now() + clock.MINUTE
    waiting = select(Job.id).where(Job.state.in_((states.QUEUED, states.RUNNING)), Job.not_before < soon)
    while time.monotonic() < until:
        with opened(live.instance):
            if not db.session.scalars(waiting).all():
                return
        time.sleep(1)
    raise TimeoutError("work is still owed")


def freeze(name: str) -> None:
    """Fill an instance, end it, and write it down."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder) / "instance"
        for setting in [one for one in os.environ if one.startswith("OMIX_")]:
            del os.environ[setting]
        os.environ |= {"OMIX_INSTANCE": str(instance)} | SITE
        with Live(instance) as live:
            site = Site(live)
            site.fill()
            settle(live)
            site.discarded()
        rest(instance)
        write(name, instance)


def write(name: str, instance: Path) -> None:
    """The SQL, and the bag that the test opens."""
    text = dump(instance / "portal.db")
    FROZEN.mkdir(exist_ok=True)
    (FROZEN / f"{name}.sql").write_bytes(text.encode())
    with contextlib.closing(connect(instance / "portal.db")) as base:
        (accession,) = base.execute("SELECT accession FROM dataset WHERE title = ?", (DUE,)).fetchone()
    bag = Path("archive/open") / accession
    shutil.copytree(instance / bag, FROZEN / name / bag, copy_function=shutil.copyfile)


if __name__ == "__main__":
    freeze(sys.argv[1])
