"""The publication watcher, against a server that answers as Europe PMC's search call does."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from portal import cli, clock, db, ingest, states
from portal.domain.datasets import publications, releases
from portal.jobs import periodic_tasks
from portal.models import Dataset, Job
from tests import depositing


@pytest.fixture
def europepmc(settings):
    """`papers` by quoted query; `asked` what came; `status` what is answered."""

    class Answers(BaseHTTPRequestHandler):
        papers, asked, status = {}, [], 200

        def do_GET(self):
            query = parse_qs(urlsplit(self.path).query)
            self.asked.append((urlsplit(self.path).path, query["query"][0], query["format"][0]))
            found = self.papers.get(query["query"][0].strip('"'), [])
            body = json.dumps({"hitCount": len(found), "resultList": {"result": found}}).encode()
            self.send_response(type(self).status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.europepmc_url = f"http://127.0.0.1:{server.server_port}/rest"
    yield Answers
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def two(database, run_jobs):
    """An approved dataset and one that waits for review."""
    ingest.start("test")
    made = [depositing.submit({f"{n}.txt": b"%d" % n}) for n in (1, 2)]
    run_jobs()
    ingest.stop()
    depositing.approve(made[0])
    run_jobs()
    return made


def go_round(run_jobs):
    with db.transaction():
        periodic_tasks.enqueue_watch()
    run_jobs()


def test_paper_that_names_a_dataset_opens_it(two, europepmc, run_jobs):
    first, second = (depositing.get(made).accession for made in two)
    europepmc.papers[first] = [
        {"id": "P1", "source": "PPR"},
        {"pmid": "39000001", "doi": "10.5555/Peat", "title": "Peat"},
    ]
    go_round(run_jobs)
    assert europepmc.asked == [("/rest/search", f'"{first}"', "json"), ("/rest/search", f'"{second}"', "json")]
    assert depositing.get(two[0]).state == states.RELEASED
    assert depositing.get(two[1]).state == states.SUBMITTED
    (paper,) = publications.of(depositing.get(two[0]))
    assert (paper.kind, paper.value, paper.title, paper.source) == ("doi", "10.5555/peat", "Peat", "watcher")
    go_round(run_jobs)
    assert [query for _path, query, _format in europepmc.asked[2:]] == [f'"{second}"'], (
        "what is known is not asked again"
    )


def test_paper_before_the_approval_opens_the_dataset_with_it(two, europepmc, run_jobs):
    europepmc.papers[depositing.get(two[1]).accession] = [{"pmid": "5", "title": "Early"}]
    go_round(run_jobs)
    assert depositing.get(two[1]).state == states.SUBMITTED
    depositing.approve(two[1])
    with db.transaction():
        periodic_tasks.enqueue_releases()
    run_jobs()
    assert depositing.get(two[1]).state == states.RELEASED


def test_watcher_rests_until_it_has_an_address(two, settings, run_jobs):
    go_round(run_jobs)
    assert db.session.query(Job).filter_by(kind="watch").count() == 0


def test_server_that_fails_is_asked_again(two, europepmc, run_jobs):
    europepmc.status = 503
    go_round(run_jobs)
    db.end()
    job = db.session.query(Job).filter_by(kind="watch").one()
    assert job.state == states.QUEUED and "answered 503" in job.error


def test_list_of_papers_is_imported_line_by_line(two, tmp_path, capsys, run_jobs, monkeypatch, settings):
    monkeypatch.setenv("OMIX_INSTANCE", str(settings.instance))
    accession = depositing.get(two[0]).accession
    path = tmp_path / "papers.tsv"
    path.write_text(f"# accession\tpaper\n{accession}\tdoi:10.5555/a\nOMIX999999\t10.5555/b\n{accession}\tnothing\n")
    assert cli.main(["publication", "import", str(path)]) == 1
    said = capsys.readouterr().err
    assert "line 3: There is no dataset 'OMIX999999'." in said and "line 4: Give a DOI" in said
    run_jobs()
    assert depositing.get(two[0]).state == states.RELEASED


def test_what_opens_is_said_beforehand(two, settings, sign_in, ruth, capsys):
    with db.transaction():
        db.session.get_one(Dataset, two[0]).release_date = releases.day(1)
    accession = depositing.get(two[0]).accession
    page = sign_in(ruth).get("/review/opening")
    assert accession in page.text and "Tonight" in page.text
    assert [dataset.accession for dataset in releases.due(ahead=1)] == [accession]
    assert releases.due() == []
    clock.shift(int(timedelta(days=1).total_seconds() * 1000))
    assert "Now, due since" in sign_in(ruth).get("/review/opening").text
