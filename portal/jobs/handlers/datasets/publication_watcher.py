"""The publication watcher: asks Europe PMC for papers that name the accession of a dataset that waits for its release.

Off until OMIX_EUROPEPMC_URL is set, to https://www.ebi.ac.uk/europepmc/webservices/rest for the real one.
"""

import json
import logging
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from portal import db, errors
from portal.config import settings
from portal.domain.datasets import publications
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.jobs.handlers.handler import Progress
from portal.messages import say
from portal.models import Dataset

log = logging.getLogger(__name__)
TIMEOUT = 20
PAGE_SIZE = 200
LONGEST_ANSWER = 4 << 20


class NoAnswer(errors.DomainError):
    status, title, code = 503, "Europe PMC did not answer", "europepmc"


def run(lease: Lease, progress: Progress) -> None:
    """One question a dataset; what was found is recorded at once, so that a broken round has lost nothing."""
    after = 0
    while settings().europepmc_url:
        with db.reading():
            waiting = [
                (dataset.id, dataset.accession or "") for dataset in publications.awaited(after=after, limit=PAGE_SIZE)
            ]
        if not waiting:
            break
        for dataset_id, accession in waiting:
            progress.check()
            paper = ask(accession)
            if paper:
                _record(lease, dataset_id, paper)
        after = waiting[-1][0]
    with db.transaction():
        job_queue.finish(lease)


def _record(lease: Lease, dataset_id: int, paper: tuple[str, str]) -> None:
    with db.transaction():
        job_queue.check_lease(lease)
        dataset = db.session.get(Dataset, dataset_id)
        if dataset is not None and dataset.accession:
            publications.record(dataset, paper[0], actor=None, title=paper[1], source="watcher")


def ask(accession: str) -> tuple[str, str] | None:
    """(DOI or PubMed number, title) of the first paper whose text holds the accession. Raises NoAnswer."""
    query = urlencode({"query": f'"{accession}"', "format": "json", "resultType": "lite", "pageSize": 5})
    address = f"{settings().europepmc_url.rstrip('/')}/search?{query}"
    try:
        with urlopen(Request(address, headers={"User-Agent": "omix-portal"}), timeout=TIMEOUT) as answer:  # noqa: S310
            return first_paper(json.loads(answer.read(LONGEST_ANSWER)))
    except HTTPError as error:
        text = "Europe PMC answered {status} for {accession}."
        raise NoAnswer(say("europepmc_status", text, status=error.code, accession=accession)) from error
    except (OSError, HTTPException, ValueError) as error:
        text = "Europe PMC could not be asked for {accession}: {error}."
        raise NoAnswer(say("europepmc_unreachable", text, accession=accession, error=error)) from error


def first_paper(answer: object) -> tuple[str, str] | None:
    """What the answer of its search call holds: resultList.result[].{doi, pmid, title}."""
    listed = answer.get("resultList", {}).get("result", []) if isinstance(answer, dict) else []
    for paper in listed:
        for text in (paper.get("doi"), paper.get("pmid")):
            try:
                publications.parse(text)
            except errors.Invalid:
                continue
            return str(text), str(paper.get("title") or "")
    return None
