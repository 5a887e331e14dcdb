"""Reads the batch reports back as a LIMS would, knowing nothing of the program that wrote them."""

import csv
import gzip
import hashlib
import io
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ACCESSIONS = [
    "accession",
    "submission",
    "status",
    "updated",
    "published",
    "received",
    "type",
    "center",
    "visibility",
    "alias",
    "md5sum",
]
FILES = [
    "realm",
    "upload_id",
    "upload_date",
    "file_name",
    "file_size",
    "file_md5sum",
    "upload_name",
    "upload_size",
    "upload_md5sum",
    "file_status",
    "file_type",
    "load_date",
    "file_error",
    "submissions",
    "loaded_runs",
    "unloaded_runs",
    "suppressed_runs",
    "loaded_analyses",
    "unloaded_analyses",
    "suppressed_analyses",
]


def table(text: str, columns: list[str]) -> list[dict[str, str]]:
    rows = list(csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows[0] == columns
    assert all(len(row) == len(columns) for row in rows)
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]


@dataclass
class Dump:
    """A metadata dump: its accessions by accession, and the digest of the text of each object in its XML."""

    accessions: dict[str, dict[str, str]]
    digests: dict[str, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def dump(path: Path) -> Dump:
    with tarfile.open(path) as tar:
        content = {one.name: tar.extractfile(one).read() for one in tar}
    texts = {name: data for name, data in content.items() if name.endswith(".xml")}
    (listing,) = [name for name in content if name.endswith("_Accessions")]
    rows = table(content[listing].decode(), ACCESSIONS)
    found = Dump({row["accession"]: row for row in rows}, names=list(content))
    for data in texts.values():
        ElementTree.fromstring(data)
        # One object a line between the first two lines and the last: the text that the digest is of.
        for line in data.split(b"\n")[2:-2]:
            accession = re.search(rb'\saccession="([A-Z0-9]+)"', line).group(1).decode()
            found.digests[accession] = hashlib.md5(line, usedforsecurity=False).hexdigest()
    return found


def files(path: Path) -> list[dict[str, str]]:
    return table(gzip.decompress(path.read_bytes()).decode(), FILES)


@dataclass
class Lims:
    """What a center knows from the reports alone: increments are laid over what was known."""

    accessions: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def take(self, path: Path) -> None:
        if "_Metadata_" in path.name:
            read = dump(path)
            self.accessions = read.accessions
            self.digests = read.digests if "_Full_" in path.name else self.digests | read.digests
        else:
            rows: dict[str, list[dict[str, str]]] = {}
            for row in files(path):
                rows.setdefault(row["upload_id"], []).append(row)
            self.uploads = rows if "_Full_" in path.name else self.uploads | rows

    def knows_all_xml(self) -> bool:
        """Whether the XML at hand is that which the archive says is current."""
        wanted = {name: row["md5sum"] for name, row in self.accessions.items() if row["status"] != "withdrawn"}
        return {name: self.digests.get(name) for name in wanted if wanted[name]} == {
            name: digest for name, digest in wanted.items() if digest
        }
