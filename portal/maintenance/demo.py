"""A throw-away instance with a few invented people, datasets in every state, and uploads that arrive while you look.

It uses the portal as programs do, over HTTP, so that all of it is true.
"""

import contextlib
import hashlib
import json
import logging
import os
import random
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from portal import clock, db, errors
from portal.config import Settings
from portal.domain.accounts import accounts, tokens
from portal.messages import say

log = logging.getLogger(__name__)
PASSWORD = "demo demo demo"  # noqa: S105 - printed, of a throw-away instance
PEOPLE = (
    ("ines.okafor@example.org", "Ines Okafor", "submitter", "Northmere Hepatology"),
    ("tomas.lind@example.org", "Tomas Lind", "submitter", "Harbour Lab"),
    ("ruth.adeyemi@example.org", "Ruth Adeyemi", "curator", "The Archive"),
)
Document = dict[str, Any]  # what the API sends and takes
HUMAN = "Human (Homo sapiens)"


@contextlib.contextmanager
def instance() -> Iterator[tuple[Settings, Callable[[dict[str, str]], None]]]:
    """Settings of a new instance, and what is to be called with its addresses."""
    with tempfile.TemporaryDirectory(prefix="omix-demo-") as folder:
        os.environ["OMIX_INSTANCE"] = folder
        os.environ.setdefault("OMIX_SITE_NAME", "Northmere Data Archive")
        os.environ.setdefault("OMIX_FREE_FLOOR_MIB", "64")
        yield Settings(), start


def start(addresses: dict[str, str]) -> None:
    threading.Thread(target=fill, args=(addresses["web"],), daemon=True).start()


def fill(web: str) -> None:
    try:
        people = {email: Program(web, secret) for email, secret in make_people().items()}
        print(f"Demo: sign in as {' or '.join(email for email, *_ in PEOPLE)}, password: {PASSWORD}", flush=True)
        ines, tomas, ruth = people.values()
        datasets(ines, tomas, ruth)
        arrive_for_ever(ines)
    except OSError as error:  # the portal ends, and the demo with it
        log.info("the demo ended: %s", error)
    except Exception:
        log.exception("the demo could not go on")


def make_people() -> dict[str, str]:
    db.configure(Settings().database)
    tokens_by_email = {}
    for email, name, role, center in PEOPLE:
        with db.transaction():
            account = accounts.create(email=email, password=PASSWORD, role=role, center=center, name=name)
            tokens_by_email[email] = tokens.make_api_token(account, label="demo", actor=None)
    db.dispose()
    return tokens_by_email


