"""The files report of 1,000,000 uploads, gzipped, against the same columns by `sqlite3 ... | gzip`; and its memory
against that for 10,000."""

import resource
import subprocess
import sys
from pathlib import Path

from portal import config, db
from portal.config import Settings
from portal.domain.reports import current, tsv
from portal.models import Center
from tests.benchmarks import generated
from tests.benchmarks.harness import MIB, Row, in_turns, need

MANY, FEW = 1_000_000, 10_000
QUERY = """
SELECT CASE u.realm WHEN 'open' THEN 'Open' ELSE 'Protected' END AS realm, u.id AS upload_id,
  date(coalesce(u.received_at, u.created_at) / 1000, 'unixepoch') AS upload_date, u.name AS file_name,
  u.size AS file_size, u.md5 AS file_md5sum, '=' AS upload_name, '=' AS upload_size, '=' AS upload_md5sum,
  CASE WHEN u.state IN ('obsolete', 'expired') THEN coalesce('replaced_by_' || u.replaced_by, 'Obsolete')
    WHEN u.state = 'archived' THEN CASE d.state WHEN 'withdrawn' THEN 'Obsolete' ELSE 'Loaded' END
    WHEN coalesce(f.error, u.error) IS NOT NULL THEN 'Error' ELSE 'Received' END AS file_status,
  u.file_type, date(coalesce(f.archived_at, u.loaded_at) / 1000, 'unixepoch') AS load_date,
  coalesce(f.error, u.error) AS file_error, d.accession AS submissions,
  (SELECT group_concat(c.accession) FROM component_file l JOIN component c ON c.id = l.component_id
    WHERE l.file_id = f.id AND c.type = 'RUN' AND c.state = 'loaded') AS loaded_runs,
  (SELECT group_concat(c.accession) FROM component_file l JOIN component c ON c.id = l.component_id
    WHERE l.file_id = f.id AND c.type = 'RUN' AND c.state <> 'loaded') AS unloaded_runs, '' AS suppressed_runs,
  (SELECT group_concat(c.accession) FROM component_file l JOIN component c ON c.id = l.component_id
    WHERE l.file_id = f.id AND c.type = 'ANALYSIS' AND c.state = 'loaded') AS loaded_analyses,
  (SELECT group_concat(c.accession) FROM component_file l JOIN component c ON c.id = l.component_id
    WHERE l.file_id = f.id AND c.type = 'ANALYSIS' AND c.state <> 'loaded') AS unloaded_analyses,
  '' AS suppressed_analyses
FROM upload u LEFT JOIN file f ON f.upload_id = u.id LEFT JOIN dataset d ON d.id = f.dataset_id
WHERE u.center_id = {center} AND u.state <> 'receiving' ORDER BY u.id"""


def write(folder: Path, center_id: int) -> None:
    """What the job does for a full report."""
    with (folder / "files.gz").open("wb") as target, tsv.packed(target) as packed:
        packed.writelines(current.text("files", db.session.get_one(Center, center_id)))


def peak(folder: Path, center_id: int) -> int:
    """Bytes of memory at most, in a process of its own."""
    words = [sys.executable, "-m", "tests.benchmarks.reports", str(folder), str(center_id)]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def alone(folder: Path, center_id: int) -> None:
    chosen = Settings(instance=folder)
    config.use(chosen)
    db.configure(chosen.database)
    write(folder, center_id)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)


def measure(folder: Path):
    need("sqlite3", "gzip")
    generated.instance(folder)
    large, small = generated.person("large@example.org"), generated.person("small@example.org")
    for account, count in ((large, MANY), (small, FEW)):
        generated.uploads(account, count, datasets=[count // 10] * 9, parts=False)
    centers = large.center_id, small.center_id
    sql = folder / "report.sql"
    sql.write_text(f".mode tabs\n.headers on\n{QUERY.format(center=centers[0])};\n")
    command = f"sqlite3 {folder / 'portal.db'} < {sql} | gzip > {folder / 'peer.gz'}"

    def peer() -> None:
        subprocess.run(["sh", "-c", command], check=True)

    mine, theirs, ratio = in_turns(lambda: write(folder, centers[0]), peer)
    yield Row(
        "files report of 1,000,000 uploads, gzipped", f"{mine:.1f} s", f"{theirs:.1f} s", ratio, "<= 1.5", ratio <= 1.5
    )
    most, least = peak(folder, centers[0]), peak(folder, centers[1])
    yield Row(
        "its memory, against that of 10,000",
        f"{most / MIB:.0f} MiB",
        f"{least / MIB:.0f} MiB",
        most / least,
        "<= 1.2",
        most <= 1.2 * least,
    )


if __name__ == "__main__":
    alone(Path(sys.argv[1]), int(sys.argv[2]))
