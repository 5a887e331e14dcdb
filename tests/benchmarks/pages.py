"""Pages of a large archive: 100,000 released datasets, and a dataset of 5,000 files declared from one pasted list."""

import hashlib
import http.client
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from portal import clock, db
from tests.benchmarks import generated
from tests.benchmarks.harness import Row, timed
from tests.live import Live, archived

DATASETS, FILES = 100_000, 5_000
_RELEASED = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO dataset (account_id, center_id, accession, title, description, species, investigator, data_type, bioproject,
  filing_number, human, access, realm, release_date, state, version, next_n, bag_dirty, bag_generation, search_text,
  created_at, updated_at, submitted_at, first_submitted_at, released_at)
SELECT :account, :center, printf('OMIX%06d', i), printf('Livers under stress, part %d', i),
  'Counts of twelve livers at six temperatures, with controls.', 'Mus musculus', '',
  CASE i % 5 WHEN 0 THEN 'Proteomics' WHEN 1 THEN 'Metabolomics' ELSE 'Transcriptomics' END, '', '', 0,
  CASE WHEN i % 10 = 0 THEN 'controlled' ELSE 'open' END, 'open', '2026-01-01', 'released', 1, 2, 0, 1,
  printf('omix%06d livers under stress, part %d counts of twelve livers at six temperatures mus musculus ',
         i, i) || CASE WHEN i % 5000 = 0 THEN 'zebrafish' ELSE 'mouse' END, :now + i, :now + i, :now, :now,
  :now + i
FROM n"""
_FILE = """
INSERT INTO file (dataset_id, n, name, base, title, description, data_type, unit, state, comment, size, md5, sha256,
  archive_path, archived_at, created_at, updated_at, fixity, fixity_at)
SELECT id, 1, 'counts.tsv', 'counts.tsv', '', '', '', 'samples', 'archived', '', 1000, printf('%032x', id),
  printf('%064x', id), 'data/counts.tsv', :now, :now, :now, 'ok', :now
FROM dataset"""
PUBLIC = {
    "first page": "/",
    "a word of 20 datasets": "/?term=zebrafish",
    "a word of all": "/?term=livers",
    "three words of all": "/?term=livers+stress+mouse",
    "a word of none": "/?term=absentword",
    "by access and type": "/?access=controlled&type=Proteomics",
    "landing page": "/datasets/OMIX050000",
    "list of files": "/datasets/OMIX050000/files",
}


class Visitor:
    """A browser's one connection to a portal, with a session if it signed in."""

    def __init__(self, web: str, cookie: str = "") -> None:
        self._line = http.client.HTTPConnection(urlsplit(web).netloc, timeout=120)
        self._headers = {"Accept": "text/html", "Cookie": cookie}

    def get(self, path: str) -> None:
        self._line.request("GET", path, headers=self._headers)
        answer = self._line.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)

    def median(self, path: str) -> float:
        self.get(path)
        return statistics.median(timed(lambda: self.get(path)) for _ in range(7))


def row(work: str, seconds: float, bar: float) -> Row:
    return Row(work, f"{seconds * 1000:.0f} ms", f"{bar * 1000:.0f} ms", seconds / bar, "<= 1", seconds <= bar)


def measure(folder: Path):
    yield from many_datasets(folder / "public")
    yield from many_files(folder / "files")


def many_datasets(folder: Path):
    folder.mkdir()
    generated.instance(folder)
    person = generated.person("ines@example.org")
    who = {"account": person.id, "center": person.center_id, "now": clock.now() - clock.DAY, "count": DATASETS}
    with db.transaction():
        for statement in (_RELEASED, _FILE):
            generated.write(db.session.connection(), statement, **who)
    db.dispose()
    with Live(folder) as live:
        visitor = Visitor(live.web)
        for name, path in PUBLIC.items():
            yield row(f"{DATASETS:,} released datasets: {name}", visitor.median(path), 0.1)


def many_files(folder: Path):
    """Declared from one list, submitted, archived; then each of its pages."""
    bodies = {f"run{n % 10}/sample_{n:04d}.txt": f"sample {n}\n".encode() for n in range(FILES)}
    with Live(folder) as live:
        ines, ruth = live.add("ines@example.org"), live.add("ruth@example.org", role="curator")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda one: live.api(ines, "PUT", f"/uploads/open/{one[0]}", one[1]), bodies.items()))
        made = live.api(
            ines,
            "POST",
            "/datasets",
            {"title": "Many", "description": "Of many samples.", "species": "Mus musculus", "access": "open"},
        )[1]
        sums = "".join(f"{hashlib.md5(body).hexdigest()}  {name}\n" for name, body in bodies.items()).encode()
        began = time.monotonic()
        status, said = live.api(ines, "POST", f"/datasets/{made['id']}/digests?add=1", sums)
        assert status == 200, said
        live.api(ines, "POST", f"/datasets/{made['id']}/actions/submit", {})
        made = live.wait(ines, made["id"], archived, within=120)
        yield row(f"{FILES:,} files: declared, submitted, archived", time.monotonic() - began, 60)
        ref = made["accession"]
        pages = {
            ines: (
                "/deposit",
                f"/deposit/{ref}",
                f"/deposit/{ref}?text=sample_49&sort=name",
                f"/deposit/{ref}?sort=size",
                f"/deposit/{ref}/digests",
                f"/deposit/{ref}/sheet",
                f"/deposit/{ref}/history",
                f"/deposit/{ref}/files/1",
                f"/deposit/{ref}/ftp",
                "/tracking",
                "/area",
                f"/datasets/{ref}",
            ),
            ruth: ("/review", f"/review/{ref}"),
        }
        for email, paths in zip(("ines@example.org", "ruth@example.org"), pages.values(), strict=True):
            visitor = Visitor(live.web, signed_in(live, email))
            for path in paths:
                yield row(f"{FILES:,} files: {path.replace(ref, '*')}", visitor.median(path), 0.3)


def signed_in(live: Live, email: str) -> str:
    """The cookie of a session, got by the form."""
    line = http.client.HTTPConnection(urlsplit(live.web).netloc, timeout=60)
    line.request("GET", "/login", headers={"Accept": "text/html"})
    page = line.getresponse()
    cookie, text = page.getheader("Set-Cookie", "").partition(";")[0], page.read().decode()
    token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
    body = f"csrf_token={token}&email={email}&password=correct+horse"
    line.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie})
    answer = line.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    return answer.getheader("Set-Cookie", "").partition(";")[0]
