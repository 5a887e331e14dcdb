"""Every page that a link leads to, as each kind of person, in the archive of the demo and in one that holds nothing:
axe clean in light and dark, and no wider than a phone, whatever people call their datasets and themselves."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from portal import db
from portal.domain.accounts import accounts, centers, tokens
from portal.maintenance import demo
from tests.chromium import chromium, look
from tests.live import Live, opened
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.soak, pytest.mark.patience(900)]
PEOPLE = {"ines": "ines.okafor@example.org", "ruth": "ruth.adeyemi@example.org", "stranger": ""}
ONE_WORD = "Donaudampfschifffahrt" * 10
NAMES = (ONE_WORD, "_".join(["without_a_space"] * 14), "بيانات التعبير الجيني لعينات الكبد", "Zebrafish 🐟🧬 fins 🎉")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, Live(tmp_path_factory.mktemp("empty") / "instance") as started:
        patch.setenv("OMIX_INSTANCE", str(started.instance))
        demo.make_people()
        yield started


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, Live(tmp_path_factory.mktemp("tour") / "instance") as started:
        patch.setenv("OMIX_INSTANCE", str(started.instance))
        people = [demo.Program(started.web, secret) for secret in demo.make_people().values()]
        demo.datasets(*people)
        names = [f"many/part_{n:05d}.tsv.gz" for n in range(10_000)]
        people[0].deposit("Ten thousand files", [{"name": name, "title": "Counts"} for name in names])
        add_awkward_names(started, people[0])
        yield started


def add_awkward_names(live, ines) -> None:
    """Titles, files, people and labels of one long word, of another script, of pictures."""
    for name in NAMES:
        file = {"name": f"{'f' * 190}/{'n' * 200}.tsv", "title": name, "description": name}
        made = ines.deposit(name, [file], investigator=name[:200])
        ines.act(made, "submit")
        ines.call("POST", f"/datasets/{made['id']}/remarks", {"text": name})
    with opened(live.instance), db.transaction():
        account = accounts.by_email(PEOPLE["ines"])
        assert account is not None
        account.name = ONE_WORD[:200]
        centers.rename(account.center, ONE_WORD[:200], actor=None)
        for n, name in enumerate(NAMES):
            one = accounts.create(email=f"person{n}@example.org", password=demo.PASSWORD, name=name[:200])
            tokens.make_api_token(one, label=name[:100], actor=one)


def kind(address: str) -> str:
    """Pages that differ only by an accession or a number are one kind of page."""
    parts = urlsplit(address)
    path = re.sub(r"/(OMIX[A-Z]?)?\d+(-\d+)?(?=/|$)", "/*", parts.path)
    return f"{path}?{'&'.join(sorted({key for key, _value in parse_qsl(parts.query)}))}"


def links(page) -> list[str]:
    found = page.eval_on_selector_all("a[href]", "all => all.map(one => one.getAttribute('href'))")
    here = urlsplit(page.url).path
    return [f"{here}{one}" if one.startswith("?") else one for one in found if one.startswith(("/", "?"))]


@pytest.mark.parametrize("person", PEOPLE)
def test_every_page_is_good_to_read(live, person):
    assert len(tour(live, person)) > (40 if PEOPLE[person] else 20)


@pytest.mark.parametrize("person", PEOPLE)
def test_every_page_is_good_to_read_where_nothing_is_yet(empty, person):
    assert len(tour(empty, person)) > (30 if PEOPLE[person] else 20)


def tour(live, person: str) -> set[str]:
    """The kinds of pages that were seen; each fault of one fails."""
    with chromium(live.web) as browser:
        page = browser.sign_in(PEOPLE[person], demo.PASSWORD) if PEOPLE[person] else browser.page()
        seen, waiting, faults = set(), ["/", "/deposit"] if PEOPLE[person] else ["/"], []
        while waiting:
            address = waiting.pop(0).partition("#")[0]
            if kind(address) in seen or address.startswith(("/static", "/api", "/logout")):
                continue
            seen.add(kind(address))
            answer = page.request.get(address, max_redirects=0)
            if (
                answer.status != 200
                or "html" not in answer.headers["content-type"]
                or "attachment" in str(answer.headers)
            ):
                if answer.status >= 500 or answer.status == 404:
                    faults.append(f"{address} answers {answer.status}")
                continue
            page.goto(address)
            waiting += links(page)
            try:
                look(page)
            except AssertionError as fault:
                faults.append(str(fault)[:600])
        assert faults == [], "\n".join(faults)
        return seen
