"""A catalogue as large as one likes, written in a few statements: people with uploads and datasets, no bytes."""

from pathlib import Path

from sqlalchemy import Connection

from portal import clock, config, db, migrations, queue
from portal.config import Settings
from portal.domain.accounts import accounts
from portal.domain.shared import search_index
from portal.models import Account

PASSWORD = "correct horse battery"
# One upload in five waits, one in eight failed, one in three is BAM; all came within six days: a thousand fill a page
# of each kind, so that a page of a million is compared with one as long.
_UPLOADS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO upload (token, account_id, center_id, realm, area, name, base, size, bytes_done, md5, sha256, file_type,
  state, error, detail, via, resumed, fence, heard_at, received_at, created_at)
SELECT printf('%d-%032d', :account, i), :account, :center, CASE WHEN i % 7 = 0 THEN 'protected' ELSE 'open' END,
  'incoming', printf('run%04d/sample_%07d.fastq.gz', i / 1000, i), printf('sample_%07d.fastq.gz', i),
  1000 + (i * 7919) % 1000000, 0, printf('%032x', i), printf('%064x', i),
  CASE WHEN i % 3 = 0 THEN 'BAM' ELSE 'GZ' END,
  CASE WHEN i % 8 = 1 THEN 'failed' WHEN i % 5 = 0 THEN 'received' ELSE 'archived' END,
  CASE WHEN i % 8 = 1 THEN 'truncated_file' END, '', 'ftp', 0, 1, :now, :began + (:now - :began) * i / :count,
  :began + (:now - :began) * i / :count
FROM n"""
_FILES = """
INSERT INTO file (dataset_id, n, name, base, title, description, data_type, unit, state, error, comment, upload_id,
  size, md5, sha256, archive_path, archived_at, created_at, updated_at)
SELECT :dataset, ROW_NUMBER() OVER (ORDER BY id), name, base, '', '', '', 'samples',
  CASE state WHEN 'failed' THEN 'error' ELSE state END, error, '', id, size, md5, sha256, name, received_at, created_at,
  created_at
FROM upload WHERE account_id = :account AND id > :after ORDER BY id LIMIT :count"""
_COMPONENTS = """
INSERT INTO component (dataset_id, center_id, type, alias, accession, title, md5, origin, state, status, comment,
  received_at, updated_at)
SELECT dataset_id, :center, CASE n % 3 WHEN 0 THEN 'RUN' WHEN 1 THEN 'SAMPLE' ELSE 'EXPERIMENT' END,
  printf('sample_%07d-%d', n, dataset_id), printf('OMIXS%06d%07d', dataset_id, n), 'Liver ' || n, '', 'xml',
  CASE WHEN n % 8 = 1 THEN 'error' WHEN n % 5 = 0 THEN 'received' ELSE 'loaded' END, '',
  CASE WHEN n % 8 = 1 THEN 'line 41: not in the list' ELSE '' END, :now, :now
FROM file WHERE dataset_id = :dataset"""
_DATASET = """
INSERT INTO dataset (account_id, center_id, accession, title, description, species, investigator, data_type, bioproject,
  filing_number, human, access, realm, state, version, next_n, bag_dirty, bag_generation, search_text, created_at,
  updated_at, submitted_at, first_submitted_at)
VALUES (:account, :center, :accession, :title, '', 'Mus musculus', '', '', '', '', 0, 'open', 'open', 'submitted', 1,
  :next, 0, 0, '', :now, :now, :now, :now)"""


def instance(folder: Path) -> Settings:
    """A new instance with an empty catalogue."""
    chosen = Settings(instance=folder, port=0, ftp_port=0, free_floor_mib=0)
    chosen.prepare()
    config.use(chosen)
    migrations.upgrade(db.configure(chosen.database))
    queue.configure("")
    return chosen


def person(email: str) -> Account:
    with db.transaction():
        return accounts.create(email=email, password=PASSWORD, role="submitter", center=email, name="Ines Okafor")


def uploads(account: Account, count: int, *, datasets: list[int], parts: bool = True) -> list[str]:
    """So many uploads, the first of them claimed by datasets of these sizes with as many components where these are
    wanted; returns the accessions."""
    began = clock.now() - 6 * clock.DAY
    who = {"account": account.id, "center": account.center_id, "now": clock.now()}
    made, taken = [], 1
    with db.transaction():
        connection = db.session.connection()
        write(connection, _UPLOADS, **who, count=count, began=began)
        first = int(connection.exec_driver_sql("SELECT max(id) FROM upload").scalar_one()) - count
        for number, size in enumerate(datasets):
            accession = f"OMIX{account.id:02d}{number:04d}"
            write(connection, _DATASET, **who, accession=accession, title=f"Run {number}", next=size + 1)
            dataset = connection.exec_driver_sql("SELECT max(id) FROM dataset").scalar_one()
            write(connection, _FILES, account=account.id, dataset=dataset, after=first, count=size)
            if parts:
                write(connection, _COMPONENTS, **who, dataset=dataset)
            first += size
            made.append(accession)
    while taken:
        with db.transaction():
            taken = search_index.take_in(few=0, most=200_000)
    return made


def write(connection: Connection, statement: str, **values: object) -> None:
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    connection.exec_driver_sql(statement, used)
