"""Every page that a link leads to, as each kind of person, in the archive of the demo: axe clean in light and dark, and
no wider than a phone."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from portal import demo
from tests.chromium import chromium, look
from tests.live import Live
from tests.plugins.clients import needs

pytestmark = [needs("chromium"), pytest.mark.soak, pytest.mark.patience(900)]
PEOPLE = {"ines": "ines.okafor@example.org", "ruth": "ruth.adeyemi@example.org", "stranger": ""}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, Live(tmp_path_factory.mktemp("tour") / "instance") as started:
        patch.setenv("OMIX_INSTANCE", str(started.instance))
        people = [demo.Program(started.web, secret) for secret in demo.make_people().values()]
        demo.datasets(*people)
        names = [f"many/part_{n:05d}.tsv.gz" for n in range(10_000)]
        people[0].deposit("Ten thousand files", [{"name": name, "title": "Counts"} for name in names])
        yield started


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
        assert len(seen) > (40 if PEOPLE[person] else 20), sorted(seen)
        print(person, len(seen), sorted(seen))