class Program:
    """Somebody's API token at work."""

    def __init__(self, web: str, secret: str) -> None:
        self.base, self.secret = f"{web}/api/v1", secret

    def call(self, method: str, path: str, body: object = None) -> Document:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}{path}", data=data, method=method)  # noqa: S310 - our own address
        request.add_header("Authorization", f"Bearer {self.secret}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            text = answer.read()
        document: Document = json.loads(text) if text.startswith(b"{") else {}
        return document

    def send(self, name: str, data: bytes, realm: str = "open") -> None:
        self.call("PUT", f"/uploads/{realm}/{name}", data)

    def deposit(self, title: str, files: list[Document], **fields: object) -> Document:
        given = {
            "title": title,
            "access": "open",
            "species": HUMAN,
            "data_type": "Transcriptomics",
            "description": f"{title}. Invented for this demonstration.",
            "files": files,
        }
        return self.call("POST", "/datasets", given | fields)

    def act(self, dataset: Document, action: str, **more: object) -> Document:
        return self.call("POST", f"/datasets/{dataset['id']}/actions/{action}", more)

    def wait(self, dataset: Document, ready: Callable[[Document], bool]) -> Document:
        until = time.monotonic() + 60
        while not ready(document := self.call("GET", f"/datasets/{dataset['id']}")):
            if time.monotonic() > until:
                raise errors.Busy(say("demo_timeout", "The demo waited in vain."))
            time.sleep(0.2)
        return document


def table(name: str, rows: int) -> tuple[str, bytes]:
    """A file of numbers and its name."""
    dice = random.Random(name)  # noqa: S311 - numbers to look at
    lines = (f"gene{n}\t" + "\t".join(str(dice.randrange(1000)) for _ in range(12)) for n in range(rows))
    return name, "\n".join(lines).encode()


def declared(name: str, data: bytes, title: str) -> Document:
    return {"name": name, "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(), "title": title, "samples": 12}


def complete(who: Program, folder: str, title: str, count: int, **fields: object) -> Document:
    realm = "protected" if fields.get("access") == "controlled" else "open"
    files = []
    for n in range(1, count + 1):
        name, data = table(f"{folder}/counts_{n:02d}.tsv", 400 * n)
        who.send(name, data, realm)
        files.append(declared(name, data, f"Counts of batch {n}"))
    return who.deposit(title, files, **fields)


def archived(dataset: Document) -> bool:
    return all(file["state"] == "archived" for file in dataset["files"])


def datasets(ines: Program, tomas: Program, ruth: Program) -> None:
    """One dataset in each state of its life."""
    today = clock.today("UTC").isoformat()
    ines.deposit(
        "Bulk RNA-seq of zebrafish fin regeneration, 0 to 96 h", [{"name": "fin/counts.tsv"}], species="Danio rerio"
    )
    for who, folder, title, fields in (
        (ines, "organoids", "Kidney organoids under ischaemia and reperfusion", {}),
        (tomas, "meadow", "Soil metagenome tables of alpine meadow plots", {"species": "mixed sample"}),
        (ines, "cohort", "Liver cohort: coded covariates and expression", {"access": "controlled", "human": True}),
    ):
        dataset = complete(who, folder, title, 4, release_date=today, **fields)
        who.act(dataset, "submit")
        ready = who.wait(dataset, archived)
        ruth.act(ready, "approve", version=ready["version"])
    later = complete(
        ines, "plasma", "Untargeted plasma lipidomics, fasting and refeeding", 6, release_date="2199-01-01"
    )
    ines.act(later, "submit")
    ready = ines.wait(later, archived)
    ruth.act(ready, "approve", version=ready["version"])
    returned = complete(ines, "stress", "Proteome of organoids under stress", 2)
    ines.act(returned, "submit")
    talk = f"/datasets/{returned['id']}/remarks"
    question = ruth.call("POST", talk, {"text": "Which tissue bank gave the organoids?", "section": "info"})
    ruth.call("POST", talk, {"text": "Compare with the kidney organoids of the same group.", "private": True})
    ruth.act(returned, "return", note="Name the tissue bank in the description.")
    ines.call("POST", talk, {"text": "Northmere Tissue Bank; I add it.", "answers": question["id"]})
    name, data = table("wrong/counts.tsv", 300)
    ines.send(name, data)
    faulty = ines.deposit(
        "Single-cell transcriptomes of paired liver samples",
        [declared(name, data + b"x", "Counts"), {"name": "wrong/later.tsv"}],
    )
    ines.act(faulty, "submit")
    sequenced(ines)


STUDY = (
    "<STUDY alias='larvae'><DESCRIPTOR><STUDY_TITLE>Zebrafish larvae, one library each</STUDY_TITLE>"
    "<STUDY_ABSTRACT>Invented for this demonstration.</STUDY_ABSTRACT></DESCRIPTOR></STUDY>"
)
SAMPLE = (
    "<SAMPLE alias='larva {n}'><TITLE>Larva {n}</TITLE><SAMPLE_NAME><TAXON_ID>7955</TAXON_ID></SAMPLE_NAME></SAMPLE>"
)
EXPERIMENT = (
    "<EXPERIMENT alias='library {n}'><STUDY_REF refname='larvae'/><DESIGN><SAMPLE_DESCRIPTOR "
    "refname='larva {n}'/></DESIGN></EXPERIMENT>"
)
RUN = (
    "<RUN alias='run {n}'><EXPERIMENT_REF refname='library {n}'/><DATA_BLOCK><FILES><FILE filename='{name}' "
    "checksum='{md5}'/></FILES></DATA_BLOCK></RUN>"
)


def sequenced(who: Program) -> None:
    """Twelve samples as XML: two whose reads arrived, nine that wait for theirs, one that cannot be loaded."""
    parts = [f"<STUDY_SET>{STUDY}</STUDY_SET>"]
    for kind, form in (("SAMPLE", SAMPLE), ("EXPERIMENT", EXPERIMENT), ("RUN", RUN)):
        rows = []
        for n in range(1, 13):
            name, data = table(f"larvae/larva_{n:02d}.tsv", 300)
            if kind == "RUN" and n < 3:
                who.send(name, data)
            digest = "d41d8cd9" if n == 7 else declared(name, data, "")["md5"]
            rows.append(form.format(n=n, name=name, md5=digest))
        parts.append(f"<{kind}_SET>{''.join(rows)}</{kind}_SET>")
    who.call("POST", "/submit", f"<WEBIN>{''.join(parts)}</WEBIN>".encode())


def arrive_for_ever(ines: Program) -> None:
    """A dataset whose files come one after another, and then the next one."""
    for turn in range(1, 200):
        names = [table(f"live{turn:03d}/part_{n:02d}.tsv", 2000 + 500 * n) for n in range(1, 9)]
        dataset = ines.deposit(
            f"Time course {turn}, arriving now", [declared(name, data, "Counts") for name, data in names]
        )
        ines.act(dataset, "submit")
        for name, data in names:
            time.sleep(6)
            ines.send(name, data)
