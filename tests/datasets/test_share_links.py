"""Sharing links: made once all is archived, scrubbed, without a byte, ended by revocation, expiry and release."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.accounts import editors
from portal.domain.datasets import datasets, publications, releases, share_links
from portal.domain.files import bulk_edit, files
from portal.models import Dataset, Event, File, Link, Mail
from tests import depositing
from tests.conftest import COLLEAGUE, INES, RUTH, STRANGER
from tests.reports import staged
from tests.state_guard import states_unguarded

CANARY = b"canary-bytes-7781 of the data"
NAMES = ("Ines", "Okafor", "Northmere Institute", "ines.okafor", "Prof. Ada Brandt", "PRJCA000777")


@pytest.fixture
def approved(once, run_jobs):
    """An approved dataset with 130 archived files, as a real deposit makes it."""

    def make() -> int:
        contents = {f"runs/file_{n:03d}.bin": CANARY + b"%d" % n for n in range(130)}
        made = depositing.submit(
            contents, title="Livers under stress", investigator="Prof. Ada Brandt", bioproject="PRJCA000777"
        )
        run_jobs()
        depositing.approve(made)
        run_jobs()
        return made

    return once(make)


def make(dataset_id: int, **options) -> str:
    with db.transaction():
        return share_links.make(db.session.get_one(Dataset, dataset_id), actor=INES.account, **options)[1]


def crawl(client, start: str) -> dict[str, str]:
    """Every page reachable from an address without leaving what it leads to."""
    found, waiting = {}, [start]
    while waiting:
        address = waiting.pop()
        if address in found or address.startswith(("/help", "/static", "/login", "/register", "/reset", "/site.css")):
            continue
        answer = client.get(address)
        found[address] = f"{answer.headers}{answer.get_data(as_text=True)}"
        waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"#]*)', found[address])]
    return found


def test_anonymised_link_names_nobody_and_serves_no_byte(approved, client):
    token = make(approved, label="A journal")
    accession = depositing.get(approved).accession
    pages = crawl(client, f"/share/{token}")
    shown = [text for address, text in pages.items() if address.startswith("/share/")]
    assert len(shown) == 3, "two pages of files and the way back"
    assert "file_129.bin" in "".join(shown)
    for address, text in pages.items():
        assert "canary-bytes-7781" not in text, address
        assert [name for name in NAMES if name.lower() in text.lower()] == [], address
    for page in ("", "/files", "/md5sum.txt", "/files/runs/file_001.bin"):
        assert client.get(f"/datasets/{accession}{page}").status_code == 404
    refused = client.get(f"/share/{token}/files/runs/file_001.bin")
    assert refused.status_code == 403 and CANARY not in refused.data


def test_link_with_names_shows_them(approved, client):
    text = client.get(f"/share/{make(approved, anonymised=False)}").text
    assert [name for name in ("Ines Okafor", "Northmere Institute", "Prof. Ada Brandt") if name not in text] == [], text


def test_link_is_kept_from_search_engines_referrers_and_caches(approved, client):
    token = make(approved)
    for address in (f"/share/{token}", "/share/wrong"):
        headers = client.get(address).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
        assert headers["Cache-Control"] == "no-store"


def test_link_is_refused_until_approved_and_archived(receiving, run_jobs, sign_in):
    made = depositing.submit({"a.txt": b"a"})
    ref, ines = depositing.get(made).accession, sign_in(INES)
    assert "once a curator has approved" in ines.send(f"/deposit/{ref}/links", label="x").text
    run_jobs()
    depositing.approve(made)
    with states_unguarded():
        db.session.query(File).filter_by(dataset_id=made).one().state = states.WAITING
    answer = ines.send(f"/deposit/{ref}/links", label="x")
    assert answer.status_code == 409 and "a.txt is not" in answer.text


def test_view_log_counts_readers_and_names_none(approved, client, sign_in):
    token = make(approved, label="Journal of Peat")
    for _ in range(3):
        client.get(f"/share/{token}")
    client.get(f"/share/{token}?after=100")
    ines = sign_in(INES)
    ines.get(f"/share/{token}")
    ref = depositing.get(approved).accession
    assert "3 times" in ines.get(f"/deposit/{ref}/links").text
    log = ines.get(f"/deposit/{ref}/links/1").text
    assert "127.0.0.1" not in log and ">3<" in log


def test_link_ends_at_once_when_revoked(approved, client, sign_in):
    token, ines = make(approved), sign_in(INES)
    ines.send(f"/deposit/{depositing.get(approved).accession}/links/1/revoke")
    assert client.get(f"/share/{token}").status_code == 404


@pytest.fixture
def small(database) -> int:
    """An approved dataset without a file."""
    with db.transaction():
        return staged.dataset(1, "approved").id


def events(dataset_id: int) -> list[tuple[str, int | None]]:
    """What the history tells of the links of a dataset: event and account."""
    query = select(Event).where(Event.dataset_id == dataset_id, Event.action.startswith("link.")).order_by(Event.id)
    return [(event.action, event.actor_id) for event in db.session.scalars(query)]


def test_history_tells_who_made_a_link_and_who_revoked_it_once(small):
    make(small)
    for person in (RUTH, INES):
        with db.transaction():
            share_links.revoke(db.session.get_one(Dataset, small), 1, actor=person.account)

    assert events(small) == [("link.make", INES.id), ("link.revoke", RUTH.id)]


def test_view_log_of_a_link_holds_its_own_hours_newest_first(small):
    mine, other = (share_links.find(make(small)).id for _ in range(2))
    for link_id in (mine, other, other, mine):
        with db.transaction():
            share_links.note_view(db.session.get_one(Link, link_id))
    clock.shift(clock.HOUR)
    with db.transaction():
        share_links.note_view(db.session.get_one(Link, mine))

    link = db.session.get_one(Link, mine)
    now = clock.now() // clock.HOUR * clock.HOUR
    assert [(view.hour, view.count) for view in share_links.view_log(link)] == [(now, 1), (now - clock.HOUR, 2)]
    assert [view.hour for view in share_links.view_log(link, limit=1)] == [now]
    assert share_links.views([link]) == {mine: share_links.Views(3, now)}


def test_dataset_has_only_so_many_living_links(small, monkeypatch):
    monkeypatch.setattr(share_links, "MOST", 2)
    make(small)
    make(small)
    with pytest.raises(errors.Conflict):
        make(small)
    with db.transaction():
        share_links.revoke(db.session.get_one(Dataset, small), 1, actor=INES.account)
    make(small)

    assert [link.n for link in share_links.living(depositing.get(small))] == [3, 2]
    assert [link.n for link in share_links.ended(depositing.get(small))] == [1]


def test_link_bears_its_label_or_its_number(small):
    make(small, label=" For the journal ")
    make(small)

    assert [link.label for link in share_links.of(depositing.get(small))] == ["Link 2", "For the journal"]


@pytest.mark.parametrize(
    ("given", "anonymised"), [(True, True), (False, False), ("on", True), ("True", True), ("0", False), ("", False)]
)
def test_link_hides_names_as_a_form_or_a_program_says(small, given, anonymised):
    assert share_links.find(make(small, anonymised=given)).anonymised is anonymised


def test_only_submitter_and_curators_make_and_revoke_links(small):
    make(small)
    with pytest.raises(errors.Forbidden), db.transaction():
        share_links.make(db.session.get_one(Dataset, small), actor=STRANGER.account)
    with pytest.raises(errors.Forbidden), db.transaction():
        share_links.revoke(db.session.get_one(Dataset, small), 1, actor=STRANGER.account)

    assert [(link.n, share_links.state_of(link)) for link in share_links.of(depositing.get(small))] == [(1, "live")]


def test_only_the_link_of_that_number_and_dataset_is_revoked(small):
    with db.transaction():
        other = staged.dataset(2, "approved").id
    for dataset_id in (small, small, other, other):
        make(dataset_id)
    with db.transaction():
        share_links.revoke(db.session.get_one(Dataset, other), 2, actor=INES.account)
    with pytest.raises(errors.NotFound):
        share_links.by_number(depositing.get(other), 3)

    living = [[link.n for link in share_links.living(depositing.get(dataset_id))] for dataset_id in (small, other)]
    assert living == [[2, 1], [1]]


def test_links_end_with_their_own_dataset_alone(small):
    with db.transaction():
        other = staged.dataset(2, "approved").id
    for dataset_id in (small, other):
        make(dataset_id)
    with db.transaction():
        share_links.end_all(db.session.get_one(Dataset, small))

    dataset = depositing.get(small)
    assert share_links.living(dataset) == []
    assert [share_links.state_of(link) for link in share_links.ended(dataset)] == ["released"]
    assert [link.n for link in share_links.living(depositing.get(other))] == [1]


def test_author_traces_name_three_files_a_word_and_no_name_of_two_letters(small):
    with db.transaction():
        dataset = db.session.get_one(Dataset, small)
        dataset.investigator, dataset.description = "Jo Brandt", "jo went by and so did wu_li"
        for n in range(5):
            staged.file(dataset, staged.upload(f"brandt_{n}.txt"))

    traces = [
        (trace.values["part"], trace.values["word"]) for trace in share_links.author_traces(depositing.get(small))
    ]
    assert traces == [(f"The name of the file brandt_{n}.txt", "Brandt") for n in range(3)]


@pytest.mark.parametrize(("ahead", "code"), [(-1, "link_day_over"), (0, None)])
def test_link_lasts_until_today_or_a_later_day(small, settings, ahead, code):
    day = (clock.today(settings.timezone) + timedelta(days=ahead)).isoformat()
    if code is None:
        assert share_links.state_of(share_links.find(make(small, expires=day))) == "live"
        return
    with pytest.raises(errors.Invalid) as refused:
        make(small, expires=day)
    assert refused.value.field_messages["expires"].code == code


def test_link_ends_with_its_last_day_in_the_zone_of_the_site(approved, client, settings):
    settings.timezone = "Europe/Vienna"
    day = clock.today("Europe/Vienna")
    token = make(approved, expires=day.isoformat())
    midnight = clock.midnight(day + timedelta(days=1), "Europe/Vienna")
    clock.shift(midnight - clock.now() - 1000)
    assert client.get(f"/share/{token}").status_code == 200
    clock.shift(1001)
    assert client.get(f"/share/{token}").status_code == 404


def test_released_dataset_ends_its_links_and_says_where_it_is(approved, client, run_jobs):
    token = make(approved)
    depositing.ask_release(approved)
    run_jobs()
    dataset = depositing.get(approved)
    assert dataset.state == states.RELEASED
    answer = client.get(f"/share/{token}")
    assert answer.status_code == 410 and f'href="/{dataset.accession}"' in answer.text
    assert "<h1>This dataset is released</h1>" in answer.text and "withdrawn" not in answer.text
    with db.transaction():
        releases.unpublish(db.session.get_one(Dataset, approved), actor=RUTH.account, note="by mistake")
    assert client.get(f"/share/{token}").status_code == 404


def test_wrong_tokens_are_throttled(approved, client):
    token = make(approved)
    answers = [client.get(f"/share/guess{n}").status_code for n in range(32)]
    assert answers[0] == 404 and answers[-1] == 429
    assert client.get(f"/share/{token}").status_code == 429


def test_telltales_find_author_names_where_they_stand(approved):
    with db.transaction():
        dataset = db.session.get_one(Dataset, approved)
        dataset.description = "Sequenced by OKAFOR and others; informed by INESsential methods."
        db.session.query(File).filter_by(dataset_id=approved, n=7).one().title = "Table of ada_brandt2"
    messages = share_links.author_traces(depositing.get(approved))
    traces = [(message.values["part"], message.values["word"]) for message in messages]
    assert {message.code for message in messages} == {"link_author_trace"}
    assert ("The description", "Okafor") in traces and ("The description", "Ines") not in traces
    assert any("file_006" in part and word == "Brandt" for part, word in traces)


def test_publication_opens_an_approved_dataset(approved, sign_in, run_jobs, client):
    ref, ines = depositing.get(approved).accession, sign_in(INES)
    assert ines.send(f"/deposit/{ref}/publications", publication="the paper").status_code == 422
    paper = {"publication": "https://doi.org/10.5555/Peat.2026"}
    assert "What becomes public" in ines.send(f"/deposit/{ref}/publications", **paper).text
    run_jobs()
    assert (depositing.get(approved).state, publications.of(depositing.get(approved))) == (states.APPROVED, [])
    ines.send(f"/deposit/{ref}/publications", **paper, release_now="1")
    run_jobs()
    dataset = depositing.get(approved)
    assert dataset.state == states.RELEASED
    event = client.get(f"/datasets/{ref}")
    assert event.status_code == 200 and "10.5555/peat.2026" in event.text
    with db.transaction():
        releases.unpublish(db.session.get_one(Dataset, approved), actor=RUTH.account, note="a mistake")
    assert not releases.is_wanted(depositing.get(approved)), "what opened it once does not open it again"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("doi:10.1234/ABC", ("doi", "10.1234/abc")),
        ("PMID: 39000001", ("pmid", "39000001")),
        ("https://pubmed.ncbi.nlm.nih.gov/123/", ("pmid", "123")),
        ("10.1/x", None),
        ("0", None),
        ("<script>", None),
    ],
)
def test_publication_is_a_doi_or_a_pubmed_number(text, found):
    if found:
        assert publications.parse(text) == found
        return
    with pytest.raises(errors.Invalid):
        publications.parse(text)


def test_reminder_comes_once_a_date_a_week_before(approved, run_jobs, settings):
    day = clock.today(settings.timezone) + timedelta(days=9)
    with db.transaction():
        db.session.get_one(Dataset, approved).release_date = day.isoformat()
        releases.remind()
    assert mails() == []
    clock.shift(3 * clock.DAY)
    for _ in range(2):
        with db.transaction():
            releases.remind()
    assert mails() == [f"{depositing.get(approved).accession} opens on {day.isoformat()}"]


def mails() -> list[str]:
    return [mail.subject for mail in db.session.query(Mail).filter(Mail.key.like("release_due:%"))]


def test_anonymised_link_shows_what_was_approved_whatever_is_typed_since(approved, client, sign_in, send, run_jobs):
    url = f"/share/{make(approved)}"
    browser = sign_in(INES)
    page = browser.get(f"/deposit/{approved}").text
    assert "these words name its authors" not in page
    with db.transaction():
        dataset = db.session.get_one(Dataset, approved)
        before = dataset.title
        datasets.edit(dataset, {"title": "Livers of Ines Okafor", "description": "By Ines."}, actor=INES.account)
        file = files.by_number(dataset, 1)
        files.edit(file, {"title": "Counted by Okafor"}, actor=INES.account)
    send("late.txt", b"late", dataset_id=approved)
    run_jobs()
    shown = client.get(url).text
    assert before in shown and "Okafor" not in shown and "late.txt" not in shown
    assert "this is what was approved" in shown

    page = browser.get(f"/deposit/{approved}").text
    assert "these words name its authors" in page and "Okafor" in page
    links = browser.get(f"/deposit/{approved}/links").text
    assert "would still name its authors" in links and "shown once they are approved" in links and "Okafor" in links


def test_anonymised_link_shows_the_new_version_once_that_is_approved(approved, client):
    url = f"/share/{make(approved)}"
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, approved), {"title": "Kidneys"}, actor=INES.account)
    assert "Kidneys" not in client.get(url).text
    depositing.approve(approved)
    assert "Kidneys" in client.get(url).text


def test_anonymised_link_goes_on_showing_what_was_approved_and_left_since(approved, client):
    url = f"/share/{make(approved)}"
    with db.transaction():
        dataset = db.session.get_one(Dataset, approved)
        bulk_edit.remove(dataset, [files.by_number(dataset, 1).id], actor=INES.account)
    page = client.get(url).text
    assert "file_000.bin" in page and "130 files" in page


def test_names_of_co_submitters_are_told_too(approved):
    make(approved)
    with db.transaction():
        dataset = db.session.get_one(Dataset, approved)
        editor = editors.invite(dataset, COLLEAGUE.email, actor=INES.account)
        editors.answer(editor.id, accept=True, actor=COLLEAGUE.account)
        datasets.edit(dataset, {"title": f"Livers of {COLLEAGUE.name}"}, actor=INES.account)
        assert any(COLLEAGUE.name.split()[0] in str(trace) for trace in share_links.exposed(dataset))
